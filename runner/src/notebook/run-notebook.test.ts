import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { SandboxForm } from './bubblewrap.js';
import { runNotebook, type NotebookResult } from './run-notebook.js';
import { findSandbox } from './sandbox-form.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const PYTHON = join(ROOT, '.venv/bin/python');
const folders: string[] = [];
let form: SandboxForm;

beforeAll(async () => {
  form = await findSandbox();
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  expect(commandLines().filter(line => line.includes('4815162342'))).toEqual([]);
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cloister-run-test-'));
  folders.push(folder);
  return folder;
}

interface TestCell {
  readonly cell_type: string;
  readonly source: string | string[];
  readonly metadata: Record<string, unknown>;
  readonly execution_count?: number | null;
  readonly outputs?: Record<string, unknown>[];
}

const code = (source: string, tags: string[] = []): TestCell => ({
  cell_type: 'code',
  source,
  metadata: tags.length === 0 ? {} : { tags },
  execution_count: null,
  outputs: []
});

interface TestNotebook {
  readonly cells: TestCell[];
  readonly metadata: Record<string, unknown>;
}

type TestOptions = Parameters<typeof runNotebook>[0];

function prepare(cells: TestCell[], changes: Partial<TestOptions> = {}): TestOptions {
  const base = temporary();
  const workspace = join(base, 'bundle');
  mkdirSync(join(workspace, 'analysis'), { recursive: true });
  writeFileSync(join(workspace, 'analysis/sibling.py'), 'ANSWER = 42\n');
  const notebook = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'python3' } }, cells };
  writeFileSync(join(workspace, 'analysis/model.ipynb'), JSON.stringify(notebook));
  const modules = join(base, 'modules');
  mkdirSync(join(modules, 'cloister'), { recursive: true });
  writeFileSync(
    join(modules, 'cloister/__init__.py'),
    'import json, os\ndef path(name):\n    root = os.environ["CLOISTER_INPUTS"]\n    return json.load(open(root + "/index.json"))[name]["path"]\n'
  );
  return {
    form,
    python: PYTHON,
    driverDir: join(ROOT, 'python/runner'),
    cloisterModuleDir: modules,
    workspace,
    notebook: 'analysis/model.ipynb',
    inputs: [],
    scratch: join(base, 'attempt'),
    timeoutMs: 60_000,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...changes
  };
}

function run(cells: TestCell[], changes: Partial<TestOptions> = {}): Promise<NotebookResult> {
  return runNotebook(prepare(cells, changes));
}

function notebookOf(result: NotebookResult): TestNotebook {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-return -- the test reads its own notebook back
  return JSON.parse(new TextDecoder().decode(result.notebook));
}

function textOf(result: NotebookResult, cell: number): string {
  const outputs = notebookOf(result).cells[cell]?.outputs ?? [];
  return outputs.map(output => (typeof output['text'] === 'string' ? output['text'] : '')).join('');
}

function commandLines(): string[] {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
}

test('a notebook runs: outputs, an image, files, inputs, siblings and progress come back', async () => {
  const table = join(temporary(), 'table.csv');
  writeFileSync(table, 'a,b\n1,2\n');
  const progress: string[] = [];
  const cells: TestCell[] = [
    { cell_type: 'markdown', source: ['# Title'], metadata: { kept: true } },
    code('import cloister, sibling\nprint(sibling.ANSWER, open(cloister.path("hospital/measurements")).read())'),
    code('import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.savefig("outputs/plot.png"); plt.show()'),
    code('open("outputs/sub.json", "w").write("{}"); 6 * 7'),
    code('raise ValueError()', ['raises-exception']),
    code('1 / 0', ['skip-execution']),
    code('left = open("outputs/unclosed.txt", "w"); left.write("flushed at exit")')
  ];
  const result = await run(cells, {
    inputs: [{ name: 'hospital/measurements', file: table, mediaType: 'text/csv' }],
    onProgress: ({ cellsDone, cellsTotal }) => progress.push(`${cellsDone}/${cellsTotal}`)
  });
  expect(result.outcome).toEqual({ status: 'succeeded' });
  expect(result.cells).toEqual({ done: 5, total: 5 });
  expect(progress).toEqual(['0/5', '1/5', '2/5', '3/5', '4/5', '5/5']);
  expect(readdirSync(result.outputsDir).sort()).toEqual(['plot.png', 'sub.json', 'unclosed.txt']);
  expect(readFileSync(join(result.outputsDir, 'unclosed.txt'), 'utf8')).toBe('flushed at exit');
  const ran = notebookOf(result);
  expect(ran.cells.map(({ source, metadata }) => ({ source, metadata }))).toEqual(cells.map(({ source, metadata }) => ({ source, metadata })));
  expect(textOf(result, 1)).toBe('42 a,b\n1,2\n\n');
  expect(ran.cells[2]?.outputs?.some(output => JSON.stringify(output).includes('image/png'))).toBe(true);
  expect(ran.cells[3]?.outputs?.[0]).toMatchObject({ output_type: 'execute_result', data: { 'text/plain': '42' } });
  expect(ran.cells[3]?.execution_count).toBe(3);
  expect(result.firstCellAt?.getTime()).toBeGreaterThanOrEqual(result.startedAt.getTime());
}, 60_000);

