import type { Command } from 'commander';
import { AppError, type JobView } from '@cloister/protocol';
import type { Agent, Draft, DraftRequest, Plan } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { askYesNo, isInteractive } from '../terminal/ask.js';
import { formatDecisions, formatPackage } from '../views/submission.js';
import { followJob } from '../views/follow-job.js';
import { collectText, wholeNumber, type AddCommand } from './command.js';

interface SubmitFlags {
  readonly wait?: true;
  readonly asset?: string[];
  readonly custodian?: string[];
  readonly timeout?: number;
  readonly purpose?: string;
  readonly yes?: true;
  readonly json?: true;
  readonly idempotencyKey?: string;
}

export const addSubmit: AddCommand = (program, open) => {
  program
    .command('submit')
    .description('Send a notebook to be run on the owners’ data.')
    .argument('<notebook>', 'the .ipynb file; everything in its folder goes along, but what .cloisterignore names')
    .option('--wait', 'follow the job until it ends')
    .option('--asset <name>', 'an input, where the code computes its name; may be given more than once', collectText)
    .option('--custodian <owner>', 'whose broker keeps the key of your code; may be given more than once', collectText)
    .option('--timeout <seconds>', 'how long the notebook may run (default: 3600)', wholeNumber)
    .option('--purpose <text>', 'what it is for: owners who approve code read it, nobody else')
    .option('--idempotency-key <key>', 'submitting again under the same key gives the same job')
    .option('--yes', 'send without asking, also what looks like a secret')
    .option('--json', 'one JSON object on stdout')
    .action(async (notebook: string, flags: SubmitFlags, command: Command) => submit(open(command), notebook, flags));
};

async function submit(context: CliContext, notebook: string, flags: SubmitFlags): Promise<void> {
  const { style } = context;
  const json = flags.json === true;
  const show = (text: string): void => {
    if (!json) context.print(text);
  };
  const agent = await context.agent();
  const plan = await agent.plan(requestOf(notebook, flags));
  show(formatPackage(plan, style));
  await requireConsent(plan, flags);
  const { view: sent, draft } = await send(agent, plan, { key: flags.idempotencyKey, onDraft: made => show(`\n${formatDecisions(made, style)}`) });
  show(`\n${style.strong('Job')}  ${sent.job}${draft === undefined ? style.faint('  (submitted before under this key)') : ''}`);
  if (flags.wait !== true) {
    if (json) context.printJson(jsonOf(sent, { plan, draft }));
    else show(style.faint(`  cloister show ${sent.job.slice(7, 15)}`));
    return;
  }
  const { view, timeline } = await followJob(context, sent.job, json);
  if (json) context.printJson({ ...jsonOf(view, { plan, draft }), timeline });
  else if (view.report !== undefined) show(style.faint(`  cloister outputs ${view.job.slice(7, 15)}`));
  context.exitCode = view.state === 'succeeded' ? 0 : 1;
}

interface SendOptions {
  readonly key: string | undefined;
  /** Called when the brokers have answered, before anything is sent. */
  readonly onDraft: (draft: Draft) => void;
}

/** Under a key that was used for the same request before, the same job; else a new one. */
async function send(agent: Agent, plan: Plan, { key, onDraft }: SendOptions): Promise<{ readonly view: JobView; readonly draft: Draft | undefined }> {
  const known = key === undefined ? undefined : await agent.findSubmission(key, plan);
  if (known !== undefined) return { view: await agent.resend(known), draft: undefined };
  const draft = await agent.draft(plan);
  onDraft(draft);
  return { view: await agent.submit({ plan, draft }, key === undefined ? {} : { idempotencyKey: key }), draft };
}

function requestOf(notebook: string, { asset, custodian, timeout, purpose }: SubmitFlags): DraftRequest {
  return {
    notebook,
    ...(asset === undefined ? {} : { assets: asset }),
    ...(custodian === undefined ? {} : { custodians: custodian }),
    ...(timeout === undefined ? {} : { timeoutSeconds: timeout }),
    ...(purpose === undefined ? {} : { purpose })
  };
}

/** Only a person can tell a secret from what looks like one. Where nobody can be asked, the answer is no. */
async function requireConsent(plan: Plan, { yes, json }: SubmitFlags): Promise<void> {
  const [first] = plan.made.secrets;
  if (first === undefined || yes === true) return;
  if (json !== true && isInteractive() && (await askYesNo('Send it all the same?'))) return;
  throw new AppError('secret_likely', `${first.path}${first.where === undefined ? '' : `, ${first.where}`}: ${first.kind}`);
}

interface Submitted {
  readonly plan: Plan;
  readonly draft: Draft | undefined;
}

function jsonOf(view: JobView, { plan, draft }: Submitted): Record<string, unknown> {
  return {
    ...view,
    codeDigest: plan.made.code,
    files: plan.made.files,
    secrets: plan.made.secrets,
    assets: plan.inputs.map(({ name, asset }) => ({ name, asset })),
    ...(draft === undefined ? {} : { decisions: draft.decisions.map(({ owner, decision, assets }) => ({ owner, decision, assets: assets.map(({ name, decision: word, reasons }) => ({ name, decision: word, reasons })) })) })
  };
}
