import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '@cloister/protocol';

/** The folder that JupyterLab shows. Paths of requests are relative to it and stay within it. */
export interface WorkspaceRoot {
  /** Absolute, without links. */
  readonly path: string;
  /** A path of something that is there, or will be: its folder must be there. @throws AppError workspace_unsafe */
  readonly locate: (path: string) => Promise<string>;
  /** As requests name it. */
  readonly name: (absolute: string) => string;
}

export async function createWorkspaceRoot(folder: string): Promise<WorkspaceRoot> {
  const root = await realpath(folder);
  const inside = (path: string): boolean => path === root || path.startsWith(root === sep ? sep : `${root}${sep}`);
  return {
    path: root,
    locate: async path => {
      const target = resolve(root, path);
      if (path.includes('\0') || !inside(target)) throw outside(path);
      // A link on the way may lead out. What is not there yet is made below the nearest folder that is.
      const real = await realNearest(target);
      if (real === undefined || !inside(real)) throw outside(path);
      return target;
    },
    name: absolute => (inside(absolute) ? relative(root, absolute) : absolute)
  };
}

/** Undefined where a link on the way leads to nothing: what would be made there is anywhere. */
async function realNearest(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const parent = dirname(path);
  if (parent === path || (await lstat(path).catch(() => undefined)) !== undefined) return undefined;
  const above = await realNearest(parent);
  return above === undefined ? undefined : join(above, 'new');
}

function outside(path: string): AppError {
  return new AppError('workspace_unsafe', `${path} is not within the workspace`);
}
