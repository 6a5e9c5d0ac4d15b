import { existsSync } from 'node:fs';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { launchJupyter } from '../../scripts/jupyter/launch.mjs';
import type { Bench } from './figure.js';

export interface LabOptions {
  /** Cloister's state directory. */
  readonly home: string;
  readonly workspace: string;
  /** Our extension is there; true where left out. */
  readonly withExtension?: boolean;
}

export interface Lab {
  /** Opens JupyterLab, without a notebook, and logs in. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const OURS = 'cloister';

/** JupyterLab as a process, with its own state; the agent is started by it, as for everybody. */
export async function startLab({ root, resources }: Bench, { home, workspace, withExtension = true }: LabOptions): Promise<Lab> {
  const state = await resources.folder('jupyter');
  const extensions = join(state, 'labextensions');
  await copyExtensions(join(root, '.venv/share/jupyter/labextensions'), extensions, name => withExtension || name !== OURS);
  const launched = await launchJupyter({
    root,
    home: state,
    workspace,
    port: 0,
    page: 'lab',
    env: { CLOISTER_HOME: home },
    args: [
      // The same way for both, so that nothing differs but the one extension.
      `--LabApp.labextensions_path=${extensions}`,
      '--LabApp.expose_app_in_browser=True'
    ]
  });
  return { url: launched.url, stop: resources.onEnd(launched.stop) };
}

/** Copied, so that whoever builds the extension meanwhile takes nothing away from under a page. */
async function copyExtensions(from: string, to: string, wanted: (name: string) => boolean): Promise<void> {
  await mkdir(to);
  const names = await readdir(from);
  if (!names.includes(OURS)) throw new Error(`the extension is not installed in ${from}: npm run setup`);
  for (const name of names.filter(wanted)) await cp(join(from, name), join(to, name), { recursive: true, dereference: true });
  // The last file that its build writes.
  if (names.filter(wanted).includes(OURS) && !existsSync(join(to, OURS, 'install.json'))) throw new Error('the extension is being built just now: try again');
}
