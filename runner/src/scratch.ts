import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

/** The attempt's own folder, mode 0700, and the places in it. Everything in it is gone when the attempt ends. */
export interface Scratch {
  readonly root: string;
  /** Opened inputs. */
  readonly inputs: string;
  /** The bundle's files. */
  readonly workspace: string;
  /** Sealed files on their way out. */
  readonly sealed: string;
  /** For the sandbox's own use. */
  readonly sandbox: string;
  /** Never throws; false where something could not be removed. */
  readonly remove: () => Promise<boolean>;
}

export async function createScratch(parent: string): Promise<Scratch> {
  const root = await mkdtemp(join(parent, 'attempt-'));
  const place = (name: string): string => join(root, name);
  const scratch = { root, inputs: place('inputs'), workspace: place('workspace'), sealed: place('sealed'), sandbox: place('sandbox') };
  for (const path of [scratch.inputs, scratch.workspace, scratch.sealed, scratch.sandbox]) await mkdir(path, { mode: 0o700 });
  return { ...scratch, remove: () => removeTree(root) };
}

/**
 * By programs that go down folder by folder: Node names everything by its whole path, and a notebook may nest folders
 * until no call takes such a path, or give names that are not UTF-8. It may leave folders that nobody may enter, too:
 * they are ours, so they are opened up; `chmod -R` follows no link.
 */
async function removeTree(root: string): Promise<boolean> {
  if (await succeeds('/bin/rm', ['-rf', '--', root])) return true;
  await succeeds('/bin/chmod', ['-R', 'u+rwx', '--', root]);
  return succeeds('/bin/rm', ['-rf', '--', root]);
}

/** What they print names files of the notebook's choice, so nobody reads it. */
function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise(resolve => void execFile(program, args, { env: {} }, error => resolve(error === null)));
}
