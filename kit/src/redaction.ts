/**
 * What may not be in a log: keys, tokens, proofs, bodies, queries. Names catch what is logged as a field, patterns
 * what slips into a text. Both err on the side of silence.
 */
const SECRET_NAME =
  /authorization|cookie|password|passphrase|secret|token|proof|nonce|challenge|share|salt|identity|private|(?:^|[a-z_-])keys?$|^keys?$|^jwk$|^d$|^body$|^query$|^url$|^headers$|^params$|^args$|^argv$|^env$/i;
const SECRET_TEXT: readonly RegExp[] = [
  /AGE-SECRET-KEY-[A-Z0-9-]+/gi,
  // Compact JWS and JWE: base64url of `{"` is eyJ.
  /eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs,
  /\b(?:Bearer|Basic|DPoP) +[A-Za-z0-9._~+/=-]+/gi
];
const CENSORED = '[redacted]';
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MAX_TEXT = 2000;

/** A copy of what is to be logged, without secrets, of bounded depth and size. */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Error) return redactedError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(item => redacted(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MAX_ITEMS)
      .map(([name, member]) => [name, SECRET_NAME.test(name) ? CENSORED : redacted(member, depth + 1)])
  );
}

/** Secrets that have a shape, taken out of a text. */
export function redactedText(text: string): string {
  return SECRET_TEXT.reduce((clean, pattern) => clean.replace(pattern, CENSORED), text);
}

/** Name, code, message, stack and causes; nothing else that libraries hang on their errors (requests, statements). */
function redactedError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    message: redacted(error.message, depth + 1),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: redacted(error.stack, depth + 1) }),
    ...(error.cause === undefined ? {} : { cause: redacted(error.cause, depth + 1) })
  };
}
