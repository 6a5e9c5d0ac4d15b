import type { Command } from 'commander';
import { resolve } from 'node:path';
import { backupKeys, ensureStateFolder, openKeys, restoreKeys } from '@cloister/agent';
import type { CliContext } from '../context.js';
import { readPassphrase } from '../terminal/ask.js';
import { printableLine } from '../terminal/printable.js';
import { formatTable } from '../terminal/table.js';
import type { AddCommand } from './command.js';

interface PassphraseFlags {
  readonly passphraseFile?: string;
  readonly json?: true;
}

export const addKeys: AddCommand = (program, open) => {
  const keys = program.command('keys').description('Your keys: made on first use, and never sent anywhere.');
  keys
    .command('show')
    .description('Show the public half: owners list its thumbprint in their policies.')
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: { readonly json?: true }, command: Command) => showKeys(open(command), flags.json === true));
  keys
    .command('backup')
    .description('Write the keys into one age file under a passphrase.')
    .argument('<file>', 'a file that does not exist yet')
    .option('--passphrase-file <file>', 'read the passphrase from a file, where nobody can be asked')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: PassphraseFlags, command: Command) => backup(open(command), file, flags));
  keys
    .command('restore')
    .description('Put keys back from a backup. Keys that are there are never replaced.')
    .argument('<file>', 'the backup')
    .option('--passphrase-file <file>', 'read the passphrase from a file, where nobody can be asked')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: PassphraseFlags, command: Command) => restore(open(command), file, flags));
};

async function showKeys(context: CliContext, json: boolean): Promise<void> {
  await ensureStateFolder(context.state);
  const { signer, recipient } = await openKeys(context.state.keys);
  if (json) context.printJson({ analyst: signer.thumbprint, recipient, file: context.state.keys });
  else context.print(formatTable([['analyst', signer.thumbprint], ['recipient', recipient], ['file', printableLine(context.state.keys)]]));
}

async function backup(context: CliContext, file: string, { passphraseFile, json }: PassphraseFlags): Promise<void> {
  await ensureStateFolder(context.state);
  await openKeys(context.state.keys);
  const passphrase = await readPassphrase({ file: passphraseFile, twice: true });
  const analyst = await backupKeys(context.state.keys, resolve(file), passphrase);
  if (json === true) context.printJson({ analyst, file: resolve(file) });
  else context.print(`Keys of ${analyst} are in ${printableLine(file)}. Keep it apart from this machine; without the passphrase it is worth nothing.`);
}

async function restore(context: CliContext, file: string, { passphraseFile, json }: PassphraseFlags): Promise<void> {
  const passphrase = await readPassphrase({ file: passphraseFile, twice: false });
  const analyst = await restoreKeys(context.state.keys, file, passphrase);
  if (json === true) context.printJson({ analyst });
  else context.print(`Restored the keys of ${analyst}.`);
}
