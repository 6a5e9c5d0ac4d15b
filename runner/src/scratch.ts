import { chmod, mkdir, mkdtemp, opendir, rm } from 'node:fs/promises';
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
  readonly remove: () => Promise<void>;
}

export async function createScratch(parent: string): Promise<Scratch> {
  const root = await mkdtemp(join(parent, 'attempt-'));
  const place = (name: string): string => join(root, name);
  const scratch = { root, inputs: place('inputs'), workspace: place('workspace'), sealed: place('sealed'), sandbox: place('sandbox') };
  for (const path of [scratch.inputs, scratch.workspace, scratch.sealed, scratch.sandbox]) await mkdir(path, { mode: 0o700 });
  return { ...scratch, remove: () => removeTree(root) };
}

/** A notebook may leave folders that nobody may enter: they are ours, so they are opened up first. */
async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true });
  } catch {
    await openUp(root);
    await rm(root, { recursive: true, force: true });
  }
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for await (const entry of await opendir(folder)) {
    // Never through a link: what it points to is not ours.
    if (entry.isDirectory()) await openUp(join(folder, entry.name));
  }
}
