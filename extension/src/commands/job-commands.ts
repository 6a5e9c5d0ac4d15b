import type { CommandRegistry } from '@lumino/commands';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IAgent, IJobs } from '../tokens';

/** What the commands on jobs need. */
export interface IJobCommandDeps {
  readonly commands: CommandRegistry;
  readonly agent: IAgent;
  readonly jobs: IJobs;
  readonly trans: TranslationBundle;
  /** Whether there is a file at a path of the file browser. */
  readonly exists: (path: string) => Promise<boolean>;
}
