/** What JSON may carry as it stands, and a terminal or a reader must not see so: C1 controls, marks of direction, what has no width or no meaning. */
const UNSEEN = /[\u007f-\u009f\u115f\u1160\u3164\uffa0\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A value as JSON for people and programs: the same value, with everything unseen as `\uXXXX`. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(UNSEEN, escaped);
}

/** By halves of a surrogate pair: JSON has no other form (RFC 8259 section 7). */
function escaped(unseen: string): string {
  return Array.from({ length: unseen.length }, (_, at) => `\\u${unseen.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}
