import { ensureStateFolder, startingAppraisal } from '@cloister/agent';
import { createPrivateFile } from '@cloister/kit';
import { AppError, type AppraisalPolicy } from '@cloister/protocol';
import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { wrap } from '../terminal/wrap.js';
import { TRUST_OPTION, openOwnTrust, whereWritable, type TrustFileFlags } from '../trust/change-trust.js';
import { collectText, type AddCommand } from './command.js';

interface PolicyFlags extends TrustFileFlags {
  readonly project?: readonly string[];
  readonly simulator?: true;
}

export const addTrustPolicy: AddCommand = (trust, open) => {
  trust
    .command('policy')
    .description('Write a policy to begin with: what you demand of a runner. It accepts the hardware and programs that your trust file pins (a simulator only where no hardware is pinned), and no debugging, outdated system or changed command. Cloud projects are open unless --project names them.')
    .argument('[file]', 'a file that does not exist yet (default: your appraisal.json)')
    .option('--project <id>', 'accept runs in this cloud project only; may be given more than once', collectText)
    .option('--simulator', 'for the simulator of this machine, where hardware is pinned too; it proves nothing')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string | undefined, flags: PolicyFlags, command: Command) => write(open(command), file, flags));
};

async function write(context: CliContext, given: string | undefined, flags: PolicyFlags): Promise<void> {
  const { trust } = await openOwnTrust(context, flags);
  const made = startingAppraisal(trust, { projects: flags.project ?? [], simulator: flags.simulator === true });
  const { policy } = made;
  const file = given === undefined ? context.state.appraisal : resolve(given);
  if (given === undefined) await ensureStateFolder(context.state);
  await whereWritable(file, createPrivateFile(file, `${JSON.stringify(policy, undefined, 2)}\n`)).catch((cause: unknown) => {
    throw cause instanceof AppError && cause.code === 'file_exists' ? new AppError('file_exists', `${file} is there already`, { cause }) : cause;
  });
  if (flags.json === true) {
    context.printJson({ file, accepts: made.accepts, policy });
    return;
  }
  const { print, style, width } = context;
  print(`Wrote ${printableLine(file)}.`);
  for (const line of wrap(scopeOf(made), width)) print(line);
  print('\nIt says:\n');
  for (const name of MEMBERS) {
    print(`${style.strong(name)}  ${printableLine(JSON.stringify(policy[name]))}`);
    for (const line of wrap(WORDS[name], width - 2)) print(style.faint(`  ${line}`));
  }
  print(`\n${wrap('Read it, and change it where your demands are others: it is yours. An unknown member or a missing one is refused.', width).join('\n')}`);
}

/** Whose runs the policy accepts, and what to do for the other's. */
function scopeOf({ accepts, leavesOther }: ReturnType<typeof startingAppraisal>): string {
  if (accepts === 'hardware') return `It is for runs on hardware.${leavesOther ? ' It does not accept the simulator that you pin too: for that, write a second one by `cloister trust policy FILE --simulator`.' : ''}`;
  return `It is for runs of the simulator only, which prove nothing about hardware.${leavesOther ? ' It does not accept the hardware that you pin too: for that, write a second one by `cloister trust policy FILE`.' : ''}`;
}

/** Every member in words; JSON has no comments. */
const WORDS: Readonly<Record<keyof AppraisalPolicy, string>> = {
  verifiers: 'Whose word about the machine counts. Each must be in the trust file too.',
  images: 'Programs that you accept. Each must be in the trust file too.',
  imageSigners: 'Keys of which one must have signed the program, or "any".',
  hardware: 'Kinds of machines, such as "GCP_INTEL_TDX". "any" is any that keeps its memory from its operator.',
  debug: 'Always false: on a debug image the operator can look.',
  attributes: 'What the operating system image must be called by its maker. "any" also takes images with known holes.',
  tcb: 'How current the firmware must be. "any" is any that is not revoked.',
  gpu: 'A confidential GPU: "required", "any" or "none".',
  projects: 'Cloud projects that the run may be in, or "any". With "any", a machine of anybody’s counts.',
  zones: 'Zones that it may stand in, or "any".',
  serviceAccounts: 'Names that the machine may act in, or "any".',
  command: '"image": the program’s own command; else exactly this list.',
  args: 'The whole command line as a list, or "any".',
  envOverrides: 'Variables that the operator may set. A runner is told its server, job and attempt by three of them.',
  env: 'All variables that the program may have, or "any".',
  restart: 'What may happen when it ends. "Never": nothing.',
  monitoring: 'false: the operator must not monitor memory. Else "any".'
};

const MEMBERS = ['verifiers', 'images', 'hardware', 'debug', 'attributes', 'tcb', 'gpu', 'projects', 'zones', 'serviceAccounts', 'command', 'args', 'envOverrides', 'env', 'restart', 'monitoring', 'imageSigners'] as const satisfies readonly (keyof AppraisalPolicy)[];
