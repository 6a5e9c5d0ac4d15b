import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@cloister/protocol';

/**
 * A folder below another, made where it is missing. A link in the place of any of them, as another's repository may
 * bring along, could lead anywhere.
 * @throws AppError workspace_unsafe
 */
export async function ownFolder(root: string, names: readonly string[]): Promise<string> {
  let folder = root;
  for (const name of names) {
    folder = join(folder, name);
    await mkdir(folder).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT' || code === 'ENOTDIR') throw new AppError('workspace_unsafe', `there is no folder ${root}`, { cause: error });
      if (code !== 'EEXIST') throw error;
    });
    if (!(await lstat(folder)).isDirectory()) throw new AppError('workspace_unsafe', `${folder} is not a folder`);
  }
  return folder;
}
