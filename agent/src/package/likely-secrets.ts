/** Something that looks like a secret, by where it is. The value itself goes nowhere. */
export interface LikelySecret {
  readonly path: string;
  readonly kind: string;
  /** `line 3`, `cell 2`; absent where the file's name alone gives it away. */
  readonly where?: string;
}

/** Text of a file, in pieces that a person can find again. */
export interface TextPiece {
  readonly where: string;
  readonly text: string;
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)id_(rsa|dsa|ecdsa|ed25519)$/, 'an SSH key, by its name'],
  [/\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk)$/i, 'a key store, by its name'],
  [/\.env$/i, 'an environment file, by its name'],
  [/(^|\/)(credentials|secrets?|service[-_]account)[^/]*\.(json|ya?ml|toml|ini|txt|cfg)$/i, 'credentials, by its name'],
  [/(^|\/)(netrc|pgpass|htpasswd)$/i, 'credentials, by its name']
];

interface Pattern {
  readonly test: (text: string) => boolean;
}

const CONTENTS: readonly (readonly [Pattern, string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY( BLOCK)?-----/, 'a private key'],
  [/\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{20}/, 'an age identity'],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, 'an AWS access key id'],
  [/\baws_?secret_?access_?key\b["']?\s{0,4}[=:]/i, 'an AWS secret key'],
  [/\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20}/, 'a GitLab token'],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10}/, 'a Slack token'],
  [/\bhf_[A-Za-z0-9]{30}/, 'a Hugging Face token'],
  [/\bsk-(ant-|proj-)?[A-Za-z0-9_-]{20}/, 'an API key'],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, 'a Google API key'],
  [{ test: holdsJwt }, 'a signed token (JWT)'],
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"']{1,100}:[^\s/:@"'{}$]{3,100}@/i, 'a password in a URL'],
  [/\b(passwo?rd|passwd|secret|api_?key|access_?token|auth_?token)\b["']?\s{0,4}[=:]\s{0,4}["'][^"'\s{}$<>]{8,200}["']/i, 'a password or key in plain text']
];

/**
 * Three parts with dots between, two of which are JSON objects in base64url. Each character is looked at a fixed number of
 * times: one expression for all of it starts anew at every `eyJ`, which hostile text can have without end.
 */
function holdsJwt(text: string): boolean {
  for (const [run] of text.matchAll(/[A-Za-z0-9_.-]+/g)) {
    const parts = run.split('.');
    for (let at = 0; at + 2 < parts.length; at += 1) {
      const [header = '', payload = '', signature = ''] = parts.slice(at, at + 3);
      const start = header.search(/\beyJ/);
      if (start >= 0 && header.length - start >= 19 && /^eyJ.{8}/.test(payload) && signature.length >= 8) return true;
    }
  }
  return false;
}

/** What looks like a secret in one file: a warning, since only a person can tell. One line for each place and kind. */
export function findLikelySecrets(path: string, pieces: readonly TextPiece[]): LikelySecret[] {
  const byName = NAMES.filter(([pattern]) => pattern.test(path)).map(([, kind]) => ({ path, kind }));
  const byContent = pieces.flatMap(({ where, text }) =>
    CONTENTS.filter(([pattern]) => pattern.test(text)).map(([, kind]) => ({ path, kind, where }))
  );
  return [...byName.slice(0, 1), ...byContent.slice(0, 20)];
}

/** A text file by its lines. A file with NUL bytes is not text; a very long line is cut, since no secret is that long. */
export function linesOf(content: Uint8Array): TextPiece[] {
  if (content.includes(0)) return [];
  return Buffer.from(content.buffer, content.byteOffset, content.length)
    .toString('latin1')
    .split('\n')
    .map((line, at) => ({ where: `line ${at + 1}`, text: line.slice(0, 20_000) }));
}
