import { createPrivateFile, ensurePrivateDirectory, readPrivateFile, readPrivateFileIfThere } from '@cloister/kit';
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
import { join } from 'node:path';

/** One age identity per purpose: what was sealed for one cannot be opened as another. */
const PURPOSES = ['dataset', 'bundle', 'review'] as const;
type Purpose = (typeof PURPOSES)[number];

export interface AgeKey {
  /** `AGE-SECRET-KEY-1…` */
  readonly identity: string;
  readonly recipient: AgeRecipient;
}

/** The broker's online keys. The owner's own signing key is not among them: it stays offline. */
export interface BrokerKeys extends Readonly<Record<Purpose, AgeKey>> {
  readonly signer: Signer;
}

/**
 * Reads the keys, or makes them on the very first start. Later a missing file is an error: with new keys nothing that
 * was sealed to the old ones would ever open again.
 * @throws AppError key_missing | key_unsafe
 */
export async function openBrokerKeys(directory: string): Promise<BrokerKeys> {
  await ensurePrivateDirectory(directory);
  if (!(await isComplete(directory))) await createKeys(directory);
  const signer = await signerOf(await readSigningKey(signingFile(directory)));
  const [dataset, bundle, review] = await Promise.all(PURPOSES.map(async purpose => readAgeKey(ageFile(directory, purpose))));
  if (dataset === undefined || bundle === undefined || review === undefined) throw new AppError('key_missing', 'an age identity is missing');
  return { signer, dataset, bundle, review };
}

const signingFile = (directory: string): string => join(directory, 'signing.jwk');
const ageFile = (directory: string, purpose: Purpose): string => join(directory, `${purpose}.age-identity`);
/** Written last, so that a crash while keys are made leaves none that count. */
const completeFile = (directory: string): string => join(directory, 'complete');

async function isComplete(directory: string): Promise<boolean> {
  return (await readPrivateFileIfThere(completeFile(directory))) !== undefined;
}

async function createKeys(directory: string): Promise<void> {
  await createOnce(signingFile(directory), `${jcs(await createSigningKey())}\n`);
  for (const purpose of PURPOSES) await createOnce(ageFile(directory, purpose), `${await generateIdentity()}\n`);
  await createOnce(completeFile(directory), '1\n');
}

/** A key left by a first start that was cut short is as good as a new one. */
async function createOnce(path: string, content: string): Promise<void> {
  if ((await readPrivateFileIfThere(path)) === undefined) await createPrivateFile(path, content);
}

async function readSigningKey(path: string): Promise<PrivateJwk> {
  const parsed = PrivateJwk.safeParse(parseJson(await readPrivateFile(path)));
  // No cause: a schema error may repeat what it saw.
  if (!parsed.success) throw new AppError('key_missing', 'the signing key file does not hold a key');
  return parsed.data;
}

async function readAgeKey(path: string): Promise<AgeKey> {
  const identity = (await readPrivateFile(path)).toString('utf8').trim();
  return { identity, recipient: await recipientOf(identity) };
}
