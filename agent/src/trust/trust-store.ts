import { randomBytes } from 'node:crypto';
import { lstat, open, readFile, realpath, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, digestOf, type Digest, type Trust } from '@cloister/protocol';
import { createPrivateFile } from '@cloister/kit';
import { syncDirectory } from '@cloister/sealing';
import { NO_TRUST } from './edit-trust.js';
import { readTrust } from './trust-files.js';

/** The trust file as it was when it was read. */
export interface TrustFile {
  readonly path: string;
  readonly trust: Trust;
  /** Of its bytes; undefined where there was no file. */
  readonly found: Digest | undefined;
}

/** A missing file is one that pins nobody yet. @throws AppError config_invalid */
export async function openTrustFile(path: string): Promise<TrustFile> {
  const found = await digestIfThere(path);
  if (found === undefined) return { path, trust: NO_TRUST, found };
  const trust = await readTrust(path);
  // Read twice, so that digest and content are of one state.
  if ((await digestIfThere(path)) !== found) throw changedMeanwhile(path);
  return { path, trust, found };
}

/**
 * Replaces the file that was read by a changed trust: readers see the old bytes or the new, also after a crash. Refused where
 * the file is another by now, so that no change by somebody else is lost. Mode 0600.
 * @throws AppError state_conflict | file_exists | state_locked | storage_full
 */
export async function saveTrust({ path, found }: TrustFile, trust: Trust): Promise<void> {
  const text = `${JSON.stringify(trust, undefined, 2)}\n`;
  if (found === undefined) {
    await createPrivateFile(path, text);
    return;
  }
  // A link stays one: what it leads to is the file.
  const target = await realpath(path);
  const partial = `${target}.partial-${randomBytes(8).toString('hex')}`;
  await createPrivateFile(partial, text);
  try {
    await alone(target, async () => {
      if ((await digestIfThere(target)) !== found) throw changedMeanwhile(path);
      await rename(partial, target);
    });
  } catch (error) {
    await unlink(partial).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(target));
}

/** Comparing and replacing are two steps, so only one process may be between them. */
async function alone(path: string, work: () => Promise<void>): Promise<void> {
  const lock = `${path}.lock`;
  const handle = await open(lock, 'wx', 0o600).catch((cause: unknown) => {
    throw new AppError('state_locked', `another process changes ${path}`, { cause, hint: `Try again. If nothing else runs, something was cut off: remove ${lock}.` });
  });
  try {
    await work();
  } finally {
    await handle.close();
    await unlink(lock);
  }
}

async function digestIfThere(path: string): Promise<Digest | undefined> {
  const there = await lstat(path).then(
    () => true,
    () => false
  );
  if (!there) return undefined;
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new AppError('config_invalid', `${path} cannot be read`, { cause });
  });
  return digestOf(bytes);
}

const changedMeanwhile = (path: string): AppError => new AppError('state_conflict', `${path} changed meanwhile`, { hint: 'Nothing was written. Look at it again: cloister trust list' });
