import { findSandbox, probeSandbox, requireBlocked, runNotebook } from './notebook/index.js';
import type { NotebookSandbox } from './sandbox.js';

export interface BubblewrapOptions {
  readonly python: string;
  /** The folder with driver/, kernel/ and probe/. */
  readonly driverDir: string;
  /** The folder that holds the `cloister` Python package. */
  readonly cloisterModuleDir: string;
  readonly scratch: string;
  readonly teeSocket: string;
  /** What a notebook must not see of the runner: its image, its gateway. */
  readonly runnerFiles: readonly string[];
}

/** Notebooks in two bubblewrap sandboxes, in the strictest form that this host can make. */
export function createBubblewrapSandbox(options: BubblewrapOptions): NotebookSandbox {
  const { python, driverDir, cloisterModuleDir } = options;
  return {
    prepare: async () => {
      const form = await findSandbox();
      const probes = await probeSandbox(form, options);
      requireBlocked(probes);
      return { form: form.kind, probes, run: run => runNotebook({ form, python, driverDir, cloisterModuleDir, ...run }) };
    }
  };
}
