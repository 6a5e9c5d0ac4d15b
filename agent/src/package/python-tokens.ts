/** As much of Python's lexical grammar as is needed to find imports, calls and literal names. */
export type PythonToken =
  | { readonly kind: 'name'; readonly text: string; readonly line: number }
  | { readonly kind: 'operator'; readonly text: string; readonly line: number }
  /** `value` is absent where it is computed (f-string) or not text (bytes) or holds escapes, which no name here has. */
  | { readonly kind: 'string'; readonly value: string | undefined; readonly text: string; readonly line: number }
  /** End of a logical line: not within brackets. */
  | { readonly kind: 'end'; readonly text: ''; readonly line: number };

const BLANK = /(?:[ \t\f\r]|\\\r?\n|#[^\n]*)+/y;
const STRING_START = /([A-Za-z]{0,2})('''|"""|'|")/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /\d[\w.]*/y;

/** Never fails: what is not Python gives tokens that match nothing. */
export function tokenizePython(source: string): PythonToken[] {
  const tokens: PythonToken[] = [];
  let at = 0;
  let depth = 0;
  let line = 1;
  const advance = (length: number): string => {
    const text = source.slice(at, at + length);
    line += text.split('\n').length - 1;
    at += length;
    return text;
  };
  while (at < source.length) {
    const here = line;
    const skipped = match(BLANK, source, at);
    if (skipped !== undefined) {
      advance(skipped[0].length);
      continue;
    }
    const start = match(STRING_START, source, at);
    if (start !== undefined && /^(|[rbfu]|rb|br|rf|fr|tr|rt|t)$/i.test(start[1] ?? '')) {
      const text = advance(stringLength(source, at, start));
      tokens.push({ kind: 'string', value: literalOf(text, start), text, line: here });
      continue;
    }
    const name = match(NAME, source, at);
    if (name !== undefined) {
      tokens.push({ kind: 'name', text: advance(name[0].length), line: here });
      continue;
    }
    const text = advance(match(NUMBER, source, at)?.[0].length ?? 1);
    if (text === '\n') {
      if (depth === 0) tokens.push({ kind: 'end', text: '', line: here });
      continue;
    }
    if ('([{'.includes(text)) depth += 1;
    if (')]}'.includes(text)) depth = Math.max(0, depth - 1);
    tokens.push({ kind: 'operator', text, line: here });
  }
  tokens.push({ kind: 'end', text: '', line });
  return tokens;
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source) ?? undefined;
}

/** Length of the string literal that starts at `at`; one that is not closed ends with its line, or the text. */
function stringLength(source: string, at: number, start: RegExpExecArray): number {
  const quote = start[2] ?? '"';
  let end = at + start[0].length;
  while (end < source.length) {
    if (source[end] === '\\') end += 2;
    else if (source.startsWith(quote, end)) return end + quote.length - at;
    else if (quote.length === 1 && source[end] === '\n') return end - at;
    else end += 1;
  }
  return source.length - at;
}

function literalOf(text: string, start: RegExpExecArray): string | undefined {
  const prefix = (start[1] ?? '').toLowerCase();
  const quote = start[2] ?? '"';
  const body = text.slice(start[0].length, text.endsWith(quote) ? -quote.length : undefined);
  return /[bft]/.test(prefix) || body.includes('\\') ? undefined : body;
}
