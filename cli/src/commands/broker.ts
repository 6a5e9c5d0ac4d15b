import { join } from 'node:path';
import { addOwner, stopDaemonProcess } from '@cloister/agent';
import { openOwner } from '@cloister/broker/owner';
import { replacePrivateFile, readPrivateFile } from '@cloister/kit';
import { AppError, Thumbprint, parseJson } from '@cloister/protocol';
import type { Command } from 'commander';
import * as z from 'zod/mini';
import type { CliContext } from '../context.js';
import { shellWord } from '../terminal/shell-word.js';
import { formatTable } from '../terminal/table.js';
import { keepTrust, openOwnTrust } from '../trust/change-trust.js';
import type { AddCommand } from './command.js';

interface BrokerFlags {
  readonly owner?: string;
  readonly pin: boolean;
  readonly json?: true;
}

export const addBroker: AddCommand = (program, open) => {
  program
    .command('broker')
    .description('For owners: your broker on this machine.')
    .command('add')
    .description('Have the daemon of this machine serve a broker for your key. Elsewhere a broker is a process of its own.')
    .argument('<name>', 'a short name; the broker answers at http://<name>.cloister.localhost')
    .option('--owner <dir>', 'your owner directory (default: owner/ in the state directory)')
    .option('--no-pin', 'do not pin the owner in the analyst’s trust file of this machine')
    .option('--json', 'one JSON object on stdout')
    .action(async (name: string, flags: BrokerFlags, command: Command) => add(open(command), name, flags));
};

/** The daemon's own file, of which this command touches the brokers and leaves the rest as it is. */
const Embedded = z.looseObject({ v: z.literal(1), brokers: z.array(z.strictObject({ name: z.string(), owner: Thumbprint })) });

async function add(context: CliContext, name: string, { owner: given, pin, json }: BrokerFlags): Promise<void> {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) || name === 'server') throw new AppError('usage', `${name} cannot be a broker’s name`, { hint: 'Use up to 32 small letters, digits and hyphens.' });
  const { signer } = await openOwner(context.ownerDir(given));
  const path = join(context.home, 'embedded.json');
  const embedded = await readJson(path, Embedded);
  const known = embedded.brokers.find(broker => broker.name === name);
  if (known !== undefined && known.owner !== signer.thumbprint) throw new AppError('already_exists', `the broker ${name} serves another owner`);
  if (known === undefined) {
    await replacePrivateFile(path, `${JSON.stringify({ ...embedded, brokers: [...embedded.brokers, { name, owner: signer.thumbprint }] }, undefined, 2)}\n`);
    // It reads its configuration when it starts; whoever needs it next starts it. Jobs that run go on.
    await stopDaemonProcess(context.daemon, context.clock);
  }
  if (pin) await pinOwner(context, name, signer.thumbprint);
  const url = `http://${name}.cloister.localhost`;
  if (json === true) context.printJson({ name, url, owner: signer.thumbprint, pinned: pin });
  else {
    context.print(formatTable([['broker', url], ['owner', signer.thumbprint], ['pinned', pin ? `as ${name}, in ${context.state.trust}` : 'no']]));
    context.print(context.style.faint(`cloister asset seal FILE --name NAME --broker ${url}${given === undefined ? '' : ` --owner ${shellWord(given)}`}`));
  }
}

/** Owner and analyst are one person here. Elsewhere an analyst gets an owner's thumbprint by a way that she trusts. */
async function pinOwner(context: CliContext, name: string, thumbprint: Thumbprint): Promise<void> {
  const file = await openOwnTrust(context, {});
  await keepTrust(context, file, addOwner(file.trust, { name, thumbprint }));
}

async function readJson<S extends z.ZodMiniType>(path: string, schema: S): Promise<z.output<S>> {
  const parsed = schema.safeParse(parseJson(await readPrivateFile(path)));
  if (!parsed.success) throw new AppError('config_invalid', `${path} is not well formed`, { cause: parsed.error });
  return parsed.data;
}
