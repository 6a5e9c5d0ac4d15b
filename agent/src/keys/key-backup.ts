import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import { AppError, type Thumbprint } from '@cloister/protocol';
import { createPrivateFile, ensurePrivateDirectory, readPrivateFile } from '@cloister/kit';
import { parseKeyFile, readKeys } from './analyst-keys.js';

const MIN_PASSPHRASE = 12;
const MAX_BACKUP_BYTES = 64 * 1024;

/**
 * Writes the keys as one age file under a passphrase (scrypt), which `age -d` opens too. Never over a file.
 * @throws AppError key_missing | file_exists | usage for a short passphrase
 */
export async function backupKeys(keys: string, destination: string, passphrase: string): Promise<Thumbprint> {
  if (passphrase.length < MIN_PASSPHRASE) {
    throw new AppError('usage', `the passphrase has fewer than ${MIN_PASSPHRASE} characters`, { hint: 'Take several words: whoever finds the backup can try as often as he likes.' });
  }
  const { signer } = await readKeys(keys);
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  await createPrivateFile(destination, await encrypter.encrypt(await readPrivateFile(keys)));
  return signer.thumbprint;
}

/**
 * Puts keys back from a backup. Keys that are there are never replaced: they may be the only ones that open a result.
 * @throws AppError file_exists | sealed_for_another for a wrong passphrase | invalid_object
 */
export async function restoreKeys(keys: string, backup: string, passphrase: string): Promise<Thumbprint> {
  const plaintext = await openBackup(backup, passphrase);
  parseKeyFile(plaintext);
  await ensurePrivateDirectory(dirname(keys));
  try {
    await createPrivateFile(keys, plaintext);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'file_exists') throw error;
    throw new AppError('file_exists', `there are keys already: ${keys}`, { hint: 'Move them away first, if you are sure that nothing is sealed to them.' });
  }
  return (await readKeys(keys)).signer.thumbprint;
}

async function openBackup(backup: string, passphrase: string): Promise<Uint8Array> {
  const bytes = await readFile(backup).catch((cause: unknown) => {
    throw new AppError('usage', `${backup} cannot be read`, { cause });
  });
  if (bytes.length > MAX_BACKUP_BYTES) throw new AppError('sealed_corrupt', `${backup} is too large for a backup of keys`);
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return await decrypter.decrypt(bytes);
  } catch (cause) {
    throw new AppError('sealed_for_another', `${backup} does not open with this passphrase`, { cause, hint: 'Check the passphrase, and that the file is a backup of keys.' });
  }
}
