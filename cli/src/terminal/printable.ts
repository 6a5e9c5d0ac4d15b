import { visibleText } from '@cloister/protocol';

/**
 * Text of somebody else, made harmless for a terminal. Tracebacks, file names and an operator's words come from where
 * hostile code runs: an escape sequence in them could repaint a verdict. What is not seen is written out, as on the pages;
 * line feeds and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(/[^\n\t]+/g, part => visibleText(part));
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}
