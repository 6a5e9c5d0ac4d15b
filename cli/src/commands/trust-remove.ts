import { removeImage, removeOwner, removeVerifier, verifierOf } from '@cloister/agent';
import type { Trust } from '@cloister/protocol';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { TRUST_OPTION, keepTrust, openOwnTrust, requireYes, type TrustFileFlags } from '../trust/change-trust.js';
import type { AddCommand } from './command.js';

interface RemoveFlags extends TrustFileFlags {
  readonly yes?: true;
}

interface Removal {
  readonly trust: Trust;
  readonly what: string;
  /** What else goes with it. */
  readonly warning?: string;
}

interface Removable {
  readonly kind: string;
  readonly argument: readonly [string, string];
  readonly description: string;
  readonly decide: (trust: Trust, name: string) => Removal;
}

const REMOVABLE: readonly Removable[] = [
  {
    kind: 'owner',
    argument: ['<name>', 'what you call the owner'],
    description: 'Trust an owner no more. Reports on that owner’s data can then not be checked.',
    decide: (trust, name) => ({ trust: removeOwner(trust, name), what: `the owner ${name}` })
  },
  {
    kind: 'image',
    argument: ['<digest>', 'sha256:…'],
    description: 'Accept a runner image no more. Reports of runs in it then fail.',
    decide: (trust, image) => ({ trust: removeImage(trust, image), what: `the image ${image}` })
  },
  {
    kind: 'verifier',
    argument: ['<issuer>', 'its address, as `cloister trust list` shows it'],
    description: 'Trust a verifier no more, and forget its keys.',
    decide: (trust, issuer) => {
      const { jwks } = verifierOf(trust, issuer);
      const warning = jwks.length === 0 ? undefined : `Its key archive of ${jwks.length} ${jwks.length === 1 ? 'set' : 'sets'} goes with it: tokens of that time can then not be checked any more.`;
      return { trust: removeVerifier(trust, issuer), what: `the verifier ${issuer}`, ...(warning === undefined ? {} : { warning }) };
    }
  }
];

export const addTrustRemove: AddCommand = (trust, open) => {
  const remove = trust.command('remove').description('Trust an owner, runner image or verifier no more.');
  for (const removable of REMOVABLE) {
    remove
      .command(removable.kind)
      .description(removable.description)
      .argument(...removable.argument)
      .option('--yes', 'do not ask')
      .option(...TRUST_OPTION)
      .option('--json', 'one JSON object on stdout')
      .action(async (name: string, flags: RemoveFlags, command: Command) => take(open(command), flags, trusted => removable.decide(trusted, name)));
  }
};

async function take(context: CliContext, flags: RemoveFlags, decide: (trust: Trust) => Removal): Promise<void> {
  const file = await openOwnTrust(context, flags);
  const { trust, what, warning } = decide(file.trust);
  if (warning !== undefined) context.note(warning);
  await requireYes(`Take ${printableLine(what)} out of ${printableLine(file.path)}?`, flags.yes === true);
  await keepTrust(context, file, trust);
  if (flags.json === true) context.printJson({ file: file.path, changed: true });
  else context.print(`Took ${printableLine(what)} out of ${printableLine(file.path)}.`);
}
