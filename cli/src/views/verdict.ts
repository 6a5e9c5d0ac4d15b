import { HARDWARE_CHECKS, type Check, type ReportResult, type Verdict } from '@cloister/protocol';
import { printable, printableLine } from '../terminal/printable.js';
import type { Style } from '../terminal/style.js';
import { formatTable, type Cell } from '../terminal/table.js';

/** Exit codes of `cloister verify`. */
export const VERDICT_EXIT: Readonly<Record<Verdict, number>> = { verified: 0, failed: 1, inconclusive: 2, simulated: 3 };

const HEADLINES: Readonly<Record<Verdict, string>> = {
  verified: 'VERIFIED',
  failed: 'NOT VERIFIED: something contradicts',
  inconclusive: 'COULD NOT CHECK: something that a verdict needs is missing',
  simulated: 'SIMULATED ONLY: no hardware vouches for this'
};

const MEANINGS: Readonly<Record<Verdict, string>> = {
  verified: 'Genuine hardware ran exactly this code on exactly these sealed inputs, under the owners’ policies, and these outputs came out.',
  failed: 'At least one part contradicts another, or what you trust. Do not rely on these outputs.',
  inconclusive: 'Nothing contradicts, and something is missing, so nobody can say. The checks marked “unknown” say what.',
  simulated: 'Nothing contradicts, but a simulator on an ordinary machine signed it: whoever runs that machine could have seen and changed everything.'
};

const NOT_PROVEN = 'It does not prove that the notebook is correct, that its outputs disclose nothing, or that the hardware’s maker is honest.';

/** One verdict in words, in the colour that it deserves: green for verified alone. */
export function formatVerdict(verdict: Verdict, style: Style): string {
  const paint = verdict === 'verified' ? style.good : verdict === 'failed' ? style.bad : style.caution;
  return paint(style.strong(HEADLINES[verdict]));
}

export function explainVerdict(verdict: Verdict, style: Style): string {
  return `${MEANINGS[verdict]}\n${style.faint(NOT_PROVEN)}`;
}

const WORDS: Readonly<Record<Check['status'], string>> = { pass: 'pass', fail: 'FAIL', unknown: 'unknown', skipped: 'skipped' };

/** Every check in its order; expected and actual side by side where it did not pass. */
export function formatChecks(checks: readonly Check[], style: Style, simulated: boolean): string {
  const paints: Readonly<Record<Check['status'], Cell['paint']>> = {
    // A check that passed says little where a simulator vouches, so it is not green there.
    pass: simulated ? style.faint : style.good,
    fail: style.bad,
    unknown: style.caution,
    skipped: style.faint
  };
  const rows = checks.map(check => [
    { text: wordOf(check, simulated), ...withPaint(paints[check.status]) },
    { text: printableLine(check.id) },
    { text: printableLine(check.title), ...withPaint(check.status === 'pass' ? style.faint : undefined) }
  ]);
  const lines = formatTable(rows, { indent: 2 }).split('\n');
  return checks.flatMap((check, at) => [lines[at] ?? '', ...detailsOf(check, style)]).join('\n');
}

/** Nothing that hardware would have to say is called passed where a simulator said it. */
function wordOf({ id, status }: Check, simulated: boolean): string {
  return simulated && status === 'pass' && HARDWARE_CHECKS.has(id) ? 'simulated' : WORDS[status];
}

/** How many checks said what, in one line. */
export function countChecks(checks: readonly Check[], simulated: boolean): string {
  const words = checks.map(check => wordOf(check, simulated).toLowerCase().replace(/^pass$/, 'passed').replace(/^fail$/, 'failed'));
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}

const withPaint = (paint: Cell['paint']): Pick<Cell, 'paint'> => (paint === undefined ? {} : { paint });

function detailsOf(check: Check, style: Style): string[] {
  if (check.status === 'pass') return [];
  const compared = check.expected === undefined && check.actual === undefined ? [] : [['expected', check.expected], ['actual', check.actual]] as const;
  return [
    ...compared.map(([label, value]) => `           ${style.faint(label.padEnd(8))} ${valueOf(value)}`),
    ...(check.hint === undefined ? [] : [`           ${style.faint('hint'.padEnd(8))} ${printable(check.hint)}`])
  ];
}

function valueOf(value: Check['expected']): string {
  if (value === undefined) return '(nothing)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = printableLine(text);
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

/** When, by whom, on what: the facts that a person wants first. They are worth what the verdict is worth. */
export function formatSubject(result: ReportResult): string {
  const { evidence } = result;
  if (evidence === undefined) return '';
  const { predicate } = evidence.statement;
  const outcome = predicate.outcome.status === 'succeeded' ? 'succeeded' : `failed (${predicate.outcome.code})`;
  return formatTable(
    [
      ['job', `${predicate.job} attempt ${predicate.attempt}`],
      ['outcome', `${outcome}, ${predicate.cells.done} of ${predicate.cells.total} cells`],
      ['ran', `${predicate.timing.started} to ${predicate.timing.ended}`],
      ['code', predicate.code.digest],
      ['inputs', predicate.inputs.map(input => input.name).join(', ') || 'none'],
      ['image', predicate.image],
      ['outputs', `${evidence.statement.subject.length - 1} files and an index`]
    ],
    { indent: 2 }
  );
}
