import { el, section, shown } from '../element.js';
import type { Outcome } from '../outcome.js';
import { NOT_PROVEN, VERDICT_MEANINGS } from '../words.js';

/** What the verdict means, and what no verdict means. */
export function meaning({ verdict, unreadable }: Outcome): HTMLElement {
  const means =
    unreadable === undefined
      ? [el('p', {}, VERDICT_MEANINGS[verdict])]
      : [
          el('p', {}, 'This file cannot be read as an attestation report: ', shown(unreadable), '.'),
          el('p', {}, 'It may have been damaged or cut off on the way, or changed. Ask whoever sent it for the original file.')
        ];
  return el(
    'div',
    { class: 'meaning' },
    section('means', 'What this means', ...means),
    section('not-proven', 'What it does not prove', el('p', {}, 'Even a verified report does not prove'), el('ul', {}, ...NOT_PROVEN.map(item => el('li', {}, item))))
  );
}
