import type { PinnedVerifier, Trust } from '@cloister/protocol';
import type { EmbeddedData } from '../embedded-data.js';
import { el, folded, section, shown, table, type Child } from '../element.js';
import { formatTime } from '../quantities.js';

const KINDS: Readonly<Record<PinnedVerifier['kind'], string>> = {
  google: 'Google Cloud Attestation',
  intel: 'Intel Trust Authority',
  simulator: 'a simulator: no hardware stands behind its word'
};

/** Whose verdict this is, and all that it rests on. @param fileName under which the report is offered */
export function trust({ trust: used, report, exportedAt }: EmbeddedData, fileName: string): HTMLElement {
  return section('trust', 'Whose verdict this is: the trust in this page', whose(report, fileName), el('p', { class: 'faint' }, `Whoever made this page says that it was on ${formatTime(exportedAt)}.`), ...owners(used), ...verifiers(used), ...images(used));
}

/** A page from a stranger can carry any program and any trust; nothing that it says can change that. */
function whose(report: Uint8Array<ArrayBuffer>, fileName: string): HTMLElement {
  const file = URL.createObjectURL(new Blob([report], { type: 'application/json' }));
  return el(
    'div',
    { class: 'note caution' },
    el('p', {}, 'This page was made by someone. It shows what ', el('em', {}, 'its'), ' verifier found with ', el('em', {}, 'the trust inside it'), '. To be sure, check the report with your own:'),
    el('p', {}, el('code', { class: 'command' }, `cloister verify ${fileName} --trust your-trust.json --policy your-policy.json`)),
    el('p', { class: 'no-print' }, el('a', { class: 'button', href: file, download: fileName }, 'Download the report'), el('span', { class: 'faint' }, ` as ${fileName}: exactly the bytes that were checked here.`))
  );
}

function owners({ owners: list }: Trust): Child[] {
  const rows = list.map(({ name, thumbprint }) => [shown(name), shown(thumbprint, 'code')]);
  return [el('h3', {}, 'Owners whose descriptions count'), rows.length === 0 ? el('p', {}, 'None.') : table('Pinned owners', ['Name', 'Thumbprint of the key'], rows)];
}

function images({ images: list }: Trust): Child[] {
  const rows = list.map(({ image, source }) => [shown(image, 'code'), shown(source)]);
  return [el('h3', {}, 'Runner images that are accepted'), rows.length === 0 ? el('p', {}, 'None.') : table('Reference values', ['Image digest', 'Where it came from'], rows)];
}

function verifiers({ verifiers: list }: Trust): Child[] {
  return [el('h3', {}, 'Verifiers whose tokens count'), ...(list.length === 0 ? [el('p', {}, 'None.')] : list.map(verifierCard))];
}

function verifierCard({ issuer, kind, source, roots, jwks }: PinnedVerifier): HTMLElement {
  const rootRows = roots.map(root => [shown(root.fingerprint, 'code'), shown(root.source)]);
  const setRows = jwks.map(set => [formatTime(set.seen), shown(set.source), keyList(set.keys)]);
  return el(
    'div',
    { class: 'card' },
    el('h4', {}, shown(issuer)),
    el('p', {}, `It is ${KINDS[kind]}. Pinned from: `, shown(source)),
    rootRows.length === 0 ? el('p', {}, 'No root certificate is pinned.') : table('Root certificates', ['SHA-256 of the certificate', 'Where it came from'], rootRows),
    setRows.length === 0 ? el('p', {}, 'No key set is kept.') : table('Key sets, as they were seen', ['Seen', 'Where', 'Keys'], setRows)
  );
}

/** Every key by its name and how it signs; the keys themselves folded. */
function keyList(keys: PinnedVerifier['jwks'][number]['keys']): HTMLElement {
  return el('ul', { class: 'keys' }, ...keys.map(key => el('li', {}, shown(key.kid, 'code'), ` ${key.alg}`, folded('The key', el('pre', { tabindex: '0' }, key.n)))));
}
