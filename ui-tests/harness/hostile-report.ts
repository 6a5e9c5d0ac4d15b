import * as z from 'zod/mini';

/** Runs where a page takes it for anything but text. */
const MARKUP = '<img src=x onerror="window.cloisterHacked=1"><script>window.cloisterHacked=1</script><iframe srcdoc="<script>top.cloisterHacked=1</script>"></iframe>';
const BIDI = '\u202Egnp.evil\u2066';
const HUGE = `<b>${'A'.repeat(1_000_000)}</b>`;

/** What a stranger puts into every text of a report, in turn. */
const POISONS = [MARKUP, `javascript:window.cloisterHacked=1//${MARKUP}`, `${BIDI}${MARKUP}`];

const Payload = z.record(z.string(), z.unknown());

/** Every text replaced, at every depth, also in what the report carries signed or encoded; keys and shape stay. */
export function poisonReport(text: string): string {
  const report = Payload.parse(JSON.parse(text));
  const statement = typeof report['statement'] === 'string' ? encode(poison(decode(report['statement'], 'base64'), 0), 'base64') : MARKUP;
  const tokens = Array.isArray(report['tokens']) ? report['tokens'].map(poisonJws) : [];
  const signed = Object.fromEntries(Object.entries(report).filter(([name]) => !['v', 'statement', 'tokens'].includes(name)).map(([name, value]) => [name, poisonSigned(value)]));
  return JSON.stringify({ ...report, ...signed, statement, tokens });
}

/** The same shape with every text poisoned in the clear: no part of it can be decoded. */
export function poisonPlainly(text: string): string {
  return JSON.stringify(poison(JSON.parse(text), 0));
}

/** One member is a text of a million letters, another a thousand levels deep, and thousands of things are listed. */
export function swellReport(text: string): string {
  const report = Payload.parse(JSON.parse(text));
  const descriptors = z.array(z.unknown()).parse(report['descriptors']);
  const many = Array.from({ length: 2_000 }, (_, at): unknown => descriptors[at % descriptors.length]);
  const deep = `${'['.repeat(1_000)}${']'.repeat(1_000)}`;
  const swollen = JSON.stringify({ ...report, descriptors: many, session: HUGE });
  return `${swollen.slice(0, -1)},"__proto__":{"cloisterHacked":1},"deep":${deep}}`;
}

const mapMembers = (value: object, change: (item: unknown) => unknown): object => Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item)]));

let turn = 0;

function poison(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    turn += 1;
    return POISONS[turn % POISONS.length];
  }
  if (Array.isArray(value)) return value.map((item: unknown) => poison(item, depth + 1));
  if (typeof value === 'object' && value !== null) return mapMembers(value, item => poison(item, depth + 1));
  return value;
}

/** A compact JWS keeps its header, so that it is still read as one; what it says is poison. */
function poisonJws(jws: unknown): unknown {
  const [header, payload, signature] = typeof jws === 'string' ? jws.split('.') : [];
  if (header === undefined || payload === undefined || signature === undefined) return MARKUP;
  return [header, encode(poison(decode(payload, 'base64url'), 0), 'base64url'), signature].join('.');
}

function poisonSigned(value: unknown): unknown {
  if (typeof value === 'string') return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(value) ? poisonJws(value) : MARKUP;
  if (Array.isArray(value)) return value.map(poisonSigned);
  if (typeof value === 'object' && value !== null) return mapMembers(value, poisonSigned);
  return value;
}

function decode(text: string, encoding: 'base64' | 'base64url'): unknown {
  const value: unknown = JSON.parse(Buffer.from(text, encoding).toString('utf8'));
  return value;
}

const encode = (value: unknown, encoding: 'base64' | 'base64url'): string => Buffer.from(JSON.stringify(value)).toString(encoding);
