import { AppError } from '../errors.js';
import { equalBytes, toUtf8 } from '../bytes/text.js';
import { jcs } from '../bytes/jcs.js';
import { parseJson, type Json } from '../bytes/json.js';
import { isObject } from '../attestation/token.js';

/**
 * The form that notebooks have in a bundle: what an owner approves must be all that reaches the kernel. No
 * outputs, execution counts or attachments; of metadata only the kernel's name and cells' `tags`, since they change
 * what runs. nbformat 4 (nbformat documentation, "The Notebook file format").
 * @throws AppError notebook_not_json | notebook_unsupported
 */
export function canonicalNotebook(input: Json): Json {
  if (!isObject(input) || !Array.isArray(input['cells'])) {
    const old = isObject(input) && (input['nbformat'] === 3 || input['nbformat'] === 2 || Array.isArray(input['worksheets']));
    throw new AppError(old ? 'notebook_unsupported' : 'notebook_not_json', old ? `nbformat ${JSON.stringify(input['nbformat'])}` : 'not a notebook');
  }
  if (input['nbformat'] !== 4) throw new AppError('notebook_unsupported', `nbformat ${JSON.stringify(input['nbformat'] ?? null)}`);
  const ids = new Set<string>();
  const cells = input['cells'].map((cell, at) => canonicalCell(cell, at, ids));
  return { cells, metadata: canonicalMetadata(input['metadata']), nbformat: 4, nbformat_minor: 5 };
}

/** Bytes of a notebook in canonical form (RFC 8785), as bundles carry them. */
export function canonicalNotebookBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return toUtf8(jcs(canonicalNotebook(parseNotebook(bytes))));
}

/** Whether bytes are exactly what canonicalNotebookBytes makes of them. */
export function isCanonicalNotebook(bytes: Uint8Array): boolean {
  try {
    return equalBytes(canonicalNotebookBytes(bytes), bytes);
  } catch (cause) {
    if (cause instanceof AppError) return false;
    throw cause;
  }
}

function parseNotebook(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw new AppError('notebook_not_json', 'the notebook is not JSON', { cause });
  }
}

const CELL_TYPES = ['code', 'markdown', 'raw'];
const CELL_ID = /^[A-Za-z0-9_-]{1,64}$/;

function canonicalCell(cell: Json, at: number, ids: Set<string>): Json {
  const type = isObject(cell) ? cell['cell_type'] : undefined;
  if (!isObject(cell) || typeof type !== 'string' || !CELL_TYPES.includes(type)) throw new AppError('notebook_unsupported', `cell ${at + 1} is of no known type`);
  const tags = tagsOf(cell['metadata'], at);
  const common = { cell_type: type, id: cellId(cell['id'], at, ids), metadata: tags.length === 0 ? {} : { tags }, source: sourceOf(cell['source'], at) };
  return type === 'code' ? { ...common, execution_count: null, outputs: [] } : common;
}

/** Cells of nbformat 4.4 have no id; a made one is their place, so that equal notebooks give equal bytes. */
function cellId(id: Json | undefined, at: number, ids: Set<string>): string {
  const name = id === undefined ? `cell-${at}` : id;
  if (typeof name !== 'string' || !CELL_ID.test(name)) throw new AppError('notebook_unsupported', `cell ${at + 1} has an invalid id`);
  if (ids.has(name)) throw new AppError('notebook_unsupported', `two cells have the id ${name}`);
  ids.add(name);
  return name;
}

function sourceOf(source: Json | undefined, at: number): string {
  if (typeof source === 'string') return source;
  if (Array.isArray(source) && source.every(line => typeof line === 'string')) return source.join('');
  throw new AppError('notebook_unsupported', `cell ${at + 1} has no source`);
}

function tagsOf(metadata: Json | undefined, at: number): string[] {
  const tags = isObject(metadata) ? metadata['tags'] : undefined;
  if (tags === undefined) return [];
  if (!Array.isArray(tags) || !tags.every(tag => typeof tag === 'string')) throw new AppError('notebook_unsupported', `cell ${at + 1} has invalid tags`);
  return tags;
}

function canonicalMetadata(metadata: Json | undefined): Json {
  const kernelspec = isObject(metadata) ? metadata['kernelspec'] : undefined;
  const name = isObject(kernelspec) ? kernelspec['name'] : undefined;
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(name)) return {};
  return { kernelspec: { display_name: name, name } };
}