test.concurrent.each([
  ['a cell raises', 'print("partial"); raise KeyError("gone")', 'cell_failed'],
  ['exit()', 'print("partial"); exit()', 'kernel_exited'],
  ['sys.exit', 'print("partial"); import sys; sys.exit(3)', 'kernel_exited'],
  ['os._exit', 'import os; os._exit(0)', 'kernel_exited'],
  ['SIGKILL', 'import os; os.kill(os.getpid(), 9)', 'kernel_killed'],
  ['a crash', 'import ctypes; ctypes.string_at(0)', 'kernel_killed'],
  ['input()', 'print("partial"); input("name?")', 'input_requested'],
  ['getpass', 'print("partial"); import getpass; getpass.getpass()', 'input_requested'],
  ['%pip install', 'print("partial")\n%pip install left-pad', 'install_refused'],
  ['!pip install', 'print("partial")\n!pip install left-pad', 'install_refused'],
  ['!python -m pip', 'print("partial")\n!python -m pip install left-pad', 'install_refused'],
  ['subprocess pip', 'print("partial"); import subprocess, sys; subprocess.run([sys.executable, "-m", "pip", "install", "x"])', 'install_refused'],
  ['pip as a program', 'print("partial"); import subprocess, sys, os; subprocess.run([os.path.dirname(sys.executable) + "/pip", "install", "x"])', 'install_refused'],
  ['pip.main', 'print("partial"); import pip; pip.main(["install", "x"])', 'install_refused'],
  ['%conda install', 'print("partial")\n%conda install left-pad', 'install_refused'],
  ['!conda install', 'print("partial")\n!conda install left-pad', 'install_refused']
])('%s: its own code, partial outputs kept, later cells not run', async (_, source, failure) => {
  const result = await run([code('print("before")'), code(source), code('open("outputs/after", "w").close()')]);
  expect(result.outcome).toMatchObject({ status: 'failed', code: failure });
  expect(result.cells).toEqual({ done: 1, total: 3 });
  expect(textOf(result, 0)).toBe('before\n');
  if (source.includes('partial')) expect(textOf(result, 1)).toContain('partial');
  expect(existsSync(join(result.outputsDir, 'after'))).toBe(false);
}, 60_000);

test('the traceback is plain text, and an install says why not', async () => {
  const raised = await run([code('def f():\n    raise KeyError("gone")\nf()')]);
  expect(raised.outcome).toMatchObject({ code: 'cell_failed', traceback: expect.stringContaining("KeyError: 'gone'") as string });
  expect(JSON.stringify(raised.outcome)).not.toContain('u001b');
  const refused = await run([code('!pip install left-pad')]);
  expect(JSON.stringify(notebookOf(refused).cells[0]?.outputs)).toContain('no network');
  expect(refused.outcome).toMatchObject({ traceback: expect.stringContaining('cannot be installed here') as string });
}, 60_000);

test('what only asks pip or reads its list goes on to the real one', async () => {
  const result = await run([code('!pip --version\n!pip list\n%pip --version')]);
  expect(result.outcome).toEqual({ status: 'succeeded' });
  expect(textOf(result, 0)).toMatch(/^pip \d+[^]*nbclient[^]*pip \d+/);
}, 60_000);

