// What was done is remembered beside what it made, so removing the one removes the other.
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { SetupError } from './setup-error.mjs';

/** The stamp kept in `file`, or null where there is none that can be read. */
export function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Keep `stamp` in `file`, whole or not at all. Call it last: a stamp says that everything before it succeeded. */
export function writeStamp(file, stamp) {
  writeFileSync(`${file}.new`, `${JSON.stringify(stamp)}\n`);
  renameSync(`${file}.new`, file);
}

/** The SHA-256 of a file's bytes, in hexadecimal. */
export function hashFile(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Bytes on disk below `path`, links not followed; 0 where there is nothing. */
export function diskUse(path) {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.blocks * 512;
  return readdirSync(path).reduce((sum, name) => sum + diskUse(join(path, name)), stat.blocks * 512);
}

/** Refuse a second set-up in the same checkout while one is at work. Returns the function that ends the refusal. */
export function lockCheckout(root) {
  const file = join(root, '.cloister', 'setup.lock');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (let tries = 0; ; tries++) {
    try {
      const lock = openSync(file, 'wx', 0o600);
      writeFileSync(lock, String(process.pid));
      closeSync(lock);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(readFileSync(file, 'utf8'));
      if (tries > 0 || isAlive(holder)) {
        throw new SetupError(
          `Another set-up (process ${holder}) is at work in this checkout.`,
          `Wait until it has ended; if there is none, remove ${file}.`
        );
      }
      rmSync(file, { force: true });
    }
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
