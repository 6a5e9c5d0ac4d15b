import * as z from 'zod/mini';
import { defineSignedKind } from '../signed/signed-kind.js';
import { Obligations } from './policy.js';
import { AgeRecipient, Attempt, Bytes32, Count, Digest, FileKey, ShortText, Thumbprint, Time, UuidV7 } from './primitives.js';
import { compareUtf8, toUtf8 } from '../bytes/text.js';
import { jcsBytes, parseJcs } from '../bytes/jcs.js';
import { labelledHash } from '../bytes/digest.js';
import { AppError } from '../errors.js';

/** Audience of tokens that ask for keys. */
export const RELEASE_AUDIENCE = 'urn:cloister:release';
/** Audience of tokens over statements; another one, so that neither serves for the other. */
export const REPORT_AUDIENCE = 'urn:cloister:report';

/**
 * What one token of an attempt answers for: the keys made for this attempt and the challenge of every broker.
 * Travels as its exact RFC 8785 text, whose labelled hash is the token's nonce.
 *
 * One session and one token serve all brokers, where a token for each broker would be the cautious default: a token takes
 * about a second, and a project gets five a second. It holds because a broker takes nothing from a session that is not its own:
 * - The session lists every (broker, challenge), sorted, each broker once, and the token's nonce commits to all of it. So a
 *   broker cannot be left out, put in or given another's challenge after the token was made, and finds its own exactly once.
 * - Each broker's challenge is 32 random bytes of its own, used once, for one job and attempt. A token over another broker's
 *   challenge is no answer to it; one that relays an honest broker's challenge gets a token that names that broker and not itself.
 * - The nonce commits to `recipient`. Whoever copies session and token, as every broker and the operator can, gets keys
 *   that are sealed to the runner that made the session, and nobody else opens them.
 * - Receipts name the session by its nonce, so that keys of two sessions cannot be mixed in one run.
 *
 * It would break by: a broker that reads a challenge from elsewhere than under its own name; an unsorted or repeated list, in
 * which two readers find two challenges; a `recipient` that is not under the nonce or serves two attempts; an audience that
 * other tokens have too; a receipt that does not name the session. Each has a test. What one session costs: every broker of
 * a job learns who the others are. The manifest tells them that anyway.
 */
export const Session = z.strictObject({
  v: z.literal(1),
  job: Digest,
  step: z.literal('main'),
  attempt: Attempt,
  /** Where brokers seal releases to; fresh per attempt. */
  recipient: AgeRecipient,
  /** Thumbprint of the key that signs the runner's requests; fresh per attempt. */
  key: Thumbprint,
  challenges: z.array(z.strictObject({ broker: Thumbprint, challenge: Bytes32 })).check(
    z.minLength(1),
    z.maxLength(80),
    z.refine(
      list => list.every((item, at) => at === 0 || compareUtf8(list[at - 1]?.broker ?? '', item.broker) < 0),
      'challenges are sorted by broker, one each'
    )
  )
});
export type Session = z.infer<typeof Session>;

/** Eighty challenges are about 9 kB; a longer text is refused before it is parsed. */
export const MAX_SESSION_CHARS = 64 << 10;

/** @throws AppError not_canonical | invalid_json | invalid_object */
export function parseSession(text: string): Session {
  if (text.length > MAX_SESSION_CHARS) throw new AppError('invalid_object', `a session of over ${MAX_SESSION_CHARS} characters`);
  const parsed = Session.safeParse(parseJcs(toUtf8(text)));
  if (!parsed.success) throw new AppError('invalid_object', 'the session is not well formed', { cause: parsed.error });
  return parsed.data;
}

/** Nonce of the release token: `H("cloister/release/v1", session)`. */
export function sessionNonce(text: string): Bytes32 {
  return labelledHash('cloister/release/v1', toUtf8(text));
}

/** A file key, of an input by its asset or of the code by its sealed bundle. */
export const Share = z.union([
  z.strictObject({ asset: Digest, fileKey: FileKey }),
  z.strictObject({ bundle: Digest, fileKey: FileKey })
]);
export type Share = z.infer<typeof Share>;

/** What one released key is for, and what it binds the runner to. For an input also the policy that allowed it. */
export const Grant = z.union([
  z.strictObject({ asset: Digest, policy: Digest, obligations: Obligations }),
  z.strictObject({ bundle: Digest, obligations: Obligations })
]);
export type Grant = z.infer<typeof Grant>;

