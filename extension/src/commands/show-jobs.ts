import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Digest } from '@cloister/protocol';
import { cloisterIcon } from '../icons';
import { CommandIDs } from './ids';

export interface IShowJobsDeps {
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
  /** Reveals the sidebar, and the job in it. */
  readonly show: (job: Digest | undefined) => void;
  /** Whether the sidebar comes forward when a job was submitted. */
  readonly opensOnSubmit: () => boolean;
}

/** Reveals the sidebar. The plugin that makes it adds this: without it there is nothing to show. */
export function addShowJobs({ commands, trans, show, opensOnSubmit }: IShowJobsDeps): IDisposable {
  return commands.addCommand(CommandIDs.showJobs, {
    label: trans.__('Cloister Jobs'),
    caption: trans.__('Show the jobs that you submitted to TEEs'),
    icon: args => (args['isPalette'] === true ? undefined : cloisterIcon),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          job: { type: 'string', description: 'Digest of a job to show.' },
          submitted: { type: 'boolean', description: 'A job was just submitted: shown only where the settings say so.' },
          isPalette: { type: 'boolean', description: 'Called from the command palette, which shows no icons.' }
        }
      }
    },
    execute: args => {
      if (args['submitted'] === true && !opensOnSubmit()) return;
      const job = Digest.safeParse(args['job']);
      show(job.success ? job.data : undefined);
    }
  });
}