test.concurrent.each([
  ['in Python', 'print("partial", flush=True)\nwhile True: pass'],
  ['in C code', 'print("partial", flush=True)\nimport time; time.sleep(1); import ctypes; ctypes.PyDLL(None).sleep(1000)'],
  ['printing', 'while True: print("partial" * 100)']
])('a cell that never ends %s: deadline_exceeded, partial outputs kept', async (_, source) => {
  const result = await run([code('print("before")'), code(source)], { timeoutMs: 10_000 });
  expect(result.outcome).toEqual({ status: 'failed', code: 'deadline_exceeded' });
  expect(textOf(result, 0)).toBe('before\n');
  expect(textOf(result, 1)).toContain('partial');
  expect(result.endedAt.getTime() - result.startedAt.getTime()).toBeGreaterThanOrEqual(10_000);
}, 60_000);

test('a run is cancelled: before it starts, and while it runs', async () => {
  const early = await run([code('1')], { signal: AbortSignal.abort() });
  expect(early.outcome).toEqual({ status: 'failed', code: 'cancelled' });
  const controller = new AbortController();
  const late = await run([code('import time; time.sleep(4815162342)')], { signal: controller.signal, onProgress: () => controller.abort() });
  expect(late.outcome).toEqual({ status: 'failed', code: 'cancelled' });
}, 60_000);

test('a kernel that the image does not have, and one that cannot start: kernel_unavailable', async () => {
  const options = prepare([]);
  const notebook = { nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'julia-1.10' } }, cells: [code('1')] };
  writeFileSync(join(options.workspace, options.notebook), JSON.stringify(notebook));
  expect((await runNotebook(options)).outcome).toEqual({ status: 'failed', code: 'kernel_unavailable' });
  const driverDir = join(temporary(), 'runner');
  execFileSync('cp', ['-r', join(ROOT, 'python/runner'), driverDir]);
  writeFileSync(join(driverDir, 'kernel/bootstrap.py'), 'raise SystemExit("no kernel today")');
  expect((await run([code('1')], { driverDir })).outcome).toMatchObject({ code: 'kernel_unavailable', traceback: expect.stringContaining('no kernel today') as string });
}, 60_000);

const MET = 'print("{\\"state\\":\\"connecting\\"}", flush=True)\n';

test.concurrent.each([
  ['dies at start', 'raise SystemExit("broken driver")', 'runner_failed'],
  ['says what a driver does not say', 'import time; print("{\\"state\\":\\"running\\",\\"done\\":7}", flush=True); time.sleep(4815162342)', 'runner_failed'],
  ['claims success without running', 'import json, sys; json.dump({"v": 1, "done": 0, "cells": []}, open(sys.argv[3], "w"))', 'runner_failed'],
  ['leaves a link for a result', 'import os, sys; os.symlink("/etc/passwd", sys.argv[3])', 'runner_failed'],
  ['dies once it met the kernel', `${MET}raise SystemExit("taken over")`, 'kernel_misbehaved'],
  ['claims success once it met the kernel', `${MET}import json, sys; json.dump({"v": 1, "done": 0, "cells": []}, open(sys.argv[3], "w"))`, 'kernel_misbehaved'],
  ['leaves a result of too many lists', `${MET}import sys; open(sys.argv[3], "w").write('{"v":1,"done":1,"cells":[{"index":0,"executionCount":1,"outputs":[' + ",".join(["[]"] * 20_000_000) + ']}]}')`, 'kernel_misbehaved'],
  ['leaves a result that is too large', `${MET}import os, sys; open(sys.argv[3], "w").close(); os.truncate(sys.argv[3], 1 << 40)`, 'kernel_misbehaved']
])('a driver that %s: the runner’s fault before it met the kernel and the notebook’s after, and the sources are those submitted', async (_, driver, failure) => {
  const driverDir = join(temporary(), 'runner');
  execFileSync('cp', ['-r', join(ROOT, 'python/runner'), driverDir]);
  writeFileSync(join(driverDir, 'driver/notebook_driver.py'), driver);
  const result = await run([code('import time; time.sleep(4815162342)')], { driverDir });
  expect(result.outcome).toMatchObject({ status: 'failed', code: failure });
  expect(notebookOf(result).cells[0]?.source).toBe('import time; time.sleep(4815162342)');
}, 60_000);

