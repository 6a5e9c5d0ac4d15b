import { constants, type Dirent } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { AppError, BundlePath, MAX_BUNDLE_BYTES } from '@cloister/protocol';
import { parseIgnoreRules, type IgnoreRules } from './ignore-rules.js';

/** One file as it was read, by one descriptor, so that its size and digest are those of the bytes that are sent. */
export interface WorkspaceFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** What was left at home, by name. A folder stands for all that is in it. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface Workspace {
  readonly files: readonly WorkspaceFile[];
  readonly leftOut: readonly LeftOut[];
}

const MAX_FILES = 4096;
const MAX_DEPTH = 32;
const ENVIRONMENTS = new Set(['venv', 'env', 'conda', 'node_modules', '__pycache__', 'site-packages']);
const OWN_FOLDERS = new Set(['mocks', 'outputs', 'results']);
const IGNORE_FILE = '.cloisterignore';

/**
 * Reads the notebook's folder, less hidden files, environments, Cloister's own folders and what `.cloisterignore` names.
 * Folders are walked by open descriptors and nothing is followed, so a name that is exchanged for a link meanwhile
 * cannot lead out of the folder. What is neither a file nor a folder is refused and not skipped: a person who put it
 * there expects it to be sent.
 * @throws AppError notebook_missing | workspace_unsafe | workspace_case_clash | bundle_too_large | config_invalid
 */
export async function readWorkspace(folder: string, entry: string): Promise<Workspace> {
  const root = await openFolder(folder, '.');
  const walk: Walk = { entry, rules: parseIgnoreRules(''), files: [], leftOut: [], size: 0 };
  try {
    walk.rules = await readRules(root);
    await walkFolder(walk, root, '');
  } finally {
    await root.close();
  }
  if (!walk.files.some(file => file.path === entry)) throw new AppError('notebook_missing', `there is no notebook ${entry}`);
  return { files: walk.files, leftOut: walk.leftOut };
}

interface Walk {
  readonly entry: string;
  rules: IgnoreRules;
  readonly files: WorkspaceFile[];
  readonly leftOut: LeftOut[];
  size: number;
}

async function walkFolder(walk: Walk, folder: FileHandle, prefix: string): Promise<void> {
  const depth = prefix === '' ? 0 : prefix.split('/').length;
  if (depth > MAX_DEPTH) throw new AppError('workspace_unsafe', `${prefix} is nested deeper than ${MAX_DEPTH} folders`);
  const taken: Candidate[] = [];
  const dirents = new Map<string, Entry>();
  for (const dirent of await readdir(placeOf(folder), { withFileTypes: true, encoding: 'buffer' })) {
    const name = nameOf(dirent.name, prefix);
    const candidate = { path: `${prefix}${name}`, name, top: depth === 0, isFolder: dirent.isDirectory(), isLink: dirent.isSymbolicLink() };
    if (!takes(walk, candidate)) continue;
    taken.push(candidate);
    dirents.set(name, dirent);
  }
  assertDistinct(taken);
  for (const { path, name } of taken) {
    if (!BundlePath.safeParse(path).success) throw new AppError('workspace_unsafe', `${JSON.stringify(path)} is a name that cannot be sent`);
    const dirent = dirents.get(name);
    if (dirent?.isDirectory() === true) await enterFolder(walk, folder, name, path);
    else if (dirent?.isFile() === true) await takeFile(walk, folder, name, path);
    else throw new AppError('workspace_unsafe', `${path} is ${kindOf(dirent)}`);
  }
}

/** Whether an entry is sent; where it is not, it is noted why. */
function takes(walk: Walk, candidate: Candidate): boolean {
  if (candidate.path === walk.entry) return true;
  // Before the rules, which may come from the same repository: a link here would lead what we write away.
  if (candidate.isLink && candidate.top && OWN_FOLDERS.has(candidate.name)) throw new AppError('workspace_unsafe', `${candidate.path} is a symbolic link`, { hint: `Remove it: ${candidate.name}/ is where Cloister writes.` });
  const why = reasonToLeaveOut(walk.rules, candidate);
  if (why === undefined) return true;
  walk.leftOut.push({ path: candidate.isFolder ? `${candidate.path}/` : candidate.path, why });
  return false;
}

async function enterFolder(walk: Walk, parent: FileHandle, name: string, path: string): Promise<void> {
  const folder = await openFolder(`${placeOf(parent)}/${name}`, path);
  try {
    const why = await kindOfFolder(folder);
    if (why === undefined) await walkFolder(walk, folder, `${path}/`);
    else walk.leftOut.push({ path: `${path}/`, why });
  } finally {
    await folder.close();
  }
}

