import { lstat, readdir } from 'node:fs/promises';
import { AppError, BundlePath, compareUtf8, fromUtf8 } from '@cloister/protocol';

export interface ListedFile {
  /** Below the listed folder, `/` between names. */
  readonly path: string;
  readonly hostPath: string;
  readonly size: number;
}

/** More files than this are most often a mistake; the report must name each. */
export const MAX_OUTPUT_FILES = 4096;
const MAX_DEPTH = 32;

/**
 * Regular files below a folder that the notebook filled, in order of their paths' bytes. Links of both kinds, devices,
 * sockets and FIFOs end it: each could bring in what the notebook itself could not read, or never end. To be called
 * when nothing of the notebook lives, so that what is listed is what is sealed.
 * @throws AppError output_refused | output_too_large
 */
export async function listFiles(root: string): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  await walk(root, [], found);
  requireDistinct(found);
  return found.sort((a, b) => compareUtf8(a.path, b.path));
}

async function walk(folder: string, names: readonly string[], found: ListedFile[]): Promise<void> {
  if (names.length > MAX_DEPTH) throw refused('folders are nested too deep', names);
  for (const name of await namesIn(folder, names)) {
    const path = [...names, name];
    const hostPath = `${folder}/${name}`;
    const stat = await lstat(hostPath);
    if (stat.isDirectory()) await walk(hostPath, path, found);
    else if (!stat.isFile()) throw refused('neither a file nor a folder', path);
    else if (stat.nlink !== 1) throw refused('a file with two names', path);
    else found.push({ path: checkedPath(path), hostPath, size: stat.size });
    if (found.length > MAX_OUTPUT_FILES) throw new AppError('output_too_large', `more than ${MAX_OUTPUT_FILES} files under outputs/`);
  }
}

/** Names as bytes: one that is not UTF-8 would otherwise be changed silently, and another file be read. */
async function namesIn(folder: string, names: readonly string[]): Promise<string[]> {
  let entries: Buffer[];
  try {
    entries = await readdir(folder, { encoding: 'buffer' });
  } catch (cause) {
    throw refused('a folder that cannot be read', names, cause);
  }
  return entries.map(entry => {
    try {
      return fromUtf8(entry);
    } catch (cause) {
      throw refused('a name that is not UTF-8 in', names, cause);
    }
  });
}

function checkedPath(names: readonly string[]): string {
  const parsed = BundlePath.safeParse(['outputs', ...names].join('/'));
  if (!parsed.success) throw refused('a name that does not mean one place everywhere', names);
  return names.join('/');
}

/** The analyst's disk may not tell case or Unicode forms apart; then one output would hide another. */
function requireDistinct(files: readonly ListedFile[]): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    const folded = path.toLowerCase();
    if (seen.has(folded)) throw refused('a name that differs from another in case only', [path]);
    seen.add(folded);
  }
}

/** The detail goes into the sealed traceback and nowhere else; so it may name the file. */
function refused(what: string, names: readonly string[], cause?: unknown): AppError {
  const detail = `outputs/${names.join('/')}: ${what}`;
  return new AppError('output_refused', detail, cause === undefined ? {} : { cause });
}
