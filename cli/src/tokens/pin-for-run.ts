import { fingerprintOfRoot } from '@cloister/agent';
import {
  AppError,
  DROP_REASONS,
  GOOGLE_ISSUER,
  INTEL_ISSUER,
  SIMULATOR_ISSUER,
  VERIFIER_ADDRESSES,
  appendKeySet,
  readKeySet,
  toTime,
  type KeySet,
  type PinnedRoot,
  type PinnedVerifier,
  type TokenAlgorithm,
  type Trust
} from '@cloister/protocol';
import { printableLine } from '../terminal/printable.js';
import { readGiven } from '../terminal/read-given.js';

export interface KeyFiles {
  /** A key set as the verifier publishes it. */
  readonly jwks?: string;
  /** A root certificate, in PEM or DER. */
  readonly root?: string;
}

/** What a run trusts for this once. */
export interface PinnedForRun {
  readonly trust: Trust;
  /** What came from the files, for people: keys and fingerprints that they can compare. */
  readonly told: readonly string[];
}

export interface PinOptions {
  /** Whose keys these are. It comes from the person who gives them, by an option or by a policy; never from a token. */
  readonly issuer: string;
  readonly now: Date;
}

const MAX_FILE_BYTES = 64 * 1024;
const KINDS: ReadonlyMap<string, PinnedVerifier['kind']> = new Map([[GOOGLE_ISSUER, 'google'], [INTEL_ISSUER, 'intel'], [SIMULATOR_ISSUER, 'simulator']]);

/**
 * The trust with what lies in the files, under one issuer. Nothing is written.
 * @throws AppError usage where a file holds nothing that a token could be verified by
 */
export async function pinForRun(trust: Trust, files: KeyFiles, { issuer, now }: PinOptions): Promise<PinnedForRun> {
  const known = trust.verifiers.find(verifier => verifier.issuer === issuer);
  const kind = known?.kind ?? KINDS.get(issuer);
  if (kind === undefined) throw new AppError('usage', `${printableLine(issuer)} is no verifier that this program or your trust file knows`, { hint: 'Say whose keys they are: --issuer URL.' });
  const keys = files.jwks === undefined ? undefined : await readKeysFile(files.jwks, { kind, seen: now });
  const root = files.root === undefined ? undefined : await readRoot(files.root, kind);
  const verifier: PinnedVerifier = {
    issuer,
    kind,
    jwks: [...(keys === undefined ? (known?.jwks ?? []) : appendKeySet(known?.jwks ?? [], keys.set))],
    roots: [...(known?.roots ?? []), ...(root === undefined ? [] : [root.pinned])],
    source: known?.source ?? 'given for this run'
  };
  return {
    trust: { ...trust, verifiers: [...trust.verifiers.filter(other => other !== known), verifier] },
    told: [...(keys?.told ?? []), ...(root === undefined ? [] : [root.told])].map(line => `${line}, for ${issuer}`)
  };
}

const algorithmsOf = (kind: PinnedVerifier['kind']): readonly TokenAlgorithm[] => (kind === 'simulator' ? ['RS256'] : VERIFIER_ADDRESSES[kind].algorithms);

/** A published key set from a file, and what to tell of it. @throws AppError usage where it holds no key that a token could be verified by */
export async function readKeysFile(path: string, { kind, seen }: { readonly kind: PinnedVerifier['kind']; readonly seen: Date }): Promise<{ readonly set: KeySet; readonly told: readonly string[] }> {
  const { keys, dropped } = readGivenSet(await readGiven(path, MAX_FILE_BYTES), kind, path);
  const left = dropped.map(({ kid, reason }) => `left out the key ${printableLine(kid ?? '(without id)')} of ${path}: ${DROP_REASONS[reason]}`);
  if (keys.length === 0) throw new AppError('usage', `${path} holds no key that a token could be verified by`, { hint: left[0] ?? 'It is empty.' });
  return { set: { seen: toTime(seen), source: path, keys: [...keys] }, told: [...keys.map(key => `key ${printableLine(key.kid)} (${key.alg}) of ${path}`), ...left] };
}

function readGivenSet(bytes: Uint8Array, kind: PinnedVerifier['kind'], path: string): ReturnType<typeof readKeySet> {
  try {
    return readKeySet(bytes, algorithmsOf(kind));
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError('usage', `${path}: ${cause.detail}`, { cause, hint: 'Give the key set as the verifier publishes it: JSON like {"keys":[…]}.' });
  }
}

async function readRoot(path: string, kind: PinnedVerifier['kind']): Promise<{ readonly pinned: PinnedRoot; readonly told: string }> {
  if (kind === 'intel') throw new AppError('usage', 'tokens of Intel Trust Authority carry no certificates that count', { hint: 'Give its key set: --jwks FILE.' });
  const { fingerprint, subject } = fingerprintOfRoot(await readGiven(path, MAX_FILE_BYTES), path);
  return { pinned: { fingerprint, source: path }, told: `root ${fingerprint} (${printableLine(subject)}) of ${path}` };
}
