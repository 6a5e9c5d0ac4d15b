import { toBase64Url } from '../../bytes/base64url.js';
import { digestOf } from '../../bytes/digest.js';
import { jcs, jcsBytes } from '../../bytes/jcs.js';
import { concatBytes, fromUtf8, toUtf8 } from '../../bytes/text.js';
import type { ErrorCode } from '../../errors.js';
import { codeDigest, encodeBundle, type Bundle } from '../../objects/bundle.js';
import { toJson, type Draft, type FileDraft } from '../format.js';
import { OTHER, type VectorWorld } from '../world.js';

/** The bundle's bytes and what a manifest commits to. */
export function bundleFile({ bundle, bundleBytes, manifest }: VectorWorld): FileDraft {
  const { digest, environment, parameters } = manifest.payload.code;
  const code = { digest, environment, parameters };
  const open = (name: string, bytes: Uint8Array, error?: ErrorCode, commitments: object = code): Draft => ({
    name, operation: 'openBundle', input: { bytes: toBase64Url(bytes), code: commitments }, ...(error === undefined ? {} : { expect: { error } })
  });
  const withHeader = (changes: object): Uint8Array => concatBytes(jcsBytes({ ...bundle.header, ...changes }), toUtf8('\n'), ...bundle.files.values());
  const remade = (header: Bundle['header']): Uint8Array => encodeBundle({ ...bundle, header });
  const [first, second] = bundle.header.files;
  const renamed = (path: string): Uint8Array => withHeader({ files: [{ ...first, path }, second] });
  return {
    kind: 'bundle',
    about: 'The code as it travels, before sealing: the header in RFC 8785 form, a line feed, the files’ bytes in the header’s order. A manifest commits to code, environment and parameters.',
    specs: ['RFC 8785'],
    cases: [
      open('a bundle and the manifest that commits to it', bundleBytes),
      open('another purpose than committed to', remade({ ...bundle.header, purpose: 'another' }), 'digest_mismatch'),
      open('other parameters', remade({ ...bundle.header, parameters: { folds: 6 } }), 'digest_mismatch'),
      open('another environment', remade({ ...bundle.header, environment: OTHER }), 'digest_mismatch'),
      open('other code', bundleBytes, 'digest_mismatch', { ...code, digest: OTHER }),
      open('another entry', remade({ ...bundle.header, entry: 'helper.py' }), 'digest_mismatch'),
      open('one byte of a file changed', concatBytes(bundleBytes.slice(0, -1), toUtf8(' ')), 'digest_mismatch'),
      open('cut short', bundleBytes.slice(0, -1), 'bundle_invalid'),
      open('bytes after the last file', concatBytes(bundleBytes, toUtf8('x')), 'bundle_invalid'),
      open('nothing', new Uint8Array(), 'bundle_invalid'),
      open('a header that is not canonical', concatBytes(toUtf8(' '), bundleBytes), 'bundle_invalid'),
      open('an entry that is not there', withHeader({ entry: 'other.ipynb' }), 'bundle_invalid'),
      open('an unknown member in the header', withHeader({ mode: 493 }), 'bundle_invalid'),
      open('no limit of time', withHeader({ timeoutSeconds: 0 }), 'bundle_invalid'),
      open('files in another order', withHeader({ files: [second, first] }), 'bundle_invalid'),
      open('two files of one path', withHeader({ files: [first, first] }), 'bundle_invalid'),
      open('paths that differ in case only', withHeader({ files: [{ ...first, path: 'NOTEBOOK.ipynb' }, second] }), 'bundle_invalid'),
      open('a path that is a file and a folder', withHeader({ files: [{ ...first, path: 'notebook.ipynb' }, { ...second, path: 'notebook.ipynb/x' }] }), 'bundle_invalid'),
      ...['../helper.py', '/helper.py', 'a//b', './helper.py', 'a\\b', 'C:helper.py', 'a\u0000b', 'a\nb', 'e\u0301.py', 'x\u202eyp.exe', 'a\u200b.py', 'x'.repeat(513), ''].map(path => open(`the path ${JSON.stringify(path)}`, renamed(path), 'bundle_invalid'))
    ]
  };
}

