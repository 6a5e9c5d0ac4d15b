/**
 * The folders of one attempt on the host, and how its two sandboxes see them. The kernel sees a copy of the workspace, the
 * inputs and its own files; the driver sees the code cells and a folder for its result. They share `ipc`, where the kernel
 * makes its sockets and the driver, for whom it is read-only, connects.
 */
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

import { AppError } from '@cloister/protocol';

import type { Mount, SandboxRoot } from './bubblewrap.js';
import type { Interpreter } from './interpreter.js';

/** An asset that the notebook may read, already in the clear. */
export interface NotebookInput {
  /** `owner/asset`, as the notebook names it. */
  readonly name: string;
  /** Host path of the table. */
  readonly file: string;
  readonly mediaType: string;
}

/** Host paths that are the same for every run. */
export interface Programs {
  readonly interpreter: Interpreter;
  /** The folder with driver/, kernel/ and probe/. */
  readonly driverDir: string;
  /** The folder that holds the `cloister` Python package. */
  readonly cloisterModuleDir: string;
}

/** Where things are inside. Socket paths must stay under 108 bytes, whatever the host’s paths are. */
export const INSIDE = {
  ipc: '/cloister/ipc',
  connection: '/cloister/connection.json',
  kernel: '/cloister/kernel',
  module: '/cloister/python/cloister',
  inputs: '/cloister/inputs',
  driver: '/cloister/driver',
  notebook: '/cloister/notebook.json',
  result: '/cloister/result',
  probe: '/cloister/probe',
  workspace: '/workspace',
  home: '/home/notebook'
} as const;

/** What only the other sandbox may see; probed at start. */
export const ONLY_IN_KERNEL = [INSIDE.inputs, INSIDE.workspace, INSIDE.home, INSIDE.kernel, INSIDE.module] as const;
export const ONLY_IN_DRIVER = [INSIDE.driver, INSIDE.notebook, INSIDE.result] as const;

/** The folders of one attempt, all under its scratch folder. */
export interface Stage {
  readonly etc: string;
  readonly ipc: string;
  readonly connection: string;
  readonly inputIndex: string;
  readonly workspace: string;
  readonly home: string;
  readonly driverNotebook: string;
  readonly resultFolder: string;
}

const STUBS: Readonly<Record<string, string>> = {
  passwd: 'notebook:x:1000:1000:notebook:/home/notebook:/bin/sh\n',
  group: 'notebook:x:1000:\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n'
};

/** Makes the folders in `scratch`, which must not hold any of them yet. */
export async function createStage(scratch: string, driverNotebook: string, inputs: readonly NotebookInput[]): Promise<Stage> {
  const stage: Stage = {
    etc: join(scratch, 'etc'),
    ipc: join(scratch, 'ipc'),
    connection: join(scratch, 'connection.json'),
    inputIndex: join(scratch, 'inputs.json'),
    workspace: join(scratch, 'workspace'),
    home: join(scratch, 'home'),
    driverNotebook: join(scratch, 'notebook.json'),
    resultFolder: join(scratch, 'result')
  };
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  for (const folder of [stage.etc, stage.ipc, stage.workspace, stage.home, stage.resultFolder]) await mkdir(folder, { mode: 0o700 });
  for (const [name, text] of Object.entries(STUBS)) await writeOnce(join(stage.etc, name), text);
  await writeOnce(stage.connection, connectionFile());
  await writeOnce(stage.driverNotebook, driverNotebook);
  await writeOnce(stage.inputIndex, JSON.stringify(indexOf(inputs)));
  return stage;
}

function writeOnce(path: string, text: string): Promise<void> {
  return writeFile(path, text, { flag: 'wx', mode: 0o600 });
}

/** Jupyter’s connection file; over ipc a "port" is the ending of a socket’s name. */
function connectionFile(): string {
  return JSON.stringify({
    transport: 'ipc',
    ip: `${INSIDE.ipc}/kernel`,
    shell_port: 1,
    iopub_port: 2,
    stdin_port: 3,
    control_port: 4,
    hb_port: 5,
    key: randomBytes(32).toString('hex'),
    signature_scheme: 'hmac-sha256'
  });
}

function inputPath(index: number): string {
  return `${INSIDE.inputs}/${index}`;
}

function indexOf(inputs: readonly NotebookInput[]): Record<string, { path: string; mediaType: string }> {
  return Object.fromEntries(inputs.map(({ name, mediaType }, index) => [name, { path: inputPath(index), mediaType }]));
}

function systemStubs(stage: Stage): Mount[] {
  return Object.keys(STUBS).map(name => ({ from: join(stage.etc, name), to: `/etc/${name}` }));
}

function python({ roots }: Interpreter): Mount[] {
  return roots.map(root => ({ from: root, to: root }));
}