test('nothing of a run lives on: not its daemons, whichever way it ends', async () => {
  const asleep = (name: string) => `sh -c 'echo > ${name}; exec sleep 4815162342' >/dev/null 2>&1 &`;
  const daemon = `%%bash\nsetsid ${asleep('one')}\n(setsid env -i ${asleep('two')})\nuntil [ -e one -a -e two ]; do :; done; echo both`;
  for (const last of ['1', 'raise ValueError()', 'import os; os.kill(os.getpid(), 9)']) {
    const result = await run([code(daemon), code(last)]);
    expect(textOf(result, 0)).toBe('both\n');
    expect(commandLines().filter(line => line.includes('4815162342'))).toEqual([]);
  }
}, 60_000);

test('two runs at once do not see each other', async () => {
  // Not folders: a checkout below /tmp is there as the place of its interpreter.
  const listed = 'sorted(entry.name for entry in os.scandir("/tmp") if entry.is_file())';
  const source = (name: string) => `import os, time\nopen("/tmp/${name}", "w").close(); time.sleep(1)\nprint(${listed}, "${name}")`;
  const results = await Promise.all([run([code(source('first'))]), run([code(source('second'))])]);
  expect(results.map(result => result.outcome.status)).toEqual(['succeeded', 'succeeded']);
  expect(results.map(result => textOf(result, 0))).toEqual(["['first'] first\n", "['second'] second\n"]);
}, 60_000);

test('without a fresh /proc a notebook runs as well', async () => {
  const source = 'import os, sklearn.linear_model\nprint(os.listdir("/proc"), os.cpu_count() >= 1)\n!echo shell';
  const result = await run([code(source)], { form: { ...form, kind: 'empty-proc', sysctl: false } });
  expect(result.outcome).toEqual({ status: 'succeeded' });
  expect(textOf(result, 0)).toMatch(/^\[\] True\nshell\r?\n$/);
}, 60_000);

test('a cell cannot change the workspace it came from, its inputs, or where outputs are read', async () => {
  const table = join(temporary(), 'table.csv');
  writeFileSync(table, 'a\n1\n');
  const options = prepare([code('import os, shutil\nopen("sibling.py", "w").write("X = 1")\nshutil.rmtree("outputs"); os.symlink("/etc", "outputs")'), code('open("/cloister/inputs/0", "w")', ['raises-exception'])], {
    inputs: [{ name: 'a/b', file: table, mediaType: 'text/csv' }]
  });
  writeFileSync(join(options.workspace, 'analysis/outputs'), 'from the bundle');
  const result = await runNotebook(options);
  expect(result.outcome).toEqual({ status: 'failed', code: 'output_refused' });
  expect(readdirSync(result.outputsDir)).toEqual([]);
  expect(readFileSync(join(options.workspace, 'analysis/sibling.py'), 'utf8')).toBe('ANSWER = 42\n');
  expect(readFileSync(table, 'utf8')).toBe('a\n1\n');
  expect(JSON.stringify(notebookOf(result).cells[1]?.outputs)).toContain('Read-only file system');
}, 60_000);

test('a notebook cannot write its own sources or an output of its own making', async () => {
  const source = 'from IPython import get_ipython\nk = get_ipython().kernel\n' +
    'k.send_response(k.iopub_socket, "display_data", {"data": {"text/plain": 5, "text/html": "x"}, "metadata": {}, "transient": {}})\n' +
    'get_ipython().set_next_input("forged", replace=True)';
  const result = await run([code(source)]);
  expect(result.outcome).toEqual({ status: 'succeeded' });
  expect(notebookOf(result).cells[0]?.source).toBe(source);
  expect(textOf(result, 0)).toContain('an output was left out: it is not of a known type');
}, 60_000);

test.each([
  ['a path out of the workspace', { notebook: '../escape.ipynb' }, 'notebook_missing'],
  ['no such notebook', { notebook: 'none.ipynb' }, 'notebook_missing']
])('%s is refused', async (_, changes, refusal) => {
  await expect(run([code('1')], changes)).rejects.toMatchObject({ code: refusal });
});

test('what is no notebook of nbformat 4, and a workspace with a link, are refused', async () => {
  const options = prepare([]);
  writeFileSync(join(options.workspace, options.notebook), '{"nbformat":3,"worksheets":[]}');
  await expect(runNotebook(options)).rejects.toMatchObject({ code: 'notebook_unsupported' });
  writeFileSync(join(options.workspace, options.notebook), 'print(1)');
  await expect(runNotebook(options)).rejects.toMatchObject({ code: 'notebook_not_json' });
  const linked = prepare([code('1')]);
  symlinkSync('/etc', join(linked.workspace, 'link'));
  await expect(runNotebook(linked)).rejects.toMatchObject({ code: 'bundle_invalid' });
});

