import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError, codeDigest, isCanonicalNotebook } from '@cloister/protocol';
import { packageNotebook, type Package } from './package-notebook.js';

const notebook = (...cells: string[]): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3' } },
    cells: cells.map((source, at) => ({
      id: `c${at}`, cell_type: 'code', source, metadata: { collapsed: true }, execution_count: 7,
      outputs: [{ output_type: 'stream', name: 'stdout', text: 'secret of an earlier run' }]
    }))
  });

let folder: string;
const at = (path: string): string => join(folder, path);
const put = async (path: string, content: string | Uint8Array): Promise<void> => {
  await mkdir(join(at(path), '..'), { recursive: true });
  await writeFile(at(path), content);
};
const pack = async (options: { notebook?: string; assets?: string[] } = {}): Promise<Package> =>
  packageNotebook({ notebook: at(options.notebook ?? 'study.ipynb'), ...(options.assets === undefined ? {} : { assets: options.assets }) });
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );
const pathsOf = (made: Package): string[] => made.files.map(file => file.path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloister-package-'));
  await put('study.ipynb', notebook('x = 1'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe('what is sent', () => {
  test('takes everything in the folder but hidden files, environments, Cloister’s folders and what .cloisterignore names', async () => {
    await put('helper.py', 'y = 2');
    await put('sub/data.csv', 'a,b\n');
    await put('.env', 'TOKEN=1');
    await put('.git/config', '');
    await put('.ipynb_checkpoints/study-checkpoint.ipynb', 'not json');
    await put('venv/lib/x.py', '');
    await put('myenv/pyvenv.cfg', 'home = /usr');
    await put('tools/conda-meta/history', '');
    await put('__pycache__/helper.pyc', '');
    await put('node_modules/a/index.js', '');
    await put('mocks/hospital/measurements.csv', '');
    await put('outputs/roc.png', '');
    await put('results/study-0011/study.ipynb', 'not json');
    await put('sub/outputs/kept.txt', 'an inner folder of that name is the user’s');
    await put('sub/anywhere/study.attestation.json', '{}');
    await put('sub/anywhere/index.json', '{}');
    await put('sub/anywhere/outputs/rows.csv', 'what came out of another job');
    await put('scratch/big.bin', '');
    await put('notes.log', '');
    await put('sub/more.log', '');
    await put('sub/keep.log', '');
    await put('.cloisterignore', '# drafts\nscratch/\n*.log\n!keep.log\n');
    const made = await pack();
    expect(pathsOf(made)).toEqual(['helper.py', 'study.ipynb', 'sub/data.csv', 'sub/keep.log', 'sub/outputs/kept.txt']);
    expect(made.leftOut.map(item => item.path).sort()).toEqual(
      ['.cloisterignore', '.env', '.git/', '.ipynb_checkpoints/', '__pycache__/', 'mocks/', 'myenv/', 'node_modules/', 'notes.log', 'outputs/', 'results/', 'scratch/', 'sub/anywhere/', 'sub/more.log', 'tools/', 'venv/'].sort()
    );
    const why = new Map(made.leftOut.map(item => [item.path, item.why]));
    expect([why.get('.env'), why.get('.ipynb_checkpoints/'), why.get('notes.log')]).toEqual(['hidden, and often full of secrets', 'JupyterLab’s checkpoints', 'named in .cloisterignore']);
  });

  test('says why each file is there, and gives the digest an owner approves', async () => {
    await put('study.ipynb', notebook('import helper\nfrom pkg.inner import fit', '%run setup.py', 'open("sub/data.csv")'));
    await put('helper.py', 'import pkg.other\n');
    await put('pkg/__init__.py', '');
    await put('pkg/inner.py', 'from . import deep\n');
    await put('pkg/deep.py', '');
    await put('pkg/other.py', '');
    await put('setup.py', '');
    await put('sub/data.csv', 'a\n');
    await put('README.md', 'hello');
    const made = await pack();
    expect(Object.fromEntries(made.files.map(file => [file.path, file.why]))).toEqual({
      'README.md': 'in the notebook’s folder',
      'helper.py': 'imported by study.ipynb',
      'pkg/__init__.py': 'imported by study.ipynb',
      'pkg/deep.py': 'imported by pkg/inner.py',
      'pkg/inner.py': 'imported by study.ipynb',
      'pkg/other.py': 'imported by helper.py',
      'setup.py': 'named in study.ipynb',
      'study.ipynb': 'the notebook that runs',
      'sub/data.csv': 'named in study.ipynb'
    });
    expect(made.code).toBe(codeDigest({ entry: 'study.ipynb', files: made.files.map(({ path, size, digest }) => ({ path, size, digest })) }));
  });

  test('puts every notebook into canonical form', async () => {
    await put('other.ipynb', notebook('z = 3'));
    const made = await pack();
    for (const path of ['study.ipynb', 'other.ipynb']) {
      const content = made.contents.get(path) ?? new Uint8Array();
      expect(isCanonicalNotebook(content)).toBe(true);
      expect(Buffer.from(content).toString()).not.toContain('secret of an earlier run');
    }
  });

  test('warns of likely secrets and of large files, by place and never by value', async () => {
    await put('study.ipynb', notebook('x = 1', 'password = "hunter2-hunter2"'));
    await put('deploy.py', 'import os\nKEY = "AKIAABCDEFGHIJKLMNOP"\n');
    await put('server.pem', 'x');
    await put('big.csv', Buffer.alloc(1024 * 1024 + 1, 97));
    const made = await pack();
    expect(made.secrets).toEqual([
      { path: 'deploy.py', kind: 'an AWS access key id', where: 'line 2' },
      { path: 'server.pem', kind: 'a key store, by its name' },
      { path: 'study.ipynb', kind: 'a password or key in plain text', where: 'cell 2' }
    ]);
    expect(made.files.filter(file => file.large).map(file => file.path)).toEqual(['big.csv']);
    expect(JSON.stringify([made.secrets, made.files])).not.toMatch(/hunter2|AKIAABCD/);
  });
});

describe('what is refused', () => {
  const PLAIN = notebook('x = 1');
  const BAD: readonly { name: string; code: string; make: () => Promise<unknown>; notebook?: string }[] = [
    { name: 'no notebook', code: 'notebook_missing', make: async () => rm(at('study.ipynb')) },
    { name: 'a folder in its place', code: 'notebook_missing', notebook: 'd.ipynb', make: async () => mkdir(at('d.ipynb')) },
    { name: 'no folder', code: 'notebook_missing', notebook: 'nowhere/study.ipynb', make: async () => undefined },
    { name: 'another file type', code: 'notebook_unsupported', notebook: 'a.py', make: async () => put('a.py', 'x') },
    { name: 'not JSON', code: 'notebook_not_json', make: async () => put('study.ipynb', 'x = 1') },
    { name: 'cut JSON', code: 'notebook_not_json', make: async () => put('study.ipynb', PLAIN.slice(0, -5)) },
    { name: 'JSON with a duplicate key', code: 'notebook_not_json', make: async () => put('study.ipynb', PLAIN.replace('{', '{"nbformat":3,')) },
    { name: 'nbformat 3', code: 'notebook_unsupported', make: async () => put('study.ipynb', JSON.stringify({ nbformat: 3, worksheets: [], metadata: {} })) },
    { name: 'another notebook in the folder that is broken', code: 'notebook_not_json', make: async () => put('sub/other.ipynb', '{') },
    { name: 'the notebook a link', code: 'workspace_unsafe', notebook: 'l.ipynb', make: async () => symlink('study.ipynb', at('l.ipynb')) },
    { name: 'a link to a file', code: 'workspace_unsafe', make: async () => symlink('/etc/passwd', at('passwd.txt')) },
    { name: 'a link to a folder', code: 'workspace_unsafe', make: async () => symlink('/etc', at('etc')) },
    { name: 'a link that leads nowhere', code: 'workspace_unsafe', make: async () => symlink('nowhere', at('gone')) },
    { name: 'a pipe', code: 'workspace_unsafe', make: async () => execFileSync('mkfifo', [at('pipe')]) },
    { name: 'a pipe in the place of .cloisterignore', code: 'workspace_unsafe', make: async () => execFileSync('mkfifo', [at('.cloisterignore')]) },
    { name: 'a link in the place of .cloisterignore', code: 'workspace_unsafe', make: async () => symlink('/etc/passwd', at('.cloisterignore')) },
    { name: 'a name with a line feed', code: 'workspace_unsafe', make: async () => put('a\nb.txt', '') },
    { name: 'a name with a backslash', code: 'workspace_unsafe', make: async () => put('a\\..\\b.txt', '') },
    { name: 'a name that turns the writing direction', code: 'workspace_unsafe', make: async () => put('gpj\u202e.py', '') },
    { name: 'a name that is not UTF-8', code: 'workspace_unsafe', make: async () => writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xff])]), '') },
    { name: 'a name in decomposed form', code: 'workspace_unsafe', make: async () => put('cafe\u0301.txt', '') },
    { name: 'two files that differ in case', code: 'workspace_case_clash', make: async () => Promise.all([put('Data.csv', ''), put('data.csv', '')]) },
    { name: 'two folders that differ in case', code: 'workspace_case_clash', make: async () => Promise.all([put('Sub/a.txt', ''), put('sub/b.txt', '')]) },
    { name: 'two files that differ in Unicode form', code: 'workspace_case_clash', make: async () => Promise.all([put('caf\u00e9.txt', ''), put('cafe\u0301.txt', '')]) },
    { name: 'a file over the limit', code: 'bundle_too_large', make: async () => { await put('huge.bin', ''); await truncate(at('huge.bin'), 65 * 1024 * 1024); } },
    { name: 'too many files', code: 'bundle_too_large', make: async () => Promise.all(Array.from({ length: 4097 }, async (_, n) => put(`many/${n}`, ''))) },
    { name: 'folders without end', code: 'workspace_unsafe', make: async () => put(`${'d/'.repeat(40)}x.txt`, '') },
    { name: 'a .cloisterignore that is not understood', code: 'config_invalid', make: async () => put('.cloisterignore', '[ab].txt\n') },
    { name: 'an asset name that is computed', code: 'asset_not_literal', make: async () => put('study.ipynb', notebook('import cloister\nname = "a/b"\ncloister.read_csv(name)')) },
    { name: 'an asset name that is none', code: 'asset_unknown', make: async () => put('study.ipynb', notebook('import cloister\ncloister.read_csv("../../etc/passwd")')) }
  ];
  test.each(BAD)('$name: $code', async ({ code, make, notebook: path }) => {
    await make();
    expect(await codeOf(pack(path === undefined ? {} : { notebook: path }))).toBe(code);
  });

  test('a socket: workspace_unsafe', async () => {
    const server = createServer();
    await new Promise<void>(done => server.listen(at('sock'), done));
    expect(await codeOf(pack())).toBe('workspace_unsafe');
    await new Promise(done => server.close(done));
  });

  test('a link is no matter where .cloisterignore names it', async () => {
    await symlink('/etc/passwd', at('passwd.txt'));
    await put('.cloisterignore', 'passwd.txt\n');
    expect(pathsOf(await pack())).toEqual(['study.ipynb']);
  });

  test('a hidden notebook is refused: it could not come back under its name', async () => {
    await put('.study.ipynb', notebook('x = 1'));
    expect(await codeOf(pack({ notebook: '.study.ipynb' }))).toBe('workspace_unsafe');
  });

  test.each(['mocks', 'outputs', 'results'])('a link called %s is refused all the same: Cloister would write through it', async name => {
    await symlink('/tmp', at(name));
    await put('.cloisterignore', `${name}\n`);
    expect(await codeOf(pack())).toBe('workspace_unsafe');
  });

  test('a computed name is no matter where the assets are listed by hand', async () => {
    await put('study.ipynb', notebook('import cloister\nfor n in names: cloister.read_csv(n)\ncloister.read_csv("hospital/a")'));
    expect((await pack({ assets: ['registry/b'] })).assets).toEqual(['hospital/a', 'registry/b']);
  });
});
