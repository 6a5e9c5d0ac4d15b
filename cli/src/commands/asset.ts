import { extname, join, resolve } from 'node:path';
import { publishAsset, pinBroker, openOwner, sealAsset } from '@cloister/broker/owner';
import type { Descriptor } from '@cloister/protocol';
import { Option, type Command } from 'commander';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatBytes } from '../terminal/quantities.js';
import { formatTable } from '../terminal/table.js';
import type { AddCommand } from './command.js';

interface SealFlags {
  readonly name: string;
  readonly broker: string;
  readonly brokerKey?: string;
  readonly mock?: string;
  readonly kind: Descriptor['kind'];
  readonly mediaType?: string;
  readonly owner?: string;
  readonly out?: string;
  readonly publish: boolean;
  readonly json?: true;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = { '.csv': 'text/csv', '.json': 'application/json', '.txt': 'text/plain', '.parquet': 'application/vnd.apache.parquet' };

export const addAsset: AddCommand = (program, open) => {
  program
    .command('asset')
    .description('For owners: your own data.')
    .command('seal')
    .description('Seal a file to your broker, sign its descriptor, and publish it. Nobody can open it before you sign a policy.')
    .argument('<file>', 'the plaintext; it is read and left as it is')
    .requiredOption('--name <name>', 'what you call it')
    .requiredOption('--broker <url>', 'your broker; its keys are pinned on first contact')
    .option('--broker-key <thumbprint>', 'the key that your broker printed at its start; needed on first contact, but for a broker of this machine’s daemon')
    .option('--mock <file>', 'a stand-in that everybody may read: same columns, no real row')
    .addOption(new Option('--kind <kind>', 'what it is').choices(['dataset', 'model', 'library', 'code']).default('dataset'))
    .option('--media-type <type>', 'default: by the file’s extension')
    .option('--owner <dir>', 'your owner directory (default: owner/ in the state directory)')
    .option('--out <dir>', 'where the sealed file goes (default: sealed/ in the owner directory)')
    .option('--no-publish', 'seal and sign only')
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: SealFlags, command: Command) => seal(open(command), file, flags));
};

async function seal(context: CliContext, file: string, flags: SealFlags): Promise<void> {
  const ownerDir = context.ownerDir(flags.owner);
  const { transport, clock } = context;
  const { description, url } = await pinBroker(await openOwner(ownerDir), { url: flags.broker, transport, ...(flags.brokerKey === undefined ? {} : { brokerKey: flags.brokerKey }) });
  const sealed = await sealAsset({
    ownerDir,
    file,
    name: flags.name,
    kind: flags.kind,
    mediaType: flags.mediaType ?? MEDIA_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
    broker: description,
    url,
    out: resolve(flags.out ?? join(ownerDir, 'sealed')),
    ...(flags.mock === undefined ? {} : { mock: flags.mock })
  });
  const { payload, digest } = sealed.descriptor;
  if (flags.publish) await publishAsset({ ownerDir, transport, clock }, { name: payload.name, version: payload.version, server: (await context.settings()).server });
  if (flags.json === true) {
    context.printJson({ asset: digest, name: payload.name, version: payload.version, size: payload.size, digest: payload.digest, broker: description.broker, sealedFile: sealed.sealedFile, published: flags.publish });
    return;
  }
  context.print(formatTable([['asset', digest], ['name', `${payload.name} version ${payload.version}`], ['sealed', `${printableLine(sealed.sealedFile)}, ${formatBytes(payload.size)}`], ['broker', `${description.broker}, pinned`], ['published', flags.publish ? 'yes' : 'no']], { indent: 2 }));
  context.print(context.style.faint('  Nobody may open it yet: cloister policy sign FILE'));
}
