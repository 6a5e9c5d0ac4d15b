import type { Command } from 'commander';
import { createOwner } from '@cloister/broker/owner';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatTable } from '../terminal/table.js';
import type { AddCommand } from './command.js';

interface OwnerFlags {
  readonly owner?: string;
  readonly json?: true;
}

export const addOwner: AddCommand = (program, open) => {
  program
    .command('owner')
    .description('For owners: your key.')
    .command('init')
    .description('Make an owner’s key. It signs descriptors and policies, and need not be where the broker is.')
    .option('--owner <dir>', 'where it goes (default: owner/ in the state directory)')
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: OwnerFlags, command: Command) => init(open(command), flags));
};

async function init(context: CliContext, { owner, json }: OwnerFlags): Promise<void> {
  const { dir, signer } = await createOwner(context.ownerDir(owner));
  if (json === true) context.printJson({ owner: signer.thumbprint, dir });
  else context.print(`${formatTable([['owner', signer.thumbprint], ['directory', printableLine(dir)]])}\n${context.style.faint('Start your broker for this thumbprint; analysts pin it in their trust file.')}`);
}
