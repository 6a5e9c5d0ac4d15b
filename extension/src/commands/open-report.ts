import type { CommandRegistry } from '@lumino/commands';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog, type IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { AGENT_ROUTES, Digest, TERMINAL_STATES } from '@cloister/protocol';
import { reportIcon } from '../icons';
import { problemOf } from '../model/problem';
import { REPORT_EXTENSION, REPORT_FACTORY } from '../report/report-widget';
import type { IAgent } from '../tokens';
import { CommandIDs } from './ids';

export interface IOpenReportDeps {
  readonly commands: CommandRegistry;
  readonly agent: IAgent | null;
  readonly browser: IDefaultFileBrowser | null;
  readonly documents: IDocumentManager | null;
  readonly translator: ITranslator;
  readonly trans: TranslationBundle;
}

const ARGUMENTS = {
  type: 'object',
  properties: {
    path: { type: 'string', description: 'Path of a report in the file browser.' },
    job: { type: 'string', description: 'Digest of a job whose report is to be opened.' },
    fromBrowser: { type: 'boolean', description: 'Whether the file that is selected in the file browser is meant.' },
    isPalette: { type: 'boolean', description: 'Whether the command is shown in the command palette.' }
  }
} as const;

/** Opens a report in the viewer: a file by its path, a job's by the job, else the selected file, else one that is asked for. */
export function addOpenReport(deps: IOpenReportDeps): void {
  const { commands, trans } = deps;
  commands.addCommand(CommandIDs.openReport, {
    label: args => (args['fromBrowser'] === true || args['path'] !== undefined ? trans.__('Open Attestation Report') : trans.__('Open Attestation Report…')),
    caption: trans.__('Check an attestation report, and show what it proves'),
    icon: args => (args['isPalette'] === true ? undefined : reportIcon),
    describedBy: { args: ARGUMENTS },
    execute: async args => {
      const { path, job } = args;
      if (typeof path === 'string') return openPath(deps, path);
      if (typeof job === 'string') return openJob(deps, job);
      const chosen = selectedReport(deps) ?? (await askForReport(deps));
      return chosen === undefined ? undefined : openPath(deps, chosen);
    }
  });
}

/** By the viewer, also where somebody made another one the default. */
async function openPath({ commands }: IOpenReportDeps, path: string): Promise<unknown> {
  return commands.execute('docmanager:open', { path, factory: REPORT_FACTORY });
}

function selectedReport({ browser }: IOpenReportDeps): string | undefined {
  if (browser === null) return undefined;
  return Array.from(browser.selectedItems()).find(item => item.type !== 'directory' && isReportName(item.name))?.path;
}

function isReportName(name: string): boolean {
  return name.toLowerCase().endsWith(REPORT_EXTENSION);
}

async function askForReport({ documents, translator, trans }: IOpenReportDeps): Promise<string | undefined> {
  if (documents === null) {
    await tell(trans, trans.__('Select a report in the file browser first. Its name ends in %1.', REPORT_EXTENSION));
    return undefined;
  }
  const answer = await FileDialog.getOpenFiles({
    manager: documents,
    translator,
    title: trans.__('Open an attestation report'),
    filter: item => (item.type === 'directory' || isReportName(item.name) ? {} : null)
  });
  return answer.button.accept ? answer.value?.find(item => isReportName(item.name))?.path : undefined;
}

/** A job's report lies where its outputs were opened. Where they were not yet, that is offered. */
async function openJob(deps: IOpenReportDeps, name: string): Promise<unknown> {
  const { commands, trans } = deps;
  const job = Digest.safeParse(name);
  if (!job.success) return tell(trans, trans.__('There is no such job.'));
  const found = await reportOf(deps, job.data);
  if (found.path !== undefined) return openPath(deps, found.path);
  if (found.trouble !== undefined) return tell(trans, found.trouble);
  const canOpen = commands.hasCommand(CommandIDs.openOutputs);
  const { button } = await showDialog({
    title: trans.__('The report is not here yet'),
    body: canOpen
      ? trans.__('It comes with the job’s outputs. They are verified first, and opened only if the report holds.')
      : trans.__('It comes with the job’s outputs. Open them by the command line: cloister outputs'),
    buttons: canOpen ? [Dialog.cancelButton({ label: trans.__('Not now') }), Dialog.okButton({ label: trans.__('Verify and open outputs') })] : [Dialog.okButton({ label: trans.__('Close') })]
  });
  if (!canOpen || !button.accept) return undefined;
  await commands.execute(CommandIDs.openOutputs, { job: job.data });
  const opened = await reportOf(deps, job.data);
  return opened.path === undefined ? undefined : openPath(deps, opened.path);
}

/** Where the report of a job lies; or why there is none, in words. */
async function reportOf({ agent, trans }: IOpenReportDeps, job: Digest): Promise<{ readonly path?: string; readonly trouble?: string }> {
  if (agent === null) return { trouble: trans.__('Cloister’s agent cannot be asked: its plugin is disabled. Open the report from the file browser.') };
  try {
    const { report, view } = await agent.call(AGENT_ROUTES.getOwnJob, { params: { job } });
    if (report !== undefined) return { path: report };
    return !TERMINAL_STATES.has(view.state) ? { trouble: trans.__('The job still runs. Its report comes with its outputs, at the end.') } : {};
  } catch (error) {
    const { title, hint } = problemOf(error, trans);
    return { trouble: `${title} ${hint}` };
  }
}

async function tell(trans: TranslationBundle, words: string): Promise<void> {
  await showDialog({ title: trans.__('Attestation report'), body: words, buttons: [Dialog.okButton({ label: trans.__('Close') })] });
}
