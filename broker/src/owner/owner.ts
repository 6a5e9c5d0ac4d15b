import { createPrivateFile, ensurePrivateDirectory, readPrivateFile } from '@cloister/kit';
import { AppError, PrivateJwk, createSigningKey, jcs, parseJson, signerOf, type Signer } from '@cloister/protocol';
import { join } from 'node:path';

/** An owner on her own machine: her offline key, and what she has signed with it, in one private directory. */
export interface Owner {
  readonly dir: string;
  readonly signer: Signer;
}

const keyFile = (dir: string): string => join(dir, 'owner.jwk');

/** Makes an owner's key. @throws AppError file_exists where the directory holds one already */
export async function createOwner(dir: string): Promise<Owner> {
  await ensurePrivateDirectory(dir);
  const key = await createSigningKey();
  await createPrivateFile(keyFile(dir), `${jcs(key)}\n`);
  return { dir, signer: await signerOf(key) };
}

/** @throws AppError key_missing | key_unsafe */
export async function openOwner(dir: string): Promise<Owner> {
  const parsed = PrivateJwk.safeParse(parseJson(await readPrivateFile(keyFile(dir))));
  // No cause: a schema error may repeat what it saw.
  if (!parsed.success) throw new AppError('key_missing', `${keyFile(dir)} does not hold an owner’s key`);
  return { dir, signer: await signerOf(parsed.data) };
}
