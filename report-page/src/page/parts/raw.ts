import type { ReportEvidence } from '@cloister/protocol';
import { el, folded, laidOut, section } from '../element.js';
import type { Outcome } from '../outcome.js';

/** Every part of the report as it is, for who wants to look. */
export function raw(evidence: ReportEvidence, { token }: Outcome): HTMLElement {
  const payloads = (items: readonly { readonly signer: string; readonly payload: unknown }[]): unknown => items.map(({ signer, payload }) => ({ signer, payload }));
  return section(
    'raw',
    'The parts of the report',
    el('p', { class: 'faint' }, 'Worth what the verdict is worth.'),
    part('The statement', evidence.statement),
    ...(token === undefined ? [] : [part('The verifier’s token: header', token.header), part('The verifier’s token: claims', token.claims)]),
    folded('The verifier’s token, raw', laidOut(evidence.token)),
    part('The session', evidence.session),
    part('The manifest', evidence.manifest.payload),
    part('The owners’ descriptors', payloads(evidence.descriptors)),
    part('The brokers’ receipts', payloads(evidence.receipts)),
    ...(evidence.policies.length === 0 ? [] : [part('The owners’ policies', payloads(evidence.policies))])
  );
}

function part(title: string, value: unknown): HTMLElement {
  return folded(title, laidOut(JSON.stringify(value, null, 2)));
}
