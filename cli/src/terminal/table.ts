export type Align = 'left' | 'right';

/** A cell: its text, and how that is coloured once it is padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface TableOptions {
  readonly head?: readonly string[];
  readonly align?: readonly Align[];
  readonly indent?: number;
}

/** Columns as wide as their widest cell, two blanks apart. Padding is counted before colouring. */
export function formatTable(rows: readonly (readonly (Cell | string)[])[], { head, align = [], indent = 0 }: TableOptions = {}): string {
  const all = [...(head === undefined ? [] : [head]), ...rows].map(row => row.map(cell => (typeof cell === 'string' ? { text: cell } : cell)));
  const columns = Math.max(0, ...all.map(row => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...all.map(row => widthOf(row[at]?.text ?? ''))));
  return all.map(row => `${' '.repeat(indent)}${row.map((cell, at) => formatCell(cell, { width: widths[at] ?? 0, align: align[at] ?? 'left', last: at === row.length - 1 })).join('  ')}`.trimEnd()).join('\n');
}

function formatCell(cell: Cell, { width, align, last }: { readonly width: number; readonly align: Align; readonly last: boolean }): string {
  const gap = ' '.repeat(Math.max(0, width - widthOf(cell.text)));
  const text = cell.paint === undefined ? cell.text : cell.paint(cell.text);
  if (align === 'right') return `${gap}${text}`;
  return last ? text : `${text}${gap}`;
}

/** By characters, not UTF-16 units. */
const widthOf = (text: string): number => Array.from(text).length;
