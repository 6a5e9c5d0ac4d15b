import { compareKeySets, replaceVerifier, verifierOf, type KeyChanges } from '@cloister/agent';
import { fetchKeySet, fetchRoot, type FetchDeps } from '@cloister/kit';
import { AppError, DROP_REASONS, appendKeySet, publisherOf, type DroppedKey, type KeySet, type PinnedVerifier, type PublishingVerifier, type Trust, type VerifierJwk } from '@cloister/protocol';
import type { Command } from 'commander';
import type { CliContext } from '../context.js';
import { printableLine } from '../terminal/printable.js';
import { indent } from '../terminal/wrap.js';
import { TRUST_OPTION, keepTrust, openOwnTrust, requireYes, type TrustFileFlags } from '../trust/change-trust.js';
import type { AddCommand } from './command.js';

interface UpdateFlags extends TrustFileFlags {
  readonly issuer?: string;
  readonly yes?: true;
}

/** What one verifier publishes now, or why that is not known. */
type Looked = { readonly verifier: PinnedVerifier } & (
  | { readonly set: KeySet; readonly dropped: readonly DroppedKey[]; readonly changes: KeyChanges; readonly root: string | undefined }
  | { readonly refusal: AppError }
);
type Found = Extract<Looked, { readonly set: KeySet }>;

export const addTrustUpdate: AddCommand = (trust, open) => {
  trust
    .command('update')
    .description('Fetch the keys that your pinned verifiers publish now, from addresses built into this program. Shows what changes before anything is written; keys that are gone stay in the archive.')
    .option('--issuer <url>', 'only this verifier')
    .option('--yes', 'do not ask')
    .option(...TRUST_OPTION)
    .option('--json', 'one JSON object on stdout')
    .action(async (flags: UpdateFlags, command: Command) => update(open(command), flags));
};

async function update(context: CliContext, flags: UpdateFlags): Promise<void> {
  const file = await openOwnTrust(context, flags);
  const looked = await Promise.all(publishing(file.trust, flags.issuer).map(async item => look(item, { transport: context.internet, clock: context.clock })));
  const found = looked.filter(item => 'set' in item);
  const refused = looked.flatMap(item => ('refusal' in item ? [item] : []));
  // Nobody says yes to what she has not seen: where stdout is for a program, it is on stderr.
  const say = flags.json !== true ? context.print : flags.yes === true ? undefined : context.note;
  for (const item of looked) say?.(`${formatLooked(item, context)}\n`);
  const [first] = refused;
  // The first refusal says it as well as any.
  if (found.length === 0 && first !== undefined) throw new AppError(first.refusal.code, `nothing was fetched: ${first.refusal.detail}`, { cause: first.refusal, hint: `${file.path} is as it was. ${first.refusal.hint}` });
  await requireYes(`Write this to ${printableLine(file.path)}?`, flags.yes === true);
  await keepTrust(context, file, found.reduce(append, file.trust));
  if (flags.json === true) context.printJson(jsonOf(file.path, looked));
  else context.print(`Wrote ${printableLine(file.path)}.`);
  // What could not be fetched is as it was: whoever runs this by a timer must see it.
  if (refused.length > 0) context.exitCode = 1;
}

interface Publishing {
  readonly verifier: PinnedVerifier;
  readonly kind: PublishingVerifier;
}

/** @throws AppError trust_missing | not_found | usage */
function publishing(trust: Trust, issuer: string | undefined): Publishing[] {
  const chosen = issuer === undefined ? trust.verifiers : [verifierOf(trust, issuer)];
  const found = chosen.flatMap(verifier => {
    const kind = publisherOf(verifier);
    return kind === undefined ? [] : [{ verifier, kind }];
  });
  if (found.length > 0) return found;
  if (issuer !== undefined) throw new AppError('usage', `${printableLine(issuer)} publishes no keys that this program knows of`, { hint: 'A simulator keeps its key on its own machine.' });
  throw new AppError('trust_missing', 'your trust file pins no verifier that publishes keys', { hint: 'Pin one first: cloister trust add verifier google' });
}

async function look({ verifier, kind }: Publishing, deps: FetchDeps): Promise<Looked> {
  try {
    const { set, dropped } = await fetchKeySet(kind, deps);
    return { verifier, set, dropped, changes: compareKeySets(verifier, set.keys), root: kind === 'google' ? await lookAtRoot(verifier, deps) : undefined };
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    return { verifier, refusal: cause };
  }
}

/** Roots are pinned by people alone; the network only tells whether one is still published. */
async function lookAtRoot({ roots }: PinnedVerifier, deps: FetchDeps): Promise<string> {
  if (roots.length === 0) return 'no root is pinned: cloister trust add verifier google';
  try {
    const { root } = await fetchRoot(deps, roots.map(pinned => pinned.fingerprint));
    return `the pinned root ${root.fingerprint} is still published`;
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    return `the root could not be looked at, and stays as it is pinned: ${cause.detail}`;
  }
}

function append(trust: Trust, { verifier, set }: Found): Trust {
  return replaceVerifier(trust, { ...verifier, jwks: appendKeySet(verifier.jwks, set) });
}

function formatLooked(item: Looked, { style, width }: CliContext): string {
  const issuer = style.strong(printableLine(item.verifier.issuer));
  if ('refusal' in item) return `${issuer}\n${style.bad(indent(`nothing was fetched: ${printableLine(item.refusal.detail)}`, 2, width))}`;
  const { set, dropped, changes, root } = item;
  const rows = [
    ...changes.added.map(key => style.strong(`  new        ${nameOf(key)}`)),
    ...changes.gone.map(key => style.caution(`  gone       ${nameOf(key)}, stays in the archive`)),
    ...changes.unchanged.map(key => style.faint(`  unchanged  ${nameOf(key)}`)),
    ...dropped.map(({ kid, reason }) => style.caution(`  left out   ${printableLine(kid ?? '(without id)')}: ${DROP_REASONS[reason]}`)),
    ...changes.reused.map(key => style.bad(indent(`CAREFUL: the archive holds another key under ${nameOf(key)}. Tokens of it will fail until somebody found out why.`, 2, width)))
  ];
  return [issuer, style.faint(indent(`from ${set.source}`, 2, width)), ...rows, ...(root === undefined ? [] : [indent(root, 2, width)])].join('\n');
}

const nameOf = ({ kid, alg }: VerifierJwk): string => `${printableLine(kid)} (${alg})`;

function jsonOf(file: string, looked: readonly Looked[]): unknown {
  const names = (keys: readonly VerifierJwk[]): unknown => keys.map(({ kid, alg }) => ({ kid, alg }));
  return {
    schema: 'cloister.trust-update.v1',
    file,
    verifiers: looked.map(item => {
      const { issuer } = item.verifier;
      if ('refusal' in item) return { issuer, fetched: false, code: item.refusal.code, detail: item.refusal.detail };
      const { added, gone, unchanged, reused } = item.changes;
      return { issuer, fetched: true, seen: item.set.seen, source: item.set.source, added: names(added), gone: names(gone), unchanged: names(unchanged), reused: names(reused), dropped: item.dropped, ...(item.root === undefined ? {} : { root: item.root }) };
    })
  };
}