/** A broker's signed word that it released to this session: it makes invented data and swapped policies visible. */
export const Receipt = z.strictObject({
  v: z.literal(1),
  job: Digest,
  attempt: Attempt,
  session: Bytes32,
  /** submods.gce.instance_name of the token. */
  instance: z.string().check(z.maxLength(128)),
  time: Time,
  /** Digest of the ledger entry that records this release. */
  ledger: Digest,
  sharesDigest: Digest,
  grants: z.array(Grant).check(z.minLength(1), z.maxLength(80))
});
export type Receipt = z.infer<typeof Receipt>;

/** Signed by the broker. */
export const RECEIPT = defineSignedKind('receipt', Receipt);

/** The plaintext of a release, an age file to the session's recipient. */
export const Release = z.strictObject({
  shares: z.array(Share).check(z.minLength(1), z.maxLength(80)),
  receipt: z.string().check(z.maxLength(1 << 18))
});
export type Release = z.infer<typeof Release>;

/** The plaintext of a release’s `sealed`: RFC 8785 bytes. */
export function sealableRelease(release: Release): Uint8Array<ArrayBuffer> {
  return jcsBytes(release);
}

/** One reason why one rule, or no rule, allowed. `expected` and `actual` are what the check compared. */
export const DenialReason = z.strictObject({
  asset: z.optional(Digest),
  bundle: z.optional(Digest),
  policy: z.optional(Digest),
  rule: z.optional(z.string().check(z.maxLength(64))),
  /** An error code, the id of a check that did not pass, or a reason of a rule (docs/protocol.md, section 3). */
  code: z.string().check(z.maxLength(64)),
  expected: z.optional(z.json()),
  actual: z.optional(z.json())
});
export type DenialReason = z.infer<typeof DenialReason>;

/** A broker’s signed no. `attempt` is absent where it was asked before there was one. */
export const Denial = z.strictObject({
  v: z.literal(1),
  job: Digest,
  attempt: z.optional(Attempt),
  time: Time,
  denials: z.array(DenialReason).check(z.minLength(1), z.maxLength(512))
});
export type Denial = z.infer<typeof Denial>;

/** Signed by the broker. */
export const DENIAL = defineSignedKind('denial', Denial);

/** Signs one HTTP request (after RFC 9449). `iat` in seconds; `htu` the full URL with path and query. */
export const Proof = z.strictObject({
  htm: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  htu: z.string().check(z.maxLength(2048)),
  jti: UuidV7,
  iat: Count,
  bodyDigest: Digest
});
export type Proof = z.infer<typeof Proof>;

/** Signed by whoever sends the request. */
export const PROOF = defineSignedKind('proof', Proof);
/** How far `iat` may lie from the service’s clock, either way. */
export const PROOF_LIFETIME_SECONDS = 60;

const entry = <K extends string, S extends z.core.$ZodLooseShape>(kind: K, shape: S) =>
  z.strictObject({ v: z.literal(1), seq: Count, time: Time, previous: z.union([Digest, z.literal('none')]), kind: z.literal(kind), ...shape });

/**
 * One line of a broker's ledger. `previous` is the digest of the entry before; an entry's digest is that of its
 * RFC 8785 bytes. Holds no keys and no data.
 */
export const LedgerEntry = z.discriminatedUnion('kind', [
  entry('descriptor', { asset: Digest, name: z.string() }),
  entry('policy', { asset: z.string(), policy: Digest, version: Count }),
  entry('approval', { approval: Digest, code: Digest, decision: z.enum(['approved', 'refused']) }),
  entry('release', {
    job: Digest,
    attempt: Attempt,
    analyst: Thumbprint,
    session: Bytes32,
    instance: z.string(),
    image: Digest,
    issuer: z.string(),
    sharesDigest: Digest,
    grants: z.array(Grant)
  }),
  entry('denial', { job: Digest, attempt: z.optional(Attempt), analyst: Thumbprint, reasons: z.array(DenialReason) }),
  /** The broker countersigned a statement. */
  entry('witness', { job: Digest, attempt: Attempt, session: Bytes32, statement: Digest }),
  /** An attested runner made another statement for an attempt than the one that was witnessed. */
  entry('conflict', { job: Digest, attempt: Attempt, session: Bytes32, statement: Digest, witnessed: Digest }),
  entry('recovery', { asset: z.string(), policy: Digest, lost: ShortText })
]);
export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** A broker's signed checkpoint, kept by owners and outside the broker's own store. */
export const LedgerHead = z.strictObject({ v: z.literal(1), broker: Thumbprint, seq: Count, entry: Digest, time: Time });
export type LedgerHead = z.infer<typeof LedgerHead>;

/** Signed by the broker. */
export const LEDGER_HEAD = defineSignedKind('ledger-head', LedgerHead);
