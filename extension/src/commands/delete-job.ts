import type { IDisposable } from '@lumino/disposable';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { deleteIcon } from '@jupyterlab/ui-components';
import { AGENT_ROUTES } from '@cloister/protocol';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IOwnJob } from '../model/own-job';
import { nameOf } from '../words/job-words';
import { CommandIDs } from './ids';
import { JOB_ARGS, jobOf } from './job-args';
import type { IJobCommandDeps } from './job-commands';
import { tellProblem } from './tell-problem';

/** Deletes a job that has ended, after asking. */
export function addDeleteJob({ commands, agent, jobs, trans }: IJobCommandDeps): IDisposable {
  return commands.addCommand(CommandIDs.deleteJob, {
    label: trans.__('Delete Job…'),
    caption: trans.__('Delete a job that has ended, with its sealed outputs at the server'),
    icon: deleteIcon,
    describedBy: { args: JOB_ARGS },
    execute: async args => {
      try {
        const job = jobOf(args);
        if (!(await isSure(jobs.find(job) ?? (await jobs.fetch(job)), trans))) return;
        await agent.call(AGENT_ROUTES.deleteOwnJob, { params: { job }, body: {} });
        await jobs.refresh();
      } catch (error) {
        tellProblem(error, trans);
      }
    }
  });
}

async function isSure(own: IOwnJob, trans: TranslationBundle): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Delete the job of %1?', nameOf(own, trans)),
    body: lossOf(own, trans),
    buttons: [Dialog.cancelButton({ label: trans.__('Keep') }), Dialog.warnButton({ label: trans.__('Delete') })],
    // Enter must not delete.
    defaultButton: 0
  });
  return button.accept;
}

/** What would be gone. */
function lossOf({ view, results }: IOwnJob, trans: TranslationBundle): string {
  if (view.report === undefined) return trans.__('It has no outputs. It leaves this list, and the server deletes what was sent.');
  if (results === undefined) return trans.__('You have not opened its outputs. They and the report are deleted at the server, and nobody can get them back.');
  return trans.__('Its sealed outputs and its report are deleted at the server. Files that you opened stay on your machine.');
}