/** What the kernel’s sandbox sees. `folder` is the notebook’s own, relative to the workspace. */
export function kernelRoot(stage: Stage, programs: Programs, run: { inputs: readonly NotebookInput[]; folder: string }): SandboxRoot {
  return {
    readOnly: [
      ...systemStubs(stage),
      ...python(programs.interpreter),
      { from: join(programs.driverDir, 'kernel'), to: INSIDE.kernel },
      { from: join(programs.cloisterModuleDir, 'cloister'), to: INSIDE.module },
      { from: stage.connection, to: INSIDE.connection },
      { from: stage.inputIndex, to: `${INSIDE.inputs}/index.json` },
      ...run.inputs.map(({ file }, index) => ({ from: file, to: inputPath(index) }))
    ],
    writable: [
      { from: stage.ipc, to: INSIDE.ipc },
      { from: stage.workspace, to: INSIDE.workspace },
      { from: stage.home, to: INSIDE.home }
    ],
    workingFolder: posix.join(INSIDE.workspace, run.folder),
    environment: {
      ...basicEnvironment(programs.interpreter, `${INSIDE.kernel}/bin:`),
      HOME: INSIDE.home,
      CLOISTER_INPUTS: INSIDE.inputs,
      PYTHONPATH: `${INSIDE.kernel}/modules:${dirname(INSIDE.module)}`,
      // What slips past the guards against installing must fail at once instead of retrying without a network.
      PIP_NO_INDEX: '1',
      PIP_RETRIES: '0',
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      UV_OFFLINE: '1'
    }
  };
}

/** What the driver’s sandbox sees: neither inputs nor workspace. */
export function driverRoot(stage: Stage, programs: Programs): SandboxRoot {
  return {
    readOnly: [
      ...systemStubs(stage),
      ...python(programs.interpreter),
      { from: join(programs.driverDir, 'driver'), to: INSIDE.driver },
      { from: stage.connection, to: INSIDE.connection },
      { from: stage.driverNotebook, to: INSIDE.notebook },
      { from: stage.ipc, to: INSIDE.ipc }
    ],
    writable: [{ from: stage.resultFolder, to: INSIDE.result }],
    workingFolder: '/',
    environment: { ...basicEnvironment(programs.interpreter, ''), HOME: '/tmp' }
  };
}

function basicEnvironment({ path }: Interpreter, firstOnPath: string): Record<string, string> {
  return {
    PATH: `${firstOnPath}${dirname(path)}:/usr/local/bin:/usr/bin:/bin`,
    USER: 'notebook',
    LOGNAME: 'notebook',
    LANG: 'C.UTF-8',
    TZ: 'UTC'
  };
}

/** The folder of outputs that a notebook in `folder` writes to. */
export function outputsOf(stage: Stage, folder: string): string {
  return join(stage.workspace, folder, 'outputs');
}

/**
 * Copies the workspace, so that the notebook may write to it, and makes an empty `outputs` folder beside the notebook: what a
 * bundle brought under that name would pass for an output of the run. Throws `bundle_invalid` on anything but files and folders.
 */
export async function copyWorkspace(workspace: string, stage: Stage, folder: string): Promise<void> {
  const outputs = outputsOf(stage, folder);
  const copy = async (from: string, to: string): Promise<void> => {
    for (const entry of await readdir(from, { withFileTypes: true })) {
      const source = join(from, entry.name);
      const target = join(to, entry.name);
      if (target === outputs) continue;
      if (entry.isDirectory()) {
        await mkdir(target, { mode: 0o700 });
        await copy(source, target);
      } else if (entry.isFile()) {
        await copyFile(source, target);
        await chmod(target, (await lstat(source)).mode | 0o600);
      } else {
        throw new AppError('bundle_invalid', 'the workspace holds something that is neither file nor folder');
      }
    }
  };
  await copy(workspace, stage.workspace);
  await mkdir(outputs, { recursive: true, mode: 0o700 });
}

/**
 * Lets the runner into the folders on the way to the outputs, which a cell may have locked: they are the runner’s own. Never
 * through a link. Only when every process of the notebook is dead.
 */
export async function openFolders(stage: Stage, folder: string): Promise<void> {
  let path = stage.workspace;
  for (const name of ['', ...folder.split('/')]) {
    path = join(path, name);
    const status = await lstat(path).catch(() => undefined);
    if (status?.isDirectory() !== true) return;
    await chmod(path, 0o700);
  }
}

/**
 * What became of the outputs folder. A cell may have put a link there, or for a folder above, and the runner would follow it out
 * of the sandbox: that is `foreign`. Only true when every process of the notebook is dead.
 */
export async function outputsState(stage: Stage, outputs: string): Promise<'kept' | 'removed' | 'foreign'> {
  const status = await lstat(outputs).catch(() => undefined);
  if (status === undefined) return 'removed';
  const [real, root] = await Promise.all([realpath(outputs).catch(() => ''), realpath(stage.workspace)]);
  return status.isDirectory() && join(root, outputs.slice(stage.workspace.length)) === real ? 'kept' : 'foreign';
}
