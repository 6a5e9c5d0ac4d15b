import { join } from 'node:path';
import { ensurePrivateDirectory } from '@cloister/kit';

/** Where the agent keeps its state: files that the command line and JupyterLab's agent both use. */
export interface StateFolder {
  readonly root: string;
  readonly keys: string;
  readonly trust: string;
  readonly appraisal: string;
  readonly settings: string;
  readonly jobs: string;
  readonly submissions: string;
  /** The newest version of each asset that was ever seen. */
  readonly seenAssets: string;
}

/** @param home the directory of all of Cloister's state, `~/.cloister` by default */
export function stateFolderOf(home: string): StateFolder {
  const root = join(home, 'agent');
  return {
    root,
    keys: join(root, 'keys.json'),
    trust: join(root, 'trust.json'),
    appraisal: join(root, 'appraisal.json'),
    settings: join(root, 'settings.json'),
    jobs: join(root, 'jobs'),
    submissions: join(root, 'submissions'),
    seenAssets: join(root, 'seen-assets.json')
  };
}

export async function ensureStateFolder(state: StateFolder): Promise<void> {
  for (const folder of [state.root, state.jobs, state.submissions]) await ensurePrivateDirectory(folder);
}
