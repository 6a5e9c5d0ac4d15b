import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import {
  AppError,
  InputName,
  canonicalNotebook,
  codeDigest,
  compareUtf8,
  digestOf,
  jcsBytes,
  type BundleFile,
  type Digest,
  type Json
} from '@cloister/protocol';
import type { CodeUnit, AssetUse } from './assets-in-code.js';
import { findLikelySecrets, linesOf, type LikelySecret } from './likely-secrets.js';
import { codeOfNotebook, parseNotebookJson, textOfNotebook } from './notebook-code.js';
import { followCode, type ReachableCode } from './reachable-code.js';
import { readWorkspace, type LeftOut, type WorkspaceFile } from './read-workspace.js';

/** One file that is sent, and why. */
export interface ListedFile extends BundleFile {
  readonly why: string;
  readonly large: boolean;
}

export interface Package {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly entry: string;
  /** Sorted by bytes of path. */
  readonly files: readonly ListedFile[];
  readonly contents: ReadonlyMap<string, Uint8Array>;
  readonly code: Digest;
  readonly leftOut: readonly LeftOut[];
  readonly secrets: readonly LikelySecret[];
  /** Names of all assets that the code reads or the analyst listed, sorted. */
  readonly assets: readonly string[];
  readonly uses: readonly AssetUse[];
}

export interface PackageRequest {
  readonly notebook: string;
  /** Assets listed by hand; then a name in the code may be computed. */
  readonly assets?: readonly string[];
}

const LARGE_BYTES = 1024 * 1024;

/**
 * Everything that a job needs from disk: all plain files of the notebook's folder but what `readWorkspace` leaves out,
 * notebooks in canonical form. Reads and changes nothing else.
 * @throws AppError notebook_missing | notebook_not_json | notebook_unsupported | workspace_unsafe | workspace_case_clash |
 *   bundle_too_large | asset_not_literal | asset_unknown | config_invalid
 */
export async function packageNotebook(request: PackageRequest): Promise<Package> {
  const { folder, entry } = await locate(request.notebook);
  // It would come back under that name, and results with hidden names are refused.
  if (entry.startsWith('.')) throw new AppError('workspace_unsafe', `${entry} is hidden`, { hint: 'Rename the notebook.' });
  const workspace = await readWorkspace(folder, entry);
  const notebooks = new Map<string, Json>();
  const contents = new Map(workspace.files.map(file => [file.path, contentOf(file, notebooks)]));
  const code = followCode(entry, {
    paths: new Set(contents.keys()),
    read: path => unitOf(path, contents.get(path), notebooks.get(path))
  });
  const files = listFiles(contents, code);
  return {
    notebook: join(folder, entry),
    entry,
    files,
    contents,
    code: codeDigest({ entry, files: files.map(({ path, size, digest }) => ({ path, size, digest })) }),
    leftOut: workspace.leftOut,
    secrets: files.flatMap(({ path }) => secretsOf(path, contents.get(path), notebooks.get(path))),
    assets: assetsOf(code, request.assets),
    uses: code.uses
  };
}

/** The folder by its real name: the notebook itself must not be a link, the way to its folder may lead over some. */
async function locate(notebook: string): Promise<{ folder: string; entry: string }> {
  const path = resolve(notebook);
  const missing = new AppError('notebook_missing', `there is no notebook ${notebook}`);
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) throw missing;
  if (found.isSymbolicLink()) throw new AppError('workspace_unsafe', `${notebook} is a symbolic link`);
  if (!found.isFile()) throw new AppError('notebook_missing', `${notebook} is not a file`);
  if (!path.endsWith('.ipynb')) throw new AppError('notebook_unsupported', `${notebook} is not a notebook: its name does not end in .ipynb`);
  return { folder: await realpath(dirname(path)), entry: basename(path) };
}

/** Notebooks lose outputs, counts and metadata; what cannot be brought into that form is refused by name. */
function contentOf(file: WorkspaceFile, notebooks: Map<string, Json>): Uint8Array {
  if (!file.path.endsWith('.ipynb')) return file.content;
  const notebook = canonicalOf(file);
  notebooks.set(file.path, notebook);
  return jcsBytes(notebook);
}

function canonicalOf(file: WorkspaceFile): Json {
  try {
    return canonicalNotebook(parseNotebookJson(file.path, file.content));
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.detail.includes(file.path)) throw cause;
    throw new AppError(cause.code, `${file.path}: ${cause.detail}`, { cause });
  }
}

function unitOf(path: string, content: Uint8Array | undefined, notebook: Json | undefined): CodeUnit | undefined {
  if (notebook !== undefined) return codeOfNotebook(path, notebook);
  if (content === undefined || !path.endsWith('.py')) return undefined;
  return { path, pieces: [{ where: path, code: new TextDecoder().decode(content) }] };
}

function listFiles(contents: ReadonlyMap<string, Uint8Array>, code: ReachableCode): ListedFile[] {
  return [...contents]
    .map(([path, content]) => ({
      path,
      size: content.length,
      digest: digestOf(content),
      why: code.reasons.get(path) ?? 'in the notebook’s folder',
      large: content.length > LARGE_BYTES
    }))
    .sort((a, b) => compareUtf8(a.path, b.path));
}

function secretsOf(path: string, content: Uint8Array | undefined, notebook: Json | undefined): LikelySecret[] {
  if (notebook !== undefined) return findLikelySecrets(path, textOfNotebook(notebook));
  return findLikelySecrets(path, content === undefined ? [] : linesOf(content));
}

function assetsOf(code: ReachableCode, byHand: readonly string[] | undefined): string[] {
  const [first] = code.computed;
  if (first !== undefined && (byHand === undefined || byHand.length === 0)) {
    throw new AppError('asset_not_literal', `${first.path}, ${first.where}: ${first.text}`, { members: { computed: code.computed } });
  }
  const names = [...new Set([...code.uses.map(use => use.name), ...(byHand ?? [])])].sort();
  const odd = names.find(name => !InputName.safeParse(name).success);
  if (odd !== undefined) throw new AppError('asset_unknown', `${JSON.stringify(odd)} is not the name of an asset: names look like owner/asset`);
  return names;
}
