import type { Random } from './random.js';

/** One small change of a text or of bytes. */
export interface Edit<T> {
  readonly kind: string;
  readonly place: number;
  readonly result: T;
}

/** Of the alphabets that tokens are written in, and what forgiving parsers skip. */
const CHARACTERS = Array.from('ABCXYZabcxyz0189-_+/=. \n\t\r\0"{}\\,:%é\u200b');
const KINDS = ['changed', 'dropped', 'doubled', 'inserted', 'exchanged'] as const;

/** So many edits of a text, at places that the generator picks, and at its ends and dots. */
export function editsOfText(text: string, count: number, random: Random): Edit<string>[] {
  const edges = Array.from(text).flatMap((char, at) => (char === '.' || at === 0 || at === text.length - 1 ? [at] : []));
  const places = [...edges.slice(0, 8), ...Array.from({ length: count }, () => random.below(text.length))];
  return places.map(place => {
    const [kind, char] = [random.pick(KINDS), random.pick(CHARACTERS)];
    return { kind: `${kind} (${JSON.stringify(char)})`, place, result: edited(text, { kind, place, char }) };
  }).filter(({ result }) => result !== text);
}

function edited(text: string, { kind, place, char }: { readonly kind: (typeof KINDS)[number]; readonly place: number; readonly char: string }): string {
  const [before, here, after] = [text.slice(0, place), text.charAt(place), text.slice(place + 1)];
  switch (kind) {
    case 'changed':
      return before + (char === here ? 'Q' : char) + after;
    case 'dropped':
      return before + after;
    case 'doubled':
      return before + here + here + after;
    case 'inserted':
      return before + char + here + after;
    case 'exchanged':
      return before + after.slice(0, 1) + here + after.slice(1);
  }
}

/** One edit of every tag and length of DER (X.690), and so many of other bytes. */
export function editsOfDer(der: Uint8Array, count: number, random: Random): Edit<Uint8Array>[] {
  const heads = headsOf(der, 0, der.length);
  const changedHeads = heads.flatMap(({ tag, length }) => [flipped(der, tag, 1 << random.below(8), 'tag'), ...length.map(at => flipped(der, at, 1 << random.below(8), 'length'))]);
  const bits = Array.from({ length: count }, () => flipped(der, random.below(der.length), 1 << random.below(8), 'bit'));
  const others = Array.from({ length: Math.ceil(count / 4) }, (): Edit<Uint8Array>[] => {
    const place = random.below(der.length);
    return [
      { kind: 'byte dropped', place, result: Uint8Array.from([...der.subarray(0, place), ...der.subarray(place + 1)]) },
      { kind: 'byte inserted', place, result: Uint8Array.from([...der.subarray(0, place), random.below(256), ...der.subarray(place)]) },
      { kind: 'cut', place, result: der.slice(0, place) }
    ];
  });
  return [...changedHeads, ...bits, ...others.flat()];
}

function flipped(bytes: Uint8Array, place: number, mask: number, kind: string): Edit<Uint8Array> {
  return { kind, place, result: bytes.with(place, (bytes[place] ?? 0) ^ mask) };
}

interface Head {
  readonly tag: number;
  readonly length: readonly number[];
}

const CONSTRUCTED = 0x20;

/** Where tags and lengths lie, those of nested values too. */
function headsOf(der: Uint8Array, start: number, end: number): Head[] {
  const heads: Head[] = [];
  for (let at = start; at < end; ) {
    const first = der[at + 1] ?? 0;
    const more = first & 0x80 ? first & 0x7f : 0;
    const length = Array.from({ length: 1 + more }, (_, n) => at + 1 + n);
    const size = more === 0 ? first : length.slice(1).reduce((sum, place) => sum * 256 + (der[place] ?? 0), 0);
    const content = at + 2 + more;
    heads.push({ tag: at, length }, ...((der[at] ?? 0) & CONSTRUCTED ? headsOf(der, content, content + size) : []));
    at = content + size;
  }
  return heads;
}
