import { AgeRecipient, jcs, parseSession, sessionNonce, type Manifest, type Verified } from '@cloister/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLedger } from '../owner/index.js';
import { attest, challenge, createWorld, makeJob, makeRunner, release, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf } from '../testing/refusals.js';

let world: BrokerWorld;
let job: Verified<Manifest>;
beforeEach(async () => {
  world = await createWorld();
  job = await makeJob(world);
});
afterEach(async () => world.close());

type Body = Awaited<ReturnType<typeof attest>>;
const own = async (): Promise<Body> => attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
const releases = async (): Promise<number> => (await readLedger(world.ownerDeps)).filter(entry => entry.kind === 'release').length;

/** A session with other members, `undefined` for none, and a token that answers for it. */
async function withMembers(members: Readonly<Record<string, unknown>>): Promise<Body> {
  const all: Readonly<Record<string, unknown>> = { ...parseSession((await own()).session), ...members };
  const session = jcs(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)));
  const token = await world.verifier.mint({ audience: 'urn:cloister:release', nonces: [sessionNonce(session)], image: world.image, instance: 'cloister-1', issuedAt: world.clock.now() });
  return { session, tokens: [token] };
}

describe('keys that are no keys', () => {
  /** The X25519 point whose bytes are all zero (RFC 7748 section 6.1): whatever is sealed to it, anybody opens. */
  const ALL_ZERO = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z';

  test('B1 a recipient of small order gets nothing, and the challenge stays', async () => {
    const recipient = AgeRecipient.parse(ALL_ZERO);
    expect(await codeOf(release(world, await withMembers({ recipient })))).toBe('invalid_object');
    expect(await releases()).toBe(0);
    await release(world, await own());
  });

  const BAD: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['no recipient', { recipient: undefined }],
    ['no key', { key: undefined }],
    ['a key in full, and with its private half', { key: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) } }],
    ['an identity in the place of the recipient', { recipient: 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ' }],
    ['a recipient of another kind', { recipient: 'ssh-ed25519 AAAA' }],
    ['a recipient in upper case', { recipient: ALL_ZERO.toUpperCase() }],
    ['two recipients', { recipient: [ALL_ZERO, ALL_ZERO] }],
    ['a thumbprint with bits that carry nothing', { key: `${'A'.repeat(42)}B` }]
  ];
  test.each(BAD)('B1 %s', async (_, members) => {
    expect(await codeOf(release(world, await withMembers(members)))).toBe('invalid_object');
    expect(await releases()).toBe(0);
  });
});
