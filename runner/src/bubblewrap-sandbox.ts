import { createSandboxList, describeInterpreter, findSandbox, probeSandbox, requireApart, requireBlocked, runNotebookWith } from './notebook/index.js';
import type { NotebookSandbox } from './sandbox.js';

export interface BubblewrapOptions {
  readonly python: string;
  /** The folder with driver/, kernel/ and probe/. */
  readonly driverDir: string;
  /** The folder that holds the `cloister` Python package. */
  readonly cloisterModuleDir: string;
  readonly scratch: string;
  /** File with the sandboxes that may live, for whoever started the runner; without it that one ends all processes with it. */
  readonly sandboxList?: string;
  readonly teeSocket: string;
  /** What a notebook must not see of the runner: its image, its gateway. */
  readonly runnerFiles: readonly string[];
  /** Folders that the folders of Python must neither contain nor lie in. */
  readonly keptApart: readonly string[];
}

/** Notebooks in two bubblewrap sandboxes, in the strictest form that this host can make. */
export function createBubblewrapSandbox(options: BubblewrapOptions): NotebookSandbox {
  const { driverDir, cloisterModuleDir } = options;
  return {
    prepare: async () => {
      // Once, and before there is data: it starts a program of the operator's choice outside of any sandbox.
      const interpreter = await describeInterpreter(options.python);
      await requireApart(interpreter, options.keptApart);
      const form = await findSandbox(options.sandboxList === undefined ? undefined : createSandboxList(options.sandboxList));
      const probes = await probeSandbox(form, { ...options, interpreter });
      requireBlocked(probes);
      return { form: form.kind, probes, run: run => runNotebookWith(interpreter, { form, driverDir, cloisterModuleDir, ...run }) };
    }
  };
}