async function takeFile(walk: Walk, folder: FileHandle, name: string, path: string): Promise<void> {
  if (walk.files.length >= MAX_FILES) throw new AppError('bundle_too_large', `more than ${MAX_FILES} files`);
  const handle = await openPlain(`${placeOf(folder)}/${name}`, path);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new AppError('workspace_unsafe', `${path} is not a plain file`);
    assertFits(walk.size + found.size, path);
    const content = await handle.readFile();
    walk.size += content.length;
    assertFits(walk.size, path);
    walk.files.push({ path, content });
  } finally {
    await handle.close();
  }
}

interface Candidate {
  readonly path: string;
  readonly name: string;
  readonly top: boolean;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

function reasonToLeaveOut(rules: IgnoreRules, { path, name, top, isFolder }: Candidate): string | undefined {
  if (name.startsWith('.')) return reasonForHidden(name);
  if (rules.ignores(path, isFolder)) return 'named in .cloisterignore';
  if (isFolder && ENVIRONMENTS.has(name)) return 'an environment';
  if (isFolder && top && OWN_FOLDERS.has(name)) return `Cloister’s folder ${name}/`;
  return undefined;
}

/** Hidden names stay at home, whatever they are; of the usual ones it is said what they are. */
function reasonForHidden(name: string): string {
  if (name === '.ipynb_checkpoints') return 'JupyterLab’s checkpoints';
  if (name === '.git') return 'the history of the folder';
  if (name === IGNORE_FILE) return 'says what is left out';
  return /^\.env($|\.)/.test(name) ? 'hidden, and often full of secrets' : 'hidden: its name begins with a dot';
}

/**
 * What a folder is by what lies in it, under any name and at any depth: a Python or conda environment, or unsealed results
 * of another job, which came from real data and have no business in the code.
 */
async function kindOfFolder(folder: FileHandle): Promise<string | undefined> {
  const names = await readdir(placeOf(folder));
  if (names.includes('pyvenv.cfg') || names.includes('conda-meta')) return 'an environment';
  return names.includes('index.json') && names.some(name => name.endsWith('.attestation.json')) ? 'unsealed results of a job' : undefined;
}

/** Two names that one file system keeps apart and another does not. */
function assertDistinct(entries: readonly Candidate[]): void {
  const seen = new Map<string, string>();
  for (const { name, path } of entries) {
    const folded = name.normalize('NFC').toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined) throw new AppError('workspace_case_clash', `${other} and ${path}`);
    seen.set(folded, path);
  }
}

function nameOf(bytes: Buffer, prefix: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('workspace_unsafe', `${prefix === '' ? 'the folder' : prefix} holds a name that is not UTF-8`, { cause });
  }
}

function assertFits(size: number, path: string): void {
  if (size <= MAX_BUNDLE_BYTES) return;
  throw new AppError('bundle_too_large', `with ${path} the files are over ${MAX_BUNDLE_BYTES / 1024 / 1024} MiB`);
}

async function readRules(root: FileHandle): Promise<IgnoreRules> {
  const names = new Set(await readdir(placeOf(root)));
  if (!names.has(IGNORE_FILE)) return parseIgnoreRules('');
  const handle = await openPlain(`${placeOf(root)}/${IGNORE_FILE}`, IGNORE_FILE);
  try {
    if (!(await handle.stat()).isFile()) throw new AppError('workspace_unsafe', `${IGNORE_FILE} is not a plain file`);
    return parseIgnoreRules(await handle.readFile('utf8'));
  } finally {
    await handle.close();
  }
}

/** The descriptor as a folder to look names up in: what openat(2) would be, which Node lacks. */
const placeOf = (folder: FileHandle): string => `/proc/self/fd/${folder.fd}`;

async function openFolder(place: string, path: string): Promise<FileHandle> {
  return opening(open(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW), path);
}

async function openPlain(place: string, path: string): Promise<FileHandle> {
  // O_NONBLOCK: a pipe that took the file's place must not make us wait for ever.
  return opening(open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK), path);
}

async function opening(work: Promise<FileHandle>, path: string): Promise<FileHandle> {
  try {
    return await work;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' && path === '.') throw new AppError('notebook_missing', 'there is no such folder', { cause });
    const why = code === 'ELOOP' || code === 'ENOTDIR' ? 'is a symbolic link' : `cannot be read (${String(code)})`;
    throw new AppError('workspace_unsafe', `${path} ${why}`, { cause });
  }
}

type Entry = Pick<Dirent<Buffer>, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>;

function kindOf(entry: Entry | undefined): string {
  if (entry?.isSymbolicLink() === true) return 'a symbolic link';
  if (entry?.isFIFO() === true) return 'a pipe';
  return entry?.isSocket() === true ? 'a socket' : 'a device';
}
