import type { Json } from '@cloister/protocol';
import { printableLine } from '../terminal/printable.js';

const MAX_LENGTH = 600;

/** A JSON value for a person, on one line and cut where it is very long: no quotes, so that a digest can be copied. `--json` has it whole. */
export function valueInWords(value: Json): string {
  const line = printableLine(wordsOf(value, ', '));
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH - 1)}…` : line;
}

/** What is within something else is held together by blanks alone. */
function wordsOf(value: Json, separator: string): string {
  if (value === null) return '(nothing)';
  if (typeof value !== 'object') return value === '' ? '(empty)' : String(value);
  const items = Array.isArray(value) ? value.map(item => wordsOf(item, ' ')) : Object.entries(value).map(([name, item]) => `${name}: ${wordsOf(item, ' ')}`);
  return items.length === 0 ? 'none' : items.join(separator);
}
