import { sealStream } from '@cloister/sealing';
import {
  MAX_BUNDLE_BYTES,
  WrappedCode,
  codeDigest,
  collect,
  encodeBundle,
  jcsBytes,
  parametersCommitment,
  randomBytes,
  sealBytes,
  toBase64Url,
  type AgeRecipient,
  type Bundle,
  type BundleHeader,
  type Bytes32,
  type Digest,
  type Thumbprint
} from '@cloister/protocol';
import type { Package } from '../package/package-notebook.js';

export interface RunTerms {
  /** Shown to owners who approve the code; committed to, never in the clear. */
  readonly purpose: string;
  readonly timeoutSeconds: number;
}

export interface SealedBundle {
  readonly header: BundleHeader;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** Opens the bundle. It leaves this process only wrapped for custodians. */
  readonly fileKey: Uint8Array;
  readonly code: Digest;
  readonly parameters: Bytes32;
}

/** The bundle as one age file to the analyst alone. */
export async function sealBundle(made: Package, terms: RunTerms, recipient: AgeRecipient): Promise<SealedBundle> {
  const header: BundleHeader = {
    v: 1,
    entry: made.entry,
    files: made.files.map(({ path, size, digest }) => ({ path, size, digest })),
    environment: 'image',
    parameters: {},
    purpose: terms.purpose,
    salt: toBase64Url(randomBytes(32)),
    timeoutSeconds: terms.timeoutSeconds
  };
  const bundle: Bundle = { header, files: made.contents };
  const sealing = await sealStream(once(encodeBundle(bundle)), [recipient]);
  const bytes = await collect(sealing.stream, 2 * MAX_BUNDLE_BYTES);
  const { digest } = await sealing.done;
  return { header, bytes, digest, fileKey: sealing.fileKey, code: codeDigest(header), parameters: parametersCommitment(header) };
}

/** The file key for one code custodian. It names analyst and bundle, so that a copy in another manifest opens nothing. */
export async function wrapCode(bundle: Pick<SealedBundle, 'digest' | 'fileKey'>, analyst: Thumbprint, recipient: AgeRecipient): Promise<string> {
  const wrapped: WrappedCode = { v: 1, purpose: 'cloister/code/v1', analyst, bundle: bundle.digest, fileKey: toBase64Url(bundle.fileKey) };
  return toBase64Url(await sealBytes(jcsBytes(wrapped), [recipient]));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
