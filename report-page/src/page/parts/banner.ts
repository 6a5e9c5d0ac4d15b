import { visibleLine, type ReportEvidence, type Verdict } from '@cloister/protocol';
import type { EmbeddedData } from '../embedded-data.js';
import { el, facts, shown, type Fact } from '../element.js';
import { verdictIcon } from '../icons.js';
import type { Outcome } from '../outcome.js';
import { count, formatTime, shortDigest } from '../quantities.js';
import { VERDICT_REASONS, VERDICT_WORDS } from '../words.js';

/** Green is for `verified` alone. */
const TONES: Readonly<Record<Verdict, 'good' | 'bad' | 'caution'>> = { verified: 'good', failed: 'bad', inconclusive: 'caution', simulated: 'caution' };

/** The elements of the page that are there before the program runs. */
export interface Frame {
  readonly page: HTMLElement;
  readonly banner: HTMLElement;
  /** The live region of the verdict. */
  readonly verdict: HTMLElement;
  /** Head of every printed page. */
  readonly running: HTMLElement;
  readonly contents: HTMLElement;
}

/** The verdict in words, and about what, when and by whose word. */
export function showVerdict(frame: Frame, outcome: Outcome, data: EmbeddedData): void {
  const { verdict, evidence, unreadable } = outcome;
  frame.page.classList.add(`is-${verdict}`);
  frame.banner.classList.add(`tone-${TONES[verdict]}`);
  const reason = unreadable === undefined ? VERDICT_REASONS[verdict] : 'This file is not an attestation report that can be read.';
  frame.verdict.replaceChildren(el('h1', {}, VERDICT_WORDS[verdict]), el('p', {}, reason));
  frame.banner.prepend(el('span', { class: 'verdict-icon' }, verdictIcon(verdict)));
  const onlySaid = evidence !== undefined && (verdict === 'failed' || verdict === 'inconclusive');
  frame.banner.append(
    el(
      'div',
      { class: 'verdict-facts' },
      onlySaid ? el('p', { class: 'faint' }, 'The report says this of itself; it is not confirmed:') : undefined,
      facts([...(evidence === undefined ? [] : runFacts(evidence)), ...verifierFact(outcome), ...pageFacts(outcome, data)])
    )
  );
  const subject = evidence === undefined ? 'a file that is no report' : `job ${shortDigest(evidence.manifest.digest)}, attempt ${evidence.statement.predicate.attempt}`;
  const line = `${VERDICT_WORDS[verdict]}: attestation report of ${subject}`;
  frame.running.textContent = `${line}. Checked ${formatTime(outcome.checkedAt.toISOString())}, trust of this page.`;
  frame.page.ownerDocument.title = line;
}

/** Says why nothing was verified: no verdict, and nothing that looks like one. */
export function showObstacle(frame: Frame, why: string, next: string): void {
  frame.banner.classList.add('tone-caution');
  frame.verdict.replaceChildren(el('h1', {}, 'Nothing was verified'), el('p', {}, `${why} The report may be good or bad. ${next}`));
  frame.running.textContent = 'Attestation report. Nothing was verified.';
}

/** How the notebook ended, as a sentence. */
export function outcomeWords({ statement: { predicate } }: ReportEvidence): string {
  const { outcome, cells } = predicate;
  return outcome.status === 'succeeded'
    ? `The notebook ran to its end, ${cells.done} of ${cells.total} cells.`
    : `The notebook failed after ${cells.done} of ${cells.total} cells: ${visibleLine(outcome.code)}`;
}

function runFacts(evidence: ReportEvidence): Fact[] {
  const { predicate } = evidence.statement;
  return [
    ['Job', shown(evidence.manifest.digest, 'code'), `, attempt ${predicate.attempt}`],
    ['Notebook code', shown(predicate.code.digest, 'code')],
    ['Outcome', outcomeWords(evidence)],
    ['Ran', formatTime(predicate.timing.started)]
  ];
}

function verifierFact({ token }: Outcome): Fact[] {
  const issuer = token?.claims['iss'];
  return typeof issuer === 'string' ? [['Verifier', shown(issuer)]] : [];
}

function pageFacts({ checkedAt }: Outcome, { trust, policy }: EmbeddedData): Fact[] {
  const { owners, verifiers, images } = trust;
  const counts = [count(owners.length, 'owner'), count(verifiers.length, 'verifier'), count(images.length, 'runner image')].join(', ');
  return [
    ['Checked', `${formatTime(checkedAt.toISOString())}, by this page’s own program and this computer’s clock`],
    ['Trust used', `${counts}, ${policy === undefined ? 'and no demands on the runner' : 'and a policy'}: the ones in this page, which its maker chose. `, el('a', { href: '#trust' }, 'What to make of that')]
  ];
}
