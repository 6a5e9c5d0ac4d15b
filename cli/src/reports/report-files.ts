import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@cloister/protocol';

const SUFFIX = '.attestation.json';

/**
 * The reports that somebody named: a file as it is, of a folder every `*.attestation.json` that lies in it, not deeper.
 * None is named twice.
 * @throws AppError usage where a folder has none
 */
export async function listReports(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) found.push(...(await reportsAt(path)));
  return [...new Set(found)];
}

async function reportsAt(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    item => item.isDirectory(),
    () => false // whoever reads the file says what is wrong with it
  );
  if (!isFolder) return [path];
  const names = await readdir(path).catch((cause: unknown) => {
    throw new AppError('usage', `${path} cannot be read`, { cause, hint: 'Check whose folder it is.' });
  });
  const reports = names.filter(name => name.endsWith(SUFFIX)).sort();
  if (reports.length === 0) throw new AppError('usage', `no *${SUFFIX} lies in ${path}`, { hint: 'Give a report, or the folder that it lies in.' });
  return reports.map(name => join(path, name));
}
