import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import {
  AppError,
  digestOf,
  jcsBytes,
  outputCommitment,
  randomBytes,
  sealBytes,
  sha256Bytes,
  toBase64Url,
  type AgeRecipient,
  type Bytes32,
  type Digest,
  type OutputIndex
} from '@cloister/protocol';
import { createFile, sealStream, writeAll } from '@cloister/sealing';
import type { PendingOutput } from './collect-outputs.js';

/** A sealed output on disk, ready to be sent. */
export interface SealedOutput {
  readonly entry: OutputIndex['outputs'][number];
  /** `H("cloister/output/v1", salt || SHA-256(plaintext))`: says nothing of the plaintext to who lacks the salt. */
  readonly commitment: Bytes32;
  /** Of the sealed file. */
  readonly digest: Digest;
  readonly size: number;
}

const READ_BYTES = 1024 * 1024;

/**
 * Seals one output to the recipients that the analyst signed. Digest and commitment are of the very bytes that passed, read
 * through one descriptor, so nothing can be hashed in one state and sealed in another.
 * @throws AppError storage_full | output_refused
 */
export async function sealOutput(
  output: PendingOutput,
  { number, recipients, destination }: { readonly number: number; readonly recipients: readonly AgeRecipient[]; readonly destination: string }
): Promise<SealedOutput> {
  const { stream, done, fileKey } = await sealStream(contentOf(output), recipients);
  await createFile(destination, handle => writeAll(handle, stream));
  fileKey.fill(0);
  const sealed = await done;
  if (sealed.plaintextSize !== output.size) throw new AppError('output_refused', `${output.path} changed while it was sealed`);
  const salt = randomBytes(32);
  const plaintextHash = Buffer.from(sealed.plaintextDigest.slice('sha256:'.length), 'hex');
  return {
    entry: { subject: `output/${number}`, path: output.path, kind: output.kind, mediaType: output.mediaType, size: output.size, salt: toBase64Url(salt) },
    commitment: outputCommitment(salt, plaintextHash),
    digest: sealed.digest,
    size: sealed.size
  };
}

async function* contentOf({ content, path }: PendingOutput): AsyncGenerator<Uint8Array, undefined> {
  if ('bytes' in content) {
    yield content.bytes;
    return undefined;
  }
  // No link is followed and a FIFO does not block; what was opened is then looked at, not its name.
  const handle = await open(content.hostPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new AppError('output_refused', `${path} cannot be read`, { cause });
  });
  try {
    yield* piecesOf(handle, path);
  } finally {
    await handle.close();
  }
  return undefined;
}

async function* piecesOf(handle: FileHandle, path: string): AsyncGenerator<Uint8Array, undefined> {
  const stat = await handle.stat();
  if (!stat.isFile() || stat.nlink !== 1) throw new AppError('output_refused', `${path} is not a regular file of one name`);
  for (;;) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, null);
    if (bytesRead === 0) return undefined;
    yield buffer.subarray(0, bytesRead);
  }
}

export interface SealedIndex {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
  readonly commitment: Bytes32;
}

/** The names of outputs and the salts of their commitments: for the analyst's eyes, so sealed as the outputs are. */
export async function sealIndex(index: Omit<OutputIndex, 'v' | 'salt'>, recipients: readonly AgeRecipient[]): Promise<SealedIndex> {
  const salt = randomBytes(32);
  const whole: OutputIndex = { v: 1, salt: toBase64Url(salt), ...index };
  const plaintext = jcsBytes(whole);
  const bytes = await sealBytes(plaintext, recipients);
  return { bytes, digest: digestOf(bytes), commitment: outputCommitment(salt, sha256Bytes(plaintext)) };
}
