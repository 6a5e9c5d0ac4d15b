import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { AppError } from '@cloister/protocol';
import { z } from 'zod';

const ASK = 'import json, sys; print(json.dumps([sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]))';
const MAX_LINKS = 16;
/** Views of the kernel on the host. A path through them means something else for each process, or is no file at all. */
const NO_PLACE = ['/proc', '/sys', '/dev', '/run'];
/** Seen in every sandbox anyway. */
const SYSTEM = '/usr';

/** A Python that sandboxes can run. */
export interface Interpreter {
  readonly path: string;
  /** Root of its (virtual) environment, where its kernels are registered. */
  readonly prefix: string;
  /** Folders that a sandbox must see, each at its own path, for it to start. */
  readonly roots: readonly string[];
}

/**
 * Asks the interpreter where its parts are, outside of any sandbox: so before there is data. Its path is the operator’s word,
 * and what it says follows from that; each folder becomes part of both sandboxes. Throws `sandbox_leaks` where one is not
 * named by its one true path, `runner_failed` where the interpreter does not start.
 */
export async function describeInterpreter(path: string): Promise<Interpreter> {
  await requireTruePath(path);
  const { stdout } = await promisify(execFile)(path, ['-I', '-c', ASK], { env: {}, timeout: 30_000 }).catch((cause: unknown) => {
    throw new AppError('runner_failed', 'the Python interpreter does not start', { cause });
  });
  const prefixes = z.tuple([z.string(), z.string(), z.string(), z.string()]).parse(JSON.parse(stdout));
  // A virtual environment links to a Python elsewhere (pyenv, uv), sometimes by way of a link that names a version.
  const candidates = new Set([...prefixes, ...(await linkedPrefixes(path))]);
  for (const folder of [...candidates]) candidates.add(await realpath(folder));
  const roots = [...candidates].filter(folder => folder !== '/' && !isInside(folder, SYSTEM)).sort();
  for (const root of roots) await requireTruePath(root);
  return { path, prefix: prefixes[0], roots: roots.filter((folder, index) => !roots.slice(0, index).some(root => isInside(folder, root))) };
}

/**
 * Refuses roots that would show what must stay out of a sandbox: one that contains a folder of `kept`, or lies in one.
 * Throws `sandbox_leaks`.
 */
export async function requireApart({ roots }: Interpreter, kept: readonly string[]): Promise<void> {
  for (const folder of kept) {
    const real = await realpath(folder).catch(() => resolve(folder));
    // Everything lies in that one, which says nothing of what it holds: the probes look for it by its name.
    if (real === '/') continue;
    const root = roots.find(each => isInside(each, real) || isInside(real, each));
    if (root !== undefined) throw new AppError('sandbox_leaks', `the Python folder ${root} and the runner’s own folder ${folder} are in each other`);
  }
}

/** The last name may be a link, whose target is looked at in its turn; a link above it could lead anywhere later. */
async function requireTruePath(path: string): Promise<void> {
  const folder = dirname(path);
  const real = await realpath(folder).catch(() => undefined);
  if (resolve(path) === path && real === folder && !NO_PLACE.some(place => isInside(path, place))) return;
  throw new AppError('sandbox_leaks', `the Python path ${path} must name its place without links, and not in ${NO_PLACE.join(', ')}`);
}

/** The folder above `bin/` of every link on the way from `path` to the program. */
async function linkedPrefixes(path: string): Promise<string[]> {
  const found: string[] = [];
  let at = path;
  for (let hops = 0; hops < MAX_LINKS; hops++) {
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) break;
    at = resolve(dirname(at), target);
    found.push(dirname(dirname(at)));
  }
  return found;
}

/** Whether `path` is `folder` or below it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

const KernelSpec = z.looseObject({ language: z.literal('python') });

/** Whether the image has a Python kernel of this name. Other languages have no driver for the sandbox yet. */
export async function hasKernel(interpreter: Interpreter, name: string): Promise<boolean> {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(name)) return false;
  const path = join(interpreter.prefix, 'share/jupyter/kernels', name, 'kernel.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text !== undefined && KernelSpec.safeParse(JSON.parse(text)).success;
}
