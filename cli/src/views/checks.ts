import { HARDWARE_CHECKS, type Check } from '@cloister/protocol';
import { printable, printableLine } from '../terminal/printable.js';
import type { Style } from '../terminal/style.js';
import { wrap } from '../terminal/wrap.js';
import { EXPLANATIONS } from './explanations.js';
import { valueInWords } from './value-in-words.js';

export interface ChecksOptions {
  readonly style: Style;
  readonly width: number;
  /** A simulator vouches. */
  readonly simulated: boolean;
  /** Say of every check what it asks, why, and what was found. */
  readonly explain: boolean;
}

const WORDS: Readonly<Record<Check['status'], string>> = { pass: 'pass', fail: 'FAIL', unknown: 'unknown', skipped: 'skipped' };

/** Every check in its order; what was expected and found below it where it did not pass. */
export function formatChecks(checks: readonly Check[], options: ChecksOptions): string {
  const [words, ids] = [checks.map(check => wordOf(check, options.simulated)), checks.map(check => printableLine(check.id))];
  const widths = [longest(words), longest(ids)];
  const titleAt = 2 + (widths[0] ?? 0) + 2 + (widths[1] ?? 0) + 2;
  return checks.map((check, at) => {
    const [word, id] = [words[at] ?? '', ids[at] ?? ''];
    const [first = '', ...more] = wrap(printableLine(check.title), options.width - titleAt).map(line => (check.status === 'pass' ? options.style.faint(line) : line));
    const row = `  ${paintOf(check, options)(word.padEnd(widths[0] ?? 0))}  ${id.padEnd(widths[1] ?? 0)}  ${first}`;
    // A reason that many checks share in a row is said once.
    const said = check.status === 'skipped' && checks[at - 1]?.status === 'skipped' && checks[at - 1]?.hint === check.hint;
    const lines = [row, ...more.map(line => `${' '.repeat(titleAt)}${line}`), ...detailsOf(said ? withoutHint(check) : check, options)];
    // With sentences between them, rows need air to be found.
    return options.explain ? `${lines.join('\n')}\n` : lines.join('\n');
  }).join('\n');
}

const withoutHint = ({ id, title, status }: Check): Check => ({ id, title, status });

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map(text => text.length));

function paintOf({ status }: Check, { style, simulated }: ChecksOptions): (text: string) => string {
  switch (status) {
    case 'pass':
      // A check that passed says little where a simulator vouches, so it is not green there.
      return simulated ? style.faint : style.good;
    case 'fail':
      return style.bad;
    case 'unknown':
      return style.caution;
    case 'skipped':
      return style.faint;
  }
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

const DETAIL_INDENT = 6;
const LABEL = 10;

function detailsOf(check: Check, { style, width, explain }: ChecksOptions): string[] {
  const explanation = explain ? EXPLANATIONS.get(check.id) : undefined;
  const detail = (label: string, text: string): string[] => formatDetail(label, text, { style, width });
  return [
    ...(explanation === undefined ? [] : [...detail('asks', explanation.means), ...detail('because', explanation.matters)]),
    ...(check.status === 'pass' && !explain ? [] : comparedOf(check).flatMap(([label, value]) => detail(label, value))),
    ...(check.hint === undefined || check.status === 'pass' ? [] : detail('hint', printableLine(printable(check.hint))))
  ];
}

/** What was found is there also where nothing in particular was expected. */
function comparedOf({ status, expected, actual }: Check): (readonly [string, string])[] {
  return [
    ...(expected === undefined ? [] : [['expected', valueInWords(expected)] as const]),
    ...(actual === undefined ? [] : [[status === 'fail' ? 'actual' : 'found', valueInWords(actual)] as const])
  ];
}

/** Behind its label, or below it where a word of it, as a digest, would not fit. */
function formatDetail(label: string, text: string, { style, width }: { readonly style: Style; readonly width: number }): string[] {
  const start = `${' '.repeat(DETAIL_INDENT)}${style.faint(label.padEnd(LABEL))}`;
  const beside = wrap(text, width - DETAIL_INDENT - LABEL);
  if (beside.every(line => line.length <= width - DETAIL_INDENT - LABEL)) return beside.map((line, at) => (at === 0 ? `${start}${line}` : `${' '.repeat(DETAIL_INDENT + LABEL)}${line}`));
  return [start.trimEnd(), ...wrap(text, width - DETAIL_INDENT - 2).map(line => `${' '.repeat(DETAIL_INDENT + 2)}${line}`)];
}
