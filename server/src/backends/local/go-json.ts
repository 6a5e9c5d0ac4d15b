/**
 * JSON as Go's encoding/json Decoder reads it: the first value of a stream, with Go's own error texts, duplicate
 * keys kept in order, invalid UTF-8 and lone surrogates replaced. Runners meet these texts on real hardware, so
 * the simulator must not be kinder or stricter. Never use it where a strict reading is meant.
 */
export type GoNode =
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, GoNode])[] }
  | { readonly kind: 'array'; readonly items: readonly GoNode[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number' | 'bool' | 'null' };

/** Its message is the text of Go's error. */
export class GoJsonError extends Error {}

const MAX_DEPTH = 10_000;
const SPACE = new Set([0x20, 0x09, 0x0d, 0x0a]);
const ESCAPES = new Map([['b', '\b'], ['f', '\f'], ['n', '\n'], ['r', '\r'], ['t', '\t'], ['\\', '\\'], ['/', '/'], ['"', '"']]);

type Container =
  | { kind: 'object'; members: [string, GoNode][]; key: string }
  | { kind: 'array'; items: GoNode[] };

/** @throws GoJsonError with the text that Go's Decoder.Decode gives for these bytes */
export function parseGoJson(bytes: Uint8Array): GoNode {
  return new GoJsonReader(bytes).read();
}

class GoJsonReader {
  private at = 0;
  private readonly open: Container[] = [];
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Iterative, since Go takes 10,000 levels and a recursion here would not. */
  read(): GoNode {
    if (this.bytes.every(byte => SPACE.has(byte))) throw new GoJsonError('EOF');
    for (;;) {
      const begun = this.beginValue();
      if (begun === undefined) continue;
      const complete = this.endValue(begun);
      if (complete !== undefined) return complete;
    }
  }

  /** A finished scalar or empty container; undefined where a container was opened and its first value comes next. */
  private beginValue(): GoNode | undefined {
    const byte = this.nextToken();
    if (byte === 0x7b) {
      const container: Container = { kind: 'object', members: [], key: '' };
      this.push(container, byte);
      if (this.peekToken() === 0x7d) return this.close();
      container.key = this.readKey();
      return undefined;
    }
    if (byte === 0x5b) {
      this.push({ kind: 'array', items: [] }, byte);
      return this.peekToken() === 0x5d ? this.close() : undefined;
    }
    return this.readScalar(byte);
  }

  /** Puts a value into what encloses it; gives the outermost one when it is complete. */
  private endValue(value: GoNode): GoNode | undefined {
    let done = value;
    for (;;) {
      const parent = this.open.at(-1);
      // Go stops at the end of the first value: whatever follows is never looked at.
      if (parent === undefined) return done;
      if (parent.kind === 'object') parent.members.push([parent.key, done]);
      else parent.items.push(done);
      const byte = this.nextToken();
      if (byte === 0x2c) {
        if (parent.kind === 'object') parent.key = this.readKey();
        return undefined;
      }
      if (byte !== (parent.kind === 'object' ? 0x7d : 0x5d)) {
        throw this.invalid(byte, parent.kind === 'object' ? 'after object key:value pair' : 'after array element');
      }
      this.at -= 1;
      done = this.close();
    }
  }

  private push(container: Container, byte: number): void {
    this.open.push(container);
    if (this.open.length > MAX_DEPTH) throw this.invalid(byte, 'exceeded max depth');
  }

  private close(): GoNode {
    this.at += 1;
    const container = this.open.pop();
    if (container === undefined) throw new GoJsonError('unexpected end of JSON input');
    return container.kind === 'object'
      ? { kind: 'object', members: container.members }
      : { kind: 'array', items: container.items };
  }

  private readKey(): string {
    const quote = this.nextToken();
    if (quote !== 0x22) throw this.invalid(quote, 'looking for beginning of object key string');
    const key = this.readString();
    const colon = this.nextToken();
    if (colon !== 0x3a) throw this.invalid(colon, 'after object key');
    return key;
  }

  private readScalar(byte: number): GoNode {
    switch (byte) {
      case 0x22:
        return { kind: 'string', value: this.readString() };
      case 0x74:
        return this.readLiteral('true', 'bool');
      case 0x66:
        return this.readLiteral('false', 'bool');
      case 0x6e:
        return this.readLiteral('null', 'null');
      default:
        if (byte !== 0x2d && !isDigit(byte)) throw this.invalid(byte, 'looking for beginning of value');
        this.readNumber(byte);
        return { kind: 'number' };
    }
  }

  private readLiteral(text: string, kind: 'bool' | 'null'): GoNode {
    for (const char of text.slice(1)) {
      const byte = this.next();
      if (byte !== char.charCodeAt(0)) throw this.invalid(byte, `in literal ${text} (expecting ${quoteByte(char.charCodeAt(0))})`);
    }
    return { kind };
  }

  private readNumber(first: number): void {
    const leading = first === 0x2d ? this.next() : first;
    if (!isDigit(leading)) throw this.invalid(leading, 'in numeric literal');
    if (leading !== 0x30) this.skipDigits();
    if (this.peek() === 0x2e) {
      this.at += 1;
      this.digits('after decimal point in numeric literal');
    }
    if (this.peek() === 0x65 || this.peek() === 0x45) {
      this.at += 1;
      if (this.peek() === 0x2b || this.peek() === 0x2d) this.at += 1;
      this.digits('in exponent of numeric literal');
    }
  }

  private digits(context: string): void {
    const first = this.next();
    if (!isDigit(first)) throw this.invalid(first, context);
    this.skipDigits();
  }

  private skipDigits(): void {
    for (let byte = this.peek(); byte !== undefined && isDigit(byte); byte = this.peek()) this.at += 1;
  }

  private readString(): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let text = '';
    let start = this.at;
    for (;;) {
      const byte = this.next();
      if (byte === 0x22 || byte === 0x5c) {
        text += decoder.decode(this.bytes.subarray(start, this.at - 1));
        if (byte === 0x22) return text.toWellFormed();
        text += this.readEscape();
        start = this.at;
      } else if (byte < 0x20) {
        throw this.invalid(byte, 'in string literal');
      }
    }
  }

  private readEscape(): string {
    const byte = this.next();
    const plain = ESCAPES.get(String.fromCharCode(byte));
    if (plain !== undefined) return plain;
    if (byte !== 0x75) throw this.invalid(byte, 'in string escape code');
    let hex = '';
    for (let digit = 0; digit < 4; digit += 1) {
      const char = this.next();
      if (!/[0-9a-fA-F]/.test(String.fromCharCode(char))) throw this.invalid(char, 'in \\u hexadecimal character escape');
      hex += String.fromCharCode(char);
    }
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  private peek(): number | undefined {
    return this.bytes[this.at];
  }

  private next(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new GoJsonError('unexpected EOF');
    this.at += 1;
    return byte;
  }

  private peekToken(): number {
    const byte = this.nextToken();
    this.at -= 1;
    return byte;
  }

  private nextToken(): number {
    let byte = this.next();
    while (SPACE.has(byte)) byte = this.next();
    return byte;
  }

  private invalid(byte: number, context: string): GoJsonError {
    return new GoJsonError(`invalid character ${quoteByte(byte)} ${context}`);
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** A byte as Go's syntax errors quote it: as the rune of that number, in single quotes. */
function quoteByte(byte: number): string {
  if (byte === 0x27) return "'\\''";
  if (byte === 0x22) return "'\"'";
  return `'${goQuote(String.fromCharCode(byte)).slice(1, -1)}'`;
}

const SHORT_ESCAPES = new Map([
  ['\x07', '\\a'], ['\b', '\\b'], ['\f', '\\f'], ['\n', '\\n'], ['\r', '\\r'], ['\t', '\\t'], ['\v', '\\v'], ['"', '\\"'], ['\\', '\\\\']
]);

/** Text as Go's `%q` writes it. */
export function goQuote(text: string): string {
  const quoted = Array.from(text, char => {
    const short = SHORT_ESCAPES.get(char);
    if (short !== undefined) return short;
    if (/^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return char;
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  return `"${quoted.join('')}"`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}

/** A field name as Go compares it where no name fits exactly: the long s and the Kelvin sign fold to s and k. */
export function foldName(name: string): string {
  return name.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').replace(/[A-Z]/g, char => char.toLowerCase());
}
