import { KEY_SET_MAX_AGE_SECONDS, publisherOf, type PinnedVerifier, type Trust } from '@cloister/protocol';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { formatAge } from '../terminal/quantities.js';
import { indent, wrap } from '../terminal/wrap.js';
import { TRUST_OPTION, openOwnTrust, type TrustFileFlags } from '../trust/change-trust.js';
import type { AddCommand } from './command.js';

export const addTrustList: AddCommand = (trust, open) => {
  trust
    .command('list', { isDefault: true })
    .description('Show whom you trust, and where each entry came from.')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: TrustFileFlags, command: Command) => list(open(command), flags));
};

async function list(context: CliContext, flags: TrustFileFlags): Promise<void> {
  const { path, trust, found } = await openOwnTrust(context, flags);
  if (flags.json === true) {
    context.printJson({ schema: 'cloister.trust.v1', file: path, exists: found !== undefined, trust });
    return;
  }
  const { print, style } = context;
  print(style.faint(printableLine(found === undefined ? `${path} does not exist: nobody is trusted yet` : path)));
  print(`\n${style.strong('Owners')}  whose descriptions of data count`);
  print(ownersOf(trust));
  print(`\n${style.strong('Verifiers')}  whose word about machines counts`);
  print(trust.verifiers.length === 0 ? '  none: cloister trust add verifier google' : trust.verifiers.map(verifier => verifierLines(verifier, context)).join('\n'));
  print(`\n${style.strong('Images')}  programs that you accept as runners`);
  print(trust.images.length === 0 ? '  none: cloister trust add image sha256:… --source "how you know it"' : trust.images.map(({ image, source }) => `  ${image}\n${style.faint(indent(printableLine(source), 4, context.width))}`).join('\n'));
}

function ownersOf({ owners }: Trust): string {
  if (owners.length === 0) return '  none: cloister trust add owner NAME THUMBPRINT';
  const width = Math.max(...owners.map(owner => owner.name.length));
  return owners.map(({ name, thumbprint }) => `  ${name.padEnd(width)}  ${thumbprint}`).join('\n');
}

function verifierLines(verifier: PinnedVerifier, { style, width, clock }: CliContext): string {
  const kind = verifier.kind === 'simulator' ? style.caution('simulator: proves nothing about hardware') : verifier.kind;
  const lines = [
    ...wrap(printableLine(verifier.source), width - 4).map(style.faint),
    ...keyLines(verifier, clock.now()),
    ...verifier.roots.flatMap(({ fingerprint, source }) => ['root', `  ${fingerprint}`, ...wrap(printableLine(source), width - 6).map(line => style.faint(`  ${line}`))])
  ];
  return [`  ${printableLine(verifier.issuer)}  ${kind}`, ...lines.map(line => `    ${line}`)].join('\n');
}

function keyLines(verifier: PinnedVerifier, now: Date): string[] {
  const seen = verifier.jwks.map(set => set.seen).sort();
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return [publisherOf(verifier) === undefined ? 'no keys' : 'no keys yet: cloister trust update'];
  const ids = new Set(verifier.jwks.flatMap(set => set.keys.map(key => `${key.kid} ${key.alg}`)));
  const told = `${ids.size} ${ids.size === 1 ? 'key' : 'keys'}, seen ${first.slice(0, 10)}${first === last ? '' : ` to ${last.slice(0, 10)}`}`;
  if (publisherOf(verifier) === undefined) return [told];
  const isOld = now.getTime() - Date.parse(last) > KEY_SET_MAX_AGE_SECONDS * 1000;
  return [`${told}, last ${formatAge(new Date(last), now)}${isOld ? ': cloister trust update' : ''}`];
}