/** What `code.digest` is the digest of. */
export function codeFile({ bundle, manifest }: VectorWorld): FileDraft {
  const { entry, files } = bundle.header;
  const file = (path: string): object => ({ path, size: 1, digest: digestOf(toUtf8('x')) });
  const listing = (name: string, value: unknown, ok: boolean): Draft => ({
    name, operation: 'codeDigest', input: { listing: toJson(value) }, ...(ok ? {} : { expect: { error: 'invalid_object' } })
  });
  const emoji = '\u{1f600}.py';
  const half = '\uffee.py';
  return {
    kind: 'code',
    about: 'What an owner approves: the digest of JCS {v, entry, files: [{path, size, digest}]}, sorted by the bytes of the paths in UTF-8.',
    specs: ['RFC 8785'],
    cases: [
      { name: 'the listing of the bundle', operation: 'codeDigest', input: { listing: toJson({ v: 1, entry, files }) }, expect: { ok: { digest: codeDigest({ entry, files }) } } },
      { name: 'is what the manifest names', operation: 'codeDigest', input: { listing: toJson({ v: 1, entry, files }) }, expect: { ok: { digest: manifest.payload.code.digest } } },
      listing('sorted by bytes, where UTF-16 units would put the emoji first', { v: 1, entry: 'a.ipynb', files: [file('a.ipynb'), file(half), file(emoji)] }, true),
      listing('sorted by UTF-16 units', { v: 1, entry: 'a.ipynb', files: [file('a.ipynb'), file(emoji), file(half)] }, false),
      listing('no files', { v: 1, entry, files: [] }, false),
      listing('another version', { v: 2, entry, files }, false)
    ]
  };
}

const cell = (more: object): object => ({ cell_type: 'code', id: 'a', metadata: {}, source: 'x', execution_count: null, outputs: [], ...more });
const notebook = (more: object, ...cells: readonly object[]): object => ({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells, ...more });

/** Notebooks in the form in which they are approved and run. */
export function notebookFile({ bundle }: VectorWorld): FileDraft {
  const canonical = fromUtf8(bundle.files.get('notebook.ipynb') ?? new Uint8Array());
  const make = (name: string, value: unknown, error?: ErrorCode): Draft => ({
    name, operation: 'canonicalNotebook', input: { text: typeof value === 'string' ? value : JSON.stringify(value) }, ...(error === undefined ? {} : { expect: { error } })
  });
  const refuse = (name: string, text: string, because?: string): Draft => ({
    name, ...(because === undefined ? {} : { because }), operation: 'requireCanonicalNotebook', input: { text }, expect: { error: 'notebook_not_canonical' }
  });
  return {
    kind: 'notebook',
    about: 'The form that notebooks have in a bundle: no outputs or execution counts, no metadata but the kernel’s name and cells’ tags.',
    specs: ['nbformat 4.5', 'RFC 8785'],
    cases: [
      make('outputs, counts and most metadata go; tags and the kernel stay', notebook(
        { metadata: { kernelspec: { name: 'python3', display_name: 'Py', argv: ['sh'] }, widgets: {}, signature: 'x' } },
        cell({ source: ['x = 1\n', 'x'], execution_count: 7, outputs: [{ output_type: 'stream' }], metadata: { tags: ['skip-execution'], trusted: true } }),
        { cell_type: 'markdown', id: 'b', source: '# hi', metadata: { x: 1 }, attachments: {} }
      )),
      make('cells without an id are named by their place', notebook({ nbformat_minor: 4 }, { cell_type: 'raw', source: '', metadata: {} }, { cell_type: 'code', source: 'y' })),
      make('nothing in it', notebook({})),
      make('not JSON', '{', 'notebook_not_json'),
      make('not a notebook', {}, 'notebook_not_json'),
      make('nbformat 3', { nbformat: 3, worksheets: [] }, 'notebook_unsupported'),
      make('nbformat 5', notebook({ nbformat: 5 }), 'notebook_unsupported'),
      make('a cell of no known type', notebook({}, cell({ cell_type: 'shell' })), 'notebook_unsupported'),
      make('two cells of one id', notebook({}, cell({}), cell({})), 'notebook_unsupported'),
      make('a source that is no text', notebook({}, cell({ source: [1] })), 'notebook_unsupported'),
      make('tags that are no texts', notebook({}, cell({ metadata: { tags: [1] } })), 'notebook_unsupported'),
      { name: 'canonical bytes are taken', operation: 'requireCanonicalNotebook', input: { text: canonical } },
      refuse('an output', jcs(notebook({}, cell({ outputs: [{ output_type: 'stream', name: 'stdout', text: 'x' }] })))),
      refuse('an execution count', jcs(notebook({}, cell({ execution_count: 1 })))),
      refuse('metadata of a cell', jcs(notebook({}, cell({ metadata: { collapsed: true } })))),
      refuse('metadata of the notebook', jcs(notebook({ metadata: { widgets: {} } }, cell({})))),
      refuse('a member that nbformat does not know', jcs(notebook({ signature: 'x' }, cell({})))),
      refuse('a line feed at the end', `${canonical}\n`)
    ]
  };
}
