import { at, visibleLine, type Json, type ReportEvidence, type Trust } from '@cloister/protocol';
import { el, facts, folded, section, shown, table, type Fact } from '../element.js';
import type { Outcome, TokenParts } from '../outcome.js';
import { count, formatBytes, formatDuration, formatTime } from '../quantities.js';
import { outcomeWords } from './banner.js';

/** Rows of one table; what is more is in the statement. */
const MOST_ROWS = 500;

/** What the report says of its run; worth what the verdict is worth. Owners are named by the page's trust alone. */
export function run(evidence: ReportEvidence, { token }: Outcome, trust: Trust): HTMLElement {
  return section('run', 'The run', facts([...programFacts(evidence, token, trust), ...timeFacts(evidence, token)]), ...inputs(evidence, trust), ...outputs(evidence));
}

function programFacts(evidence: ReportEvidence, token: TokenParts | undefined, trust: Trust): Fact[] {
  const { predicate } = evidence.statement;
  const known = trust.images.find(({ image }) => image === predicate.image);
  return [
    ['Job', shown(evidence.manifest.digest, 'code')],
    ['Attempt', String(predicate.attempt)],
    ['Analyst’s key', shown(evidence.manifest.payload.analyst, 'code')],
    ['Outcome', outcomeWords(evidence)],
    ['Notebook code', shown(predicate.code.digest, 'code')],
    ['Environment', predicate.code.environment === 'image' ? 'The packages of the runner image' : shown(predicate.code.environment, 'code')],
    ['Runner image', shown(predicate.image, 'code'), known === undefined ? ' (not in this page’s trust)' : el('div', { class: 'faint' }, 'Listed in this page’s trust: ', shown(known.source))],
    ['Hardware', ...hardware(token)]
  ];
}

function hardware(token: TokenParts | undefined): [HTMLElement | string, ...string[]] {
  const model = token?.claims['hwmodel'];
  if (typeof model !== 'string') return ['The token names none.'];
  const tcb = at(token?.claims, 'tdx', 'gcp_attester_tcb_status');
  return [shown(model, 'code'), ...(typeof tcb === 'string' ? [`, firmware ${visibleLine(tcb)}`] : [])];
}

function timeFacts({ statement, manifest }: ReportEvidence, token: TokenParts | undefined): Fact[] {
  const { timing, obligations } = statement.predicate;
  const took = formatDuration(Date.parse(timing.ended) - Date.parse(timing.started));
  return [
    ['Started', formatTime(timing.started)],
    ['Ended', `${formatTime(timing.ended)}, after ${took}`],
    ...secondsFact('Attested', token?.claims['iat'], ''),
    ...secondsFact('Token until', token?.claims['exp'], '. The report can still be checked: it counts for the time when it was made.'),
    ['Job until', formatTime(manifest.payload.notAfter)],
    ['Use allowed', obligations.expires === 'any' ? 'The owners set no end.' : `Until ${formatTime(obligations.expires)}`]
  ];
}

/** A claim in seconds since 1970, where a Date can hold it. */
function secondsFact(name: string, value: Json | undefined, after: string): Fact[] {
  const date = new Date(typeof value === 'number' ? value * 1000 : Number.NaN);
  return Number.isNaN(date.getTime()) ? [] : [[name, `${formatTime(date.toISOString())}${after}`]];
}

function inputs(evidence: ReportEvidence, trust: Trust): HTMLElement[] {
  const names = new Map<string, string>(trust.owners.map(owner => [owner.thumbprint, owner.name]));
  const owners = [...new Set(evidence.descriptors.map(descriptor => descriptor.payload.owner))];
  const cards = owners.map(owner => {
    const name = names.get(owner);
    const assets = evidence.descriptors.filter(descriptor => descriptor.payload.owner === owner);
    return el(
      'div',
      { class: 'card' },
      el('h4', {}, name ?? 'An owner that this page’s trust does not list'),
      el('p', { class: 'faint' }, 'Key ', shown(owner, 'code')),
      ...assets.map(asset => el('div', { class: 'asset' }, el('h5', {}, el('bdi', {}, visibleLine(asset.payload.name))), facts(assetFacts(evidence, asset))))
    );
  });
  return [el('h3', {}, 'Inputs by owner'), ...(cards.length === 0 ? [el('p', {}, 'It read none.')] : cards)];
}

function assetFacts(evidence: ReportEvidence, { digest, payload }: ReportEvidence['descriptors'][number]): Fact[] {
  const { broker } = payload.custodians[0];
  const policy = evidence.statement.predicate.inputs.find(input => input.asset === digest)?.policy;
  const receipt = evidence.receipts.find(item => item.signer === broker && item.payload.grants.some(grant => 'asset' in grant && grant.asset === digest));
  return [
    ['What', `${payload.kind}, version ${payload.version}, ${visibleLine(payload.mediaType)}, ${formatBytes(payload.size)} sealed`],
    ['Asset', shown(digest, 'code')],
    ['Policy', policy === undefined ? 'The statement names none.' : shown(policy, 'code')],
    ['Key keeper', shown(broker, 'code')],
    ['Key released', receipt === undefined ? 'No receipt says so.' : formatTime(receipt.payload.time)]
  ];
}

function outputs({ statement: { subject } }: ReportEvidence): HTMLElement[] {
  const files = subject.filter(({ name }) => name !== 'index').length;
  const rows = subject.slice(0, MOST_ROWS).map(({ name, digest }) => [visibleLine(name, 64), el('code', {}, digest.sha256)]);
  const more = subject.length - rows.length;
  return [
    el('h3', {}, 'Outputs'),
    el('p', {}, `${count(files, 'sealed file')}, and the index that names them. Names and sizes travel sealed, so a report has neither.`),
    folded(
      'Digests of the sealed files',
      table('Sealed outputs', ['File', 'SHA-256 of the sealed file'], rows),
      more > 0 ? el('p', {}, `${more} more are in the statement, below.`) : undefined
    )
  ];
}
