import type { Equivocation, ReportDifference } from '@cloister/protocol';
import { printableLine } from '../terminal/printable.js';
import type { Style } from '../terminal/style.js';
import { indent, wrap } from '../terminal/wrap.js';

export interface EquivocationOptions {
  readonly style: Style;
  readonly width: number;
}

/** Reports that cannot all be true: which, and in what they differ. */
export function formatEquivocation(found: readonly Equivocation[], { style, width }: EquivocationOptions): string {
  const heading = wrap('CONTRADICTION: these reports cannot all be true. At least one of them is a lie; where one failed above, it is likely that one.', width).map(line => style.bad(line));
  const parts = found.flatMap(({ what, reports, differences }) => [
    indent(printableLine(what), 2, width),
    ...reports.map(report => `    ${printableLine(report)}`),
    ...differences.map(({ found: each }) => style.faint(indent(`they differ in: ${sectionsOf(each)}`, 4, width)))
  ]);
  return [...heading, ...parts].join('\n');
}

function sectionsOf(found: readonly ReportDifference[]): string {
  return [...new Set(found.filter(({ status }) => status === 'different').map(({ section }) => section))].join(', ') || 'nothing that can be told without opening the outputs';
}
