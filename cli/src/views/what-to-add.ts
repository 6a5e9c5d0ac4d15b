import { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER, readToken, readTokenClaims, type Check, type ReportEvidence, type Trust } from '@cloister/protocol';
import { printableLine } from '../terminal/printable.js';
import { shellWord } from '../terminal/shell-word.js';
import type { Style } from '../terminal/style.js';
import { indent } from '../terminal/wrap.js';

/** One thing that a verdict lacks: what, and the commands that would add it. */
export interface Missing {
  readonly what: string;
  readonly commands: readonly string[];
}

/** What is known of the thing that was verified. Its own word: a person must know better before she adds it. */
export interface Appraised {
  readonly checks: readonly Check[];
  readonly token: string | undefined;
  readonly evidence?: ReportEvidence | undefined;
  readonly trust: Trust;
  /** The trust file, where it is not the usual one. */
  readonly trustFile: string | undefined;
}

/** For each check that could not be answered, what to add. In the order in which it is best done: the policy comes last, since it is made of the rest. */
export function whatToAdd(verified: Appraised): Missing[] {
  const claims = verified.token === undefined ? undefined : readTokenClaims(verified.token);
  const isUnknown = (id: string): boolean => verified.checks.some(check => check.id === id && check.status === 'unknown');
  const add = (args: string): string => `cloister trust add ${args}${fileFlag(verified)}`;
  const missing: Missing[] = [];
  if (isUnknown('issuer')) missing.push(forIssuer(claims?.issuer, add));
  if (isUnknown('key')) missing.push(forKey(verified, claims?.issuer, add));
  if (isUnknown('image') && verified.evidence !== undefined && claims?.image !== undefined) {
    missing.push({ what: 'The runner image, once you rebuilt or reviewed it yourself:', commands: [add(`image ${claims.image} --source "how you know it"`)] });
  }
  if (isUnknown('owners') && verified.evidence !== undefined) missing.push(forOwners(verified, verified.evidence, add));
  if (isUnknown('policy')) missing.push(forPolicy(verified));
  return missing;
}

const fileFlag = ({ trustFile }: Appraised): string => (trustFile === undefined ? '' : ` --trust ${shellWord(trustFile)}`);

type Add = (args: string) => string;

const KNOWN: ReadonlyMap<string | undefined, 'google' | 'intel'> = new Map([[GOOGLE_ISSUER, 'google'], [INTEL_ISSUER, 'intel']]);

function forIssuer(issuer: string | undefined, add: Add): Missing {
  const kind = KNOWN.get(issuer);
  if (kind !== undefined) return { what: `The verifier that issued the token, if you trust ${kind === 'google' ? 'Google' : 'Intel'} with that:`, commands: [add(`verifier ${kind}`)] };
  if (issuer === SIMULATOR_ISSUER) return { what: 'The simulator that signed the token. No command pins it, since it proves nothing about hardware: to try things out, copy its entry from “verifiers” in agent/trust.json, in the state directory of the machine that ran it.', commands: [] };
  return { what: `The verifier ${printableLine(issuer ?? '(none)')} is none that this program knows.`, commands: [] };
}

function forKey({ token, trustFile }: Appraised, issuer: string | undefined, add: Add): Missing {
  if (hasChain(token)) return { what: 'The root certificate that the token’s certificates end at, as its verifier publishes it:', commands: [issuer === GOOGLE_ISSUER ? add('verifier google') : add(`root FILE --issuer ${issuer === undefined ? 'URL' : shellWord(issuer)}`)] };
  if (!KNOWN.has(issuer)) return { what: 'The key that signed the token: it is in the trust file of whoever runs that verifier.', commands: [] };
  const update = `cloister trust update${issuer === undefined ? '' : ` --issuer ${shellWord(issuer)}`}${trustFile === undefined ? '' : ` --trust ${shellWord(trustFile)}`}`;
  return { what: 'The keys that the verifier published when the token was issued. Where it has changed them since, only a trust file that saw them then can help:', commands: [update] };
}

function forOwners({ trust }: Appraised, evidence: ReportEvidence, add: Add): Missing {
  const pinned = new Set<string>(trust.owners.map(owner => owner.thumbprint));
  const names = new Map(evidence.manifest.payload.inputs.map(input => [input.asset, input.name.split('/')[0] ?? 'NAME']));
  const strangers = new Map(evidence.descriptors.filter(({ payload }) => !pinned.has(payload.owner)).map(({ digest, payload }) => [payload.owner, names.get(digest) ?? 'NAME']));
  return { what: 'The owners of the data, by thumbprints that you have from them and not from this report:', commands: [...strangers].map(([owner, name]) => add(`owner ${name} ${owner}`)) };
}

function forPolicy(verified: Appraised): Missing {
  if (verified.evidence === undefined) return { what: 'What you demand of the machine and the program:', commands: [`cloister trust policy policy.json${fileFlag(verified)}`, 'then give it: --expect policy.json'] };
  const file = verified.trustFile === undefined ? '' : ' policy.json';
  return { what: 'What you demand of a runner, made of what your trust file pins:', commands: [`cloister trust policy${file}${fileFlag(verified)}`, ...(file === '' ? [] : ['then give it: --policy policy.json'])] };
}

function hasChain(token: string | undefined): boolean {
  return token !== undefined && readToken(token).token?.header['x5c'] !== undefined;
}

/** The same for a person: a paragraph, and commands on lines of their own, whole, to be copied. */
export function formatMissing(missing: readonly Missing[], { style, width }: { readonly style: Style; readonly width: number }): string {
  const parts = missing.map(({ what, commands }) => [indent(what, 2, width), ...commands.map(command => style.strong(`    ${command}`))].join('\n'));
  return [style.caution('What to add. Each is your own decision: nothing here was checked yet.'), ...parts].join('\n');
}
