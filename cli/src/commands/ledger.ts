import type { Command } from 'commander';
import { digestOfJson, type LedgerEntry } from '@cloister/protocol';
import { readLedger } from '@cloister/broker/owner';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { short } from '../terminal/quantities.js';
import { formatTable } from '../terminal/table.js';
import type { AddCommand } from './command.js';

interface LedgerFlags {
  readonly owner?: string;
  readonly verify?: true;
  readonly json?: true;
}

export const addLedger: AddCommand = (program, open) => {
  program
    .command('ledger')
    .description('For owners: what your broker did.')
    .command('show')
    .description('Every descriptor, policy, release and denial. The chain is always verified, up to the broker’s signed head and against what you saw before.')
    .option('--owner <dir>', 'your owner directory (default: owner/ in the state directory)')
    .option('--verify', 'say only whether it holds')
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: LedgerFlags, command: Command) => show(open(command), flags));
};

async function show(context: CliContext, { owner, verify, json }: LedgerFlags): Promise<void> {
  const { transport, clock, style } = context;
  const entries = await readLedger({ ownerDir: context.ownerDir(owner), transport, clock });
  const last = entries.at(-1);
  const head = last === undefined ? 'none' : digestOfJson(last);
  if (json === true) {
    context.printJson({ verified: true, head, count: entries.length, ...(verify === true ? {} : { entries }) });
    return;
  }
  if (verify !== true) {
    const rows = entries.map(entry => [String(entry.seq), entry.time.slice(0, 19).replace('T', ' '), { text: entry.kind, ...(entry.kind === 'conflict' ? { paint: style.bad } : entry.kind === 'denial' ? { paint: style.caution } : {}) }, printableLine(describe(entry))]);
    context.print(rows.length === 0 ? 'The ledger is empty.' : formatTable(rows, { head: ['#', 'TIME (UTC)', 'WHAT', ''], align: ['right'] }));
  }
  context.print(style.good(`The chain of ${entries.length} entries holds, up to the broker’s signed head ${short(head)}.`));
}

function describe(entry: LedgerEntry): string {
  switch (entry.kind) {
    case 'descriptor':
      return `${entry.name} (${short(entry.asset)})`;
    case 'policy':
      return `${entry.asset} version ${entry.version}`;
    case 'approval':
      return `${entry.decision}: code ${short(entry.code)}`;
    case 'release':
      return `${entry.grants.length} keys for job ${short(entry.job)} attempt ${entry.attempt} of ${short(entry.analyst)}, image ${short(entry.image)}`;
    case 'denial':
      return `job ${short(entry.job)} of ${short(entry.analyst)}: ${[...new Set(entry.reasons.map(reason => reason.code))].join(', ')}`;
    case 'witness':
      return `statement ${short(entry.statement)} of job ${short(entry.job)} attempt ${entry.attempt}`;
    case 'conflict':
      return `statement ${short(entry.statement)} of job ${short(entry.job)} attempt ${entry.attempt}, of which ${short(entry.witnessed)} was witnessed`;
    case 'recovery':
      return `${entry.asset}: ${entry.lost}`;
  }
}
