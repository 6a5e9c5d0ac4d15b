/** The longest text of a stranger that is shown at once, in characters; what is longer is folded. */
export const LONGEST_SHOWN = 300;

/**
 * Characters that are not seen, or change how others look: controls (Cc), marks of direction and width (Cf), line and paragraph
 * separators, halves of a surrogate pair, private use, unassigned. Also fillers that look like a blank.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** A run of marks that pile up above and below their letter, longer than any language needs. */
const PILED_MARKS = /(\p{M}{4})\p{M}+/gu;

/**
 * A stranger's text with everything unseen written out: `\n` as `U+000A`. It is still hostile: put it into a page as text only.
 * Takes time linear in its length.
 */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, written).replace(PILED_MARKS, '$1…');
}

/** As `visibleText`, cut for a single line; of a longer text only the beginning is looked at. @param longest characters, as people count them */
export function visibleLine(text: string, longest: number = LONGEST_SHOWN): string {
  const most = 4 * longest;
  const { start, rest } = splitVisible(text.slice(0, most), longest);
  return rest === '' && text.length <= most ? start : `${start}…`;
}

/** The visible text in two: what is shown at once, and what comes after it; empty where nothing does. Not cut inside a character. */
export function splitVisible(text: string, longest: number = LONGEST_SHOWN): { readonly start: string; readonly rest: string } {
  const all = Array.from(visibleText(text));
  return { start: all.slice(0, longest).join(''), rest: all.slice(longest).join('') };
}

function written(unseen: string): string {
  return `U+${(unseen.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