const AS_SESSION = 'k = get_ipython().kernel\ns = k.session\nsend, pack = s.send, s.pack\n';

test.concurrent.each([
  ['a reply without members', `${AS_SESSION}s.send = lambda stream, m, content=None, *a, **o: send(stream, m, {} if m == "execute_reply" else content, *a, **o)`],
  ['messages signed by another key', `${AS_SESSION}s.key = b"x"`],
  ['bytes that are no text', `${AS_SESSION}s.pack = lambda o: b"\\xff\\xfe" if isinstance(o, dict) and o.get("name") == "stdout" else pack(o)\nprint("x", flush=True)\ns.pack = pack`],
  ['nesting without end', `${AS_SESSION}deep = "[" * 200000 + "]" * 200000\ns.pack = lambda o: ('{"data":{"application/json":' + deep + '},"metadata":{},"transient":{}}').encode() if isinstance(o, dict) and "DEEP" in o else pack(o)\nsend(k.iopub_socket, "display_data", {"DEEP": 1}, parent=k.get_parent("shell"))\ns.pack = pack`],
  ['a comm without its members', `${AS_SESSION}send(k.iopub_socket, "comm_open", {"comm_id": "x", "target_name": "jupyter.widget", "data": {"state": {"a": 1}}}, parent=k.get_parent("shell"))`]
])('a kernel that is made to send %s fails its notebook for good', async (_, source) => {
  const result = await run([code('print("before")'), code(source)], { timeoutMs: 20_000 });
  expect(result.outcome).toMatchObject({ status: 'failed' });
  // Each a code that is reported. A fault of the runner would be tried again, on the data, with no word about it.
  expect(result.outcome).not.toMatchObject({ code: 'runner_failed' });
  expect(textOf(result, 0)).toBe('before\n');
}, 60_000);

test('output at the cap comes back whole, whatever its characters take', async () => {
  const result = await run([code('print("漢" * 15_000_000)'), code('print("\\x01" * 15_000_000)'), code('print("end")')]);
  expect(result.outcome).toEqual({ status: 'succeeded' });
  expect(textOf(result, 0)).toBe(`${'漢'.repeat(15_000_000)}\n`);
  expect(textOf(result, 1)).toContain('left out: too much');
  expect(textOf(result, 2)).toBe('end\n');
}, 60_000);

test('text of 28 million wide characters, lone surrogates and millions of empty lists fail no run', async () => {
  const lists = 'from IPython.display import display\nx = [[] for _ in range(2_000_000)]\nfor _ in range(58): x = [x]\ndisplay({"application/json": x, "text/plain": "x"}, raw=True)';
  const updates = 'h = display("x", display_id="a")\nfor _ in range(200): display("y", display_id="a")\nh.update("z" * 1_000_000)';
  const result = await run([code('print("漢" * 28_000_000)'), code(lists), code(`${AS_SESSION}s.pack = lambda o: pack(o).replace(b"LONE", b"\\\\ud800")\nprint("lone LO" + "NE", flush=True)`), code(updates), code('print("end")')]);
  expect(result.outcome).toEqual({ status: 'succeeded' });
  for (const cell of [0, 1]) expect(textOf(result, cell)).toContain('left out: too much');
  expect(textOf(result, 2)).toContain('lone ?');
  expect(result.notebook.length).toBeLessThan(64 * 1024 * 1024);
  expect(textOf(result, 4)).toBe('end\n');
}, 60_000);

test('what Python takes for an empty cell is one here: every character of it', async () => {
  const blanks = execFileSync(PYTHON, ['-c', 'print(*(n for n in range(0x110000) if not chr(n).strip()))'], { encoding: 'utf8' }).trim().split(' ');
  const result = await run([code('print(1)'), code(blanks.map(number => String.fromCodePoint(Number(number))).join('')), code('\u001c')]);
  expect(result).toMatchObject({ outcome: { status: 'succeeded' }, cells: { done: 1, total: 1 } });
  expect((await run([code('print(1)'), code('\ufeff')])).outcome).not.toMatchObject({ code: 'runner_failed' });
}, 60_000);
