import { AGENT_VERSION } from '@cloister/agent';
import { Command } from 'commander';
import { addAsset } from './commands/asset.js';
import { addAssets } from './commands/assets.js';
import { addBroker } from './commands/broker.js';
import { addCancel } from './commands/cancel.js';
import type { AddCommand } from './commands/command.js';
import { addDaemon } from './commands/daemon.js';
import { addDelete } from './commands/delete.js';
import { addJobs } from './commands/jobs.js';
import { addKeys } from './commands/keys.js';
import { addLedger } from './commands/ledger.js';
import { addOutputs } from './commands/outputs.js';
import { addOwner } from './commands/owner.js';
import { addPolicy } from './commands/policy.js';
import { addReport } from './commands/report.js';
import { addRetry } from './commands/retry.js';
import { addShow } from './commands/show.js';
import { addSubmit } from './commands/submit.js';
import { addToken } from './commands/token.js';
import { addTrust } from './commands/trust.js';
import { addVerify } from './commands/verify.js';
import type { CliContext } from './context.js';

const COMMANDS: readonly AddCommand[] = [
  // an analyst's
  addSubmit, addJobs, addShow, addOutputs, addVerify, addReport, addToken, addTrust, addCancel, addDelete, addRetry, addAssets, addKeys,
  // an owner's
  addOwner, addBroker, addAsset, addPolicy, addLedger,
  // this machine's
  addDaemon
];

/** The whole command line. `open` makes the context of a run from its options. */
export function createProgram(open: (command: Command) => CliContext): Command {
  const program = new Command('cloister')
    .description('Run your notebook on data you may not see; get back results with a proof that anyone can check.')
    .version(AGENT_VERSION, '--version', 'which version this is')
    .option('--home <dir>', 'directory of all state (default: $CLOISTER_HOME, else ~/.cloister)')
    .showSuggestionAfterError()
    .showHelpAfterError('See --help. (usage)')
    // Before subcommands are made: they inherit it.
    .exitOverride();
  for (const add of COMMANDS) add(program, open);
  return program;
}
