import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toUtf8 } from '@cloister/protocol';
import type { NotebookResult, NotebookRun, NotebookSandbox } from '../sandbox.js';

export interface FakeRun {
  /** Text of each input as the notebook would have read it. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface FakeSandboxOptions {
  readonly outcome?: NotebookResult['outcome'];
  /** Files under outputs/ by name. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** Anything else that the notebook does; gets its outputs folder. */
  readonly during?: (run: NotebookRun, outputsDir: string) => Promise<void>;
  readonly prepare?: () => void;
}

/** No isolation at all: for tests of what comes before and after a run. */
export function createFakeSandbox(options: FakeSandboxOptions = {}): { readonly sandbox: NotebookSandbox; readonly runs: FakeRun[] } {
  const runs: FakeRun[] = [];
  const run = async (task: NotebookRun): Promise<NotebookResult> => {
    const startedAt = new Date();
    const inputs = await Promise.all(task.inputs.map(async ({ name, file }) => [name, await readFile(file, 'utf8')] as const));
    runs.push({ inputs: Object.fromEntries(inputs), timeoutMs: task.timeoutMs });
    const outputsDir = join(task.scratch, 'outputs');
    await mkdir(outputsDir);
    for (const [name, text] of Object.entries(options.outputs ?? {})) {
      await mkdir(dirname(join(outputsDir, name)), { recursive: true });
      await writeFile(join(outputsDir, name), text);
    }
    task.onProgress({ cellsDone: 1, cellsTotal: 1 });
    await options.during?.(task, outputsDir);
    return { outcome: options.outcome ?? { status: 'succeeded' }, notebook: toUtf8('{"cells":[]}'), outputsDir, cells: { done: 1, total: 1 }, startedAt, endedAt: new Date() };
  };
  const prepare: NotebookSandbox['prepare'] = async () => {
    options.prepare?.();
    return { form: 'fresh-proc', probes: [{ probe: 'tee_socket', sandbox: 'kernel' }], run };
  };
  return { sandbox: { prepare }, runs };
}
