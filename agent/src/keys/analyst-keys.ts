import { dirname } from 'node:path';
import * as z from 'zod/mini';
import {
  AppError,
  PrivateJwk,
  createSigningKey,
  generateIdentity,
  jcs,
  parseJson,
  recipientOf,
  signerOf,
  type AgeRecipient,
  type Signer
} from '@cloister/protocol';
import { createPrivateFile, ensurePrivateDirectory, readPrivateFile } from '@cloister/kit';

/** The key file. One file, so that a signing key and an identity are never of two different analysts. */
export const KeyFile = z.strictObject({
  v: z.literal(1),
  signing: PrivateJwk,
  identity: z.string().check(z.regex(/^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/))
});
export type KeyFile = z.infer<typeof KeyFile>;

/** The analyst, as the rest of the agent sees her. */
export interface AnalystKeys {
  readonly signer: Signer;
  /** Where bundles and outputs are sealed to. */
  readonly recipient: AgeRecipient;
  /** `AGE-SECRET-KEY-1…`. It goes into opening functions and nowhere else. */
  readonly identity: string;
}

/**
 * The analyst's keys, made on first use (mode 0600). Two processes that start at once agree on one pair: the file is
 * made whole or not at all, and who comes second reads it.
 * @throws AppError key_unsafe | invalid_object
 */
export async function openKeys(path: string): Promise<AnalystKeys> {
  try {
    return await readKeys(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await ensurePrivateDirectory(dirname(path));
  const fresh = KeyFile.parse({ v: 1, signing: await createSigningKey(), identity: await generateIdentity() });
  try {
    await createPrivateFile(path, `${jcs(fresh)}\n`);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'file_exists') throw error;
  }
  return readKeys(path);
}

/** @throws AppError key_missing | key_unsafe | invalid_object */
export async function readKeys(path: string): Promise<AnalystKeys> {
  const { signing, identity } = parseKeyFile(await readPrivateFile(path));
  return { signer: await signerOf(signing), recipient: await recipientOf(identity), identity };
}

/** @throws AppError invalid_object */
export function parseKeyFile(bytes: Uint8Array): KeyFile {
  const parsed = KeyFile.safeParse(parseOrNull(bytes));
  // Without the cause: it would carry what the file holds.
  if (!parsed.success) throw new AppError('invalid_object', 'the key file is not well formed', { hint: 'Restore it from your backup: `cloister keys restore`.' });
  return parsed.data;
}

function parseOrNull(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch {
    return null;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof AppError && error.code === 'key_missing';
}
