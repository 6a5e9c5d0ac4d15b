import { addImage, addKeySet, addOwner, addRoot, addVerifier, fingerprintOfRoot, knownVerifier, readAppraisal, verifierOf, type TrustFile } from '@cloister/agent';
import { AppError, VERIFIER_ADDRESSES, type Trust } from '@cloister/protocol';
import { Argument, type Command } from 'commander';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { parseGivenTime } from '../terminal/given-time.js';
import { readGiven } from '../terminal/read-given.js';
import { wrap } from '../terminal/wrap.js';
import { TRUST_OPTION, keepTrust, openOwnTrust, type TrustFileFlags } from '../trust/change-trust.js';
import { readKeysFile } from '../tokens/pin-for-run.js';
import type { AddCommand } from './command.js';

type Open = Parameters<AddCommand>[1];

const MAX_CERTIFICATE_BYTES = 64 * 1024;

export const addTrustAdd: AddCommand = (trust, open) => {
  const add = trust.command('add').description('Trust one more owner, runner image, verifier or root. The network is not asked.');
  addTheOwner(add, open);
  addTheImage(add, open);
  addTheVerifier(add, open);
  addTheRoot(add, open);
  addTheKeys(add, open);
};

function addTheOwner(add: Command, open: Open): void {
  add
    .command('owner')
    .description('An owner, by the thumbprint that she gave you by a way that you trust.')
    // One thumbprint in 64 begins with a hyphen, and is no option for that.
    .helpOption('--help', 'display help for command')
    .allowUnknownOption()
    .argument('<name>', 'what you call the owner: the first half of the names that notebooks use')
    .argument('<thumbprint>', 'as `cloister owner init` showed it to the owner')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (name: string, thumbprint: string, flags: TrustFileFlags, command: Command) => {
      await change(open(command), flags, trust => ({ trust: addOwner(trust, { name, thumbprint }), what: [`the owner ${name}`, thumbprint] }));
    });
}

function addTheImage(add: Command, open: Open): void {
  add
    .command('image')
    .description('A runner image, by its digest: after you rebuilt or reviewed it.')
    .argument('<digest>', 'sha256:…')
    .requiredOption('--source <text>', 'how you know it')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (image: string, flags: TrustFileFlags & { readonly source: string }, command: Command) => {
      const context = open(command);
      await change(context, flags, trust => ({ trust: addImage(trust, { image, source: flags.source }), what: ['the image', image] }));
      await notePolicy(context, image, flags);
    });
}

function addTheVerifier(add: Command, open: Open): void {
  add
    .command('verifier')
    .description('A verifier that this program knows, with its root. Its keys come with `cloister trust update`.')
    .addArgument(new Argument('<kind>', 'which').choices(['google', 'intel']))
    .option('--root <file>', 'a root certificate of it besides, in PEM or DER')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (kind: 'google' | 'intel', flags: TrustFileFlags & { readonly root?: string }, command: Command) => {
      if (kind === 'intel' && flags.root !== undefined) throw noCertificates();
      const known = knownVerifier(kind);
      const given = flags.root === undefined ? undefined : await readRoot(flags.root);
      const root = known.roots.flatMap(({ fingerprint, source }) => ['the root', fingerprint, source]);
      await change(open(command), flags, trust => {
        const pinned = addVerifier(trust, known);
        return { trust: given === undefined ? pinned : addRoot(pinned, known.issuer, given.pinned), what: [known.issuer, known.source, ...root, ...(given?.what ?? [])] };
      });
    });
}

function addTheRoot(add: Command, open: Open): void {
  add
    .command('root')
    .description('A root certificate for a verifier that is pinned already. Compare its fingerprint with a second source.')
    .argument('<file>', 'one certificate, in PEM or DER')
    .requiredOption('--issuer <url>', 'the verifier')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: TrustFileFlags & { readonly issuer: string }, command: Command) => {
      const { pinned, what } = await readRoot(file);
      await change(open(command), flags, trust => {
        if (verifierOf(trust, flags.issuer).kind === 'intel') throw noCertificates();
        return { trust: addRoot(trust, flags.issuer, pinned), what };
      });
    });
}

function addTheKeys(add: Command, open: Open): void {
  add
    .command('keys')
    .description('A key set that a pinned verifier published, from a file: for machines without network.')
    .argument('<file>', 'JSON as the verifier publishes it')
    .requiredOption('--issuer <url>', 'the verifier')
    .requiredOption('--seen <time>', 'when it was fetched, as 2026-03-01T12:00:00Z: tokens are judged by the keys of their own time')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (file: string, flags: TrustFileFlags & { readonly issuer: string; readonly seen: string }, command: Command) => {
      const context = open(command);
      const seen = parseGivenTime('--seen', flags.seen);
      if (seen > context.clock.now()) throw new AppError('usage', '--seen lies in the future', { hint: 'Say when the file was fetched.' });
      const { kind } = verifierOf((await openOwnTrust(context, flags)).trust, flags.issuer);
      const { set, told } = await readKeysFile(file, { kind, seen });
      await change(context, flags, trust => ({ trust: addKeySet(trust, flags.issuer, set), what: [`keys of ${flags.issuer}, seen at ${set.seen}`, ...told] }));
    });
}

const noCertificates = (): AppError => new AppError('usage', `tokens of ${VERIFIER_ADDRESSES.intel.issuer} carry no certificates that count`, { hint: 'Its keys come with `cloister trust update`.' });

async function readRoot(file: string): Promise<{ readonly pinned: Parameters<typeof addRoot>[2]; readonly what: readonly string[] }> {
  const { fingerprint, subject, validTo } = fingerprintOfRoot(await readGiven(file, MAX_CERTIFICATE_BYTES), file);
  return { pinned: { fingerprint, source: `the file ${file}` }, what: ['the root', fingerprint, `${subject}, valid to ${validTo.slice(0, 10)}`] };
}

interface Change {
  readonly trust: Trust;
  /** What is pinned by it, for people, line by line. */
  readonly what: readonly string[];
}

async function change(context: CliContext, flags: TrustFileFlags, decide: (trust: Trust) => Change): Promise<void> {
  const file: TrustFile = await openOwnTrust(context, flags);
  const { trust, what } = decide(file.trust);
  const written = await keepTrust(context, file, trust);
  if (flags.json === true) context.printJson({ file: file.path, changed: written });
  else if (written) context.print(['Pinned:', ...what.flatMap(line => wrap(printableLine(line), context.width - 2).map(part => `  ${part}`)), context.style.faint(printableLine(`in ${file.path}`))].join('\n'));
  else context.print('It is pinned already; nothing was changed.');
}

/** An image counts where the trust file and the policy both list it. */
async function notePolicy({ state, note }: CliContext, image: string, { trust }: TrustFileFlags): Promise<void> {
  if (trust !== undefined) return;
  const policy = await readAppraisal(state.appraisal);
  if (policy === undefined || policy.images.some(listed => listed === image)) return;
  note(`Your policy ${printableLine(state.appraisal)} does not list this image yet: add it there under "images" too.`);
}
