/** What is not seen, or changes how other text looks: controls, marks of direction and width, separators, halves of pairs, private use, unassigned, fillers. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** Marks that pile up above and below their letter, more than any language needs. */
const PILED_MARKS = /(\p{M}{4})\p{M}+/gu;

/** A stranger's text with everything unseen written out: `\n` as `U+000A`. It is still hostile: put it into the page as text only. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, written).replace(PILED_MARKS, '$1…');
}

/** As `visibleText`, but line ends stay: for text that this page itself laid out in lines. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visibleText).join('\n');
}

/** As `visibleText`, cut for a single line. @param longest characters, as people count them */
export function visibleLine(text: string, longest = 300): string {
  const all = Array.from(visibleText(text.slice(0, 4 * longest)));
  return all.length <= longest && text.length <= 4 * longest ? all.join('') : `${all.slice(0, longest).join('')}…`;
}

function written(unseen: string): string {
  return `U+${(unseen.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
