import type { Json, ReportDifference, Verdict } from '@cloister/protocol';
import { printableLine } from '../terminal/printable.js';
import type { Style } from '../terminal/style.js';
import { indent, wrap } from '../terminal/wrap.js';
import { valueInWords } from './value-in-words.js';

export interface DifferencesOptions {
  readonly style: Style;
  readonly width: number;
}

/** What differs, section by section; what nobody can tell; and in one line what is the same. */
export function formatDifferences(found: readonly ReportDifference[], options: DifferencesOptions): string {
  const { style, width } = options;
  const different = found.filter(item => item.status === 'different');
  const unknown = found.filter(item => item.status === 'unknown');
  const same = found.filter(item => item.status === 'same').map(({ section }) => section);
  const rows = different.flatMap(({ section, what, a, b }) => [
    `  ${style.strong(section)}${what === section ? '' : `: ${printableLine(what)}`}`,
    ...sideOf('a', a, options),
    ...sideOf('b', b, options)
  ]);
  return [
    style.strong(different.length === 0 ? 'Nothing differs that can be compared.' : 'They differ in'),
    ...rows,
    ...(unknown.length === 0 ? [] : ['', style.strong('Nobody can tell')]),
    ...unknown.flatMap(({ section, what }) => [`  ${style.strong(section)}`, style.faint(indent(printableLine(what), 4, width))]),
    '',
    style.strong('The same'),
    indent(same.length === 0 ? 'nothing' : same.join(', '), 2, width)
  ].join('\n');
}

/** A digest fits behind its letter in 80 columns. */
function sideOf(name: string, value: Json, { style, width }: DifferencesOptions): string[] {
  return wrap(valueInWords(value), width - 7).map((part, at) => `    ${style.faint(at === 0 ? name : ' ')}  ${part}`);
}

/** What a comparison is worth: no more than the worse of the two reports. */
export function worthOf(verdicts: readonly Verdict[]): string | undefined {
  if (verdicts.includes('failed')) return 'At least one of them does not verify. Whoever forged it chose what it says, so this comparison is worth nothing.';
  if (verdicts.includes('inconclusive')) return 'At least one of them could not be checked, so this comparison is worth nothing yet. `cloister verify` says what is missing.';
  if (verdicts.includes('simulated')) return 'A simulator vouches for at least one of them, and whoever runs it could have written anything.';
  return undefined;
}
