import * as z from 'zod/mini';
import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { digestOf, digestOfJson, labelledHash } from '../bytes/digest.js';
import { jcsBytes, parseJcs } from '../bytes/jcs.js';
import { compareUtf8, concatBytes, equalBytes, toUtf8 } from '../bytes/text.js';
import { Environment } from './policy.js';
import { Bytes32, Count, Digest, ShortText } from './primitives.js';

/** Largest bundle, opened: 64 MiB. Large files are assets. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/**
 * A path inside a bundle: relative, `/` between names, NFC, no dot segments, no control, invisible or
 * direction-changing characters, no backslash or colon, so that it means one place on every file system.
 */
export const BundlePath = z.string().check(z.refine(isBundlePath, 'not a path that means one place everywhere'));

const MAX_PATH_CHARS = 512;
// Controls, separators of lines, characters that no screen shows or that turn the direction of text.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}\\:]/u;

/** Length first: normalising long hostile text takes quadratic time. */
function isBundlePath(path: string): boolean {
  if (path === '' || path.length > MAX_PATH_CHARS || !path.isWellFormed() || path !== path.normalize('NFC')) return false;
  return !UNSAFE.test(path) && path.split('/').every(name => name !== '' && name !== '.' && name !== '..' && toUtf8(name).length <= 255);
}

/** One file of a bundle; `size` in bytes, `digest` of its content. */
export const BundleFile = z.strictObject({ path: BundlePath, size: Count, digest: Digest });
export type BundleFile = z.infer<typeof BundleFile>;

const Files = z.array(BundleFile).check(
  z.minLength(1),
  z.maxLength(4096),
  z.refine(files => files.every((file, at) => at === 0 || compareUtf8(files[at - 1]?.path ?? '', file.path) < 0), 'sorted by bytes of path'),
  z.refine(files => new Set(files.map(file => file.path.toLowerCase())).size === files.length, 'paths differ by more than case'),
  z.refine(files => !holdsFileAsFolder(files.map(file => file.path)), 'no path is both a file and a folder')
);

function holdsFileAsFolder(paths: readonly string[]): boolean {
  const files = new Set(paths);
  return paths.some(path => path.split('/').some((_, at, names) => at > 0 && files.has(names.slice(0, at).join('/'))));
}

/** What `code.digest` is the digest of: what an owner approves. */
export const CodeListing = z.strictObject({ v: z.literal(1), entry: BundlePath, files: Files });
export type CodeListing = z.infer<typeof CodeListing>;

/** Parameters that the notebook is run with, by name. Version 1 passes none to the kernel. */
export const Parameters = z.record(z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/)), z.json());

/** The first line of a bundle, in RFC 8785 form (docs/protocol.md, section 4). */
export const BundleHeader = z.strictObject({
  v: z.literal(1),
  entry: BundlePath,
  files: Files,
  environment: Environment,
  parameters: Parameters,
  purpose: ShortText,
  /** 32 random bytes, so that the commitment in the manifest does not give away a guessable purpose. */
  salt: Bytes32,
  /** Wall-clock seconds that the notebook may run. */
  timeoutSeconds: z.int().check(z.gte(1), z.lte(7 * 24 * 3600))
});
export type BundleHeader = z.infer<typeof BundleHeader>;

/** A bundle in memory. */
export interface Bundle {
  readonly header: BundleHeader;
  /** Content by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * The bundle's bytes: the header in RFC 8785 form, a line feed, then the files' bytes one after another in the
 * header's order. No archive format, so no links, devices, modes, duplicate entries or compression to abuse.
 */
export function encodeBundle(bundle: Bundle): Uint8Array<ArrayBuffer> {
  const parts = bundle.header.files.map(file => {
    const content = bundle.files.get(file.path);
    if (content === undefined) throw new AppError('bundle_invalid', `no content for ${file.path}`);
    return content;
  });
  return concatBytes(jcsBytes(bundle.header), toUtf8('\n'), ...parts);
}

/**
 * Opens and checks a bundle: canonical header, every size and digest, nothing after the last file.
 * @throws AppError bundle_invalid | bundle_too_large | digest_mismatch
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > MAX_BUNDLE_BYTES) throw new AppError('bundle_too_large', `over ${MAX_BUNDLE_BYTES} bytes`);
  const end = bytes.indexOf(0x0a);
  if (end < 0) throw new AppError('bundle_invalid', 'the bundle has no header');
  const parsed = BundleHeader.safeParse(parseHeader(bytes.subarray(0, end)));
  if (!parsed.success) throw new AppError('bundle_invalid', 'the header of the bundle is not well formed', { cause: parsed.error });
  const header = parsed.data;
  const files = new Map<string, Uint8Array>();
  let at = end + 1;
  for (const file of header.files) {
    const content = bytes.subarray(at, at + file.size);
    if (content.length !== file.size) throw new AppError('bundle_invalid', 'the bundle is cut short');
    if (digestOf(content) !== file.digest) throw new AppError('digest_mismatch', `${file.path} is not what the bundle lists`);
    files.set(file.path, content);
    at += file.size;
  }
  if (at !== bytes.length) throw new AppError('bundle_invalid', 'bytes after the last file');
  if (!files.has(header.entry)) throw new AppError('bundle_invalid', 'the notebook to run is not in the bundle');
  return { header, files };
}

function parseHeader(bytes: Uint8Array): unknown {
  try {
    return parseJcs(bytes);
  } catch (cause) {
    throw new AppError('bundle_invalid', 'the header of the bundle is not canonical JSON', { cause });
  }
}

/** Digest of the code that an owner approves: entry and files, without parameters, purpose or limits. */
export function codeDigest(header: Pick<BundleHeader, 'entry' | 'files'>): Digest {
  return digestOfJson({ v: 1, entry: header.entry, files: header.files });
}

/** `H("cloister/parameters/v1", salt || JCS{parameters, purpose})`. */
export function parametersCommitment(header: Pick<BundleHeader, 'salt' | 'parameters' | 'purpose'>): Bytes32 {
  return labelledHash(
    'cloister/parameters/v1',
    fromBase64Url(header.salt),
    jcsBytes({ parameters: header.parameters, purpose: header.purpose })
  );
}

/** That an opened bundle is the one a manifest commits to. @throws AppError digest_mismatch */
export function requireBundleAgrees(
  bundle: Bundle,
  code: { readonly digest: Digest; readonly environment: string; readonly parameters: Bytes32 }
): void {
  const agrees =
    codeDigest(bundle.header) === code.digest &&
    bundle.header.environment === code.environment &&
    equalBytes(toUtf8(parametersCommitment(bundle.header)), toUtf8(code.parameters));
  if (!agrees) throw new AppError('digest_mismatch', 'the bundle is not the one that the manifest commits to');
}
