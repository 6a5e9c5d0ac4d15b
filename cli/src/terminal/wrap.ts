/**
 * Text in lines of at most `width` characters, broken at blanks. A word that is longer, as a digest, is a line of its own and
 * stays whole: a person copies it.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && lengthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** The same, each line behind so many blanks. */
export function indent(text: string, blanks: number, width: number): string {
  return wrap(text, width - blanks).map(line => `${' '.repeat(blanks)}${line}`).join('\n');
}

/** By characters, not UTF-16 units. */
const lengthOf = (text: string): number => Array.from(text).length;
