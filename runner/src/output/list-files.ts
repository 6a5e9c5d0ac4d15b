import { constants } from 'node:fs';
import { chmod, lstat, open, readdir } from 'node:fs/promises';
import { AppError, BundlePath, compareUtf8, fromUtf8 } from '@cloister/protocol';

export interface ListedFile {
  /** Below the listed folder, `/` between names. */
  readonly path: string;
  readonly hostPath: string;
  readonly size: number;
}

/** More files and folders than this are most often a mistake; the report must name each file. */
export const MAX_OUTPUT_FILES = 4096;
const MAX_DEPTH = 32;

interface Found {
  readonly files: ListedFile[];
  /** Files and folders. */
  entries: number;
}

/**
 * Regular files below a folder that the notebook filled, in order of their paths' bytes. Links of both kinds, devices,
 * sockets and FIFOs end it: each could bring in what the notebook itself could not read, or never end. Modes that shut
 * the runner out are changed, for all of it is the runner's own. To be called when nothing of the notebook lives, so that
 * what is listed, and was opened once, is what is sealed.
 * @throws AppError output_refused | output_too_large
 */
export async function listFiles(root: string): Promise<ListedFile[]> {
  const found: Found = { files: [], entries: 0 };
  await walk(root, [], found);
  requireDistinct(found.files);
  return found.files.sort((a, b) => compareUtf8(a.path, b.path));
}

async function walk(folder: string, names: readonly string[], found: Found): Promise<void> {
  if (names.length > MAX_DEPTH) throw refused('folders are nested too deep', names);
  for (const name of await namesIn(folder, names)) {
    const path = [...names, name];
    const hostPath = `${folder}/${name}`;
    found.entries += 1;
    if (found.entries > MAX_OUTPUT_FILES) throw new AppError('output_too_large', `more than ${MAX_OUTPUT_FILES} files and folders under outputs/`);
    // Hidden names never enter an analyst's folder: `.git/config` is read by programs that she did not start.
    if (name.startsWith('.')) throw refused('a hidden file or folder', path);
    const stat = await orRefused(lstat(hostPath), 'something that cannot be looked at', path);
    if (stat.isDirectory()) await walk(hostPath, path, found);
    else if (!stat.isFile()) throw refused('neither a file nor a folder', path);
    else if (stat.nlink !== 1) throw refused('a file with two names', path);
    else found.files.push({ path: checkedPath(path), hostPath, size: await readableSize(hostPath, path) });
  }
}

/** Names as bytes: one that is not UTF-8 would otherwise be changed silently, and another file be read. */
async function namesIn(folder: string, names: readonly string[]): Promise<string[]> {
  const opened = chmod(folder, 0o700).then(() => readdir(folder, { encoding: 'buffer' }));
  const entries = await orRefused(opened, 'a folder that cannot be read', names);
  return entries.map(entry => {
    try {
      return fromUtf8(entry);
    } catch (cause) {
      throw refused('a name that is not UTF-8 in', names, cause);
    }
  });
}

/** Opens the regular file once: one that cannot be read must fail the run now, while it can still be reported. */
async function readableSize(hostPath: string, names: readonly string[]): Promise<number> {
  const opened = chmod(hostPath, 0o600).then(() => open(hostPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  const handle = await orRefused(opened, 'a file that cannot be read', names);
  try {
    return (await orRefused(handle.stat(), 'a file that cannot be read', names)).size;
  } finally {
    await handle.close();
  }
}

function checkedPath(names: readonly string[]): string {
  const parsed = BundlePath.safeParse(['outputs', ...names].join('/'));
  if (!parsed.success) throw refused('a name that does not mean one place everywhere', names);
  return names.join('/');
}

/** The analyst's disk may not tell cases apart; then one output, or all of a folder, would hide another. */
function requireDistinct(files: readonly ListedFile[]): void {
  const seen = new Map<string, string>();
  for (const { path } of files) {
    const names = path.split('/');
    for (let length = 1; length <= names.length; length += 1) {
      const prefix = names.slice(0, length).join('/');
      const known = seen.get(prefix.toLowerCase());
      if (known !== undefined && known !== prefix) throw refused('a name that differs from another in case only', [path]);
      seen.set(prefix.toLowerCase(), prefix);
    }
  }
}

async function orRefused<T>(work: Promise<T>, what: string, names: readonly string[]): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw refused(what, names, cause);
  }
}

/** The detail goes into the sealed traceback and nowhere else; so it may name the file. */
function refused(what: string, names: readonly string[], cause?: unknown): AppError {
  const detail = `outputs/${names.join('/')}: ${what}`;
  return new AppError('output_refused', detail, cause === undefined ? {} : { cause });
}
