import {
  RECEIPT,
  compareUtf8,
  fromBase64Url,
  fromUtf8,
  jcs,
  openBytes,
  parseSession,
  sessionNonce,
  toBase64,
  verifyObject,
  type Manifest,
  type Session,
  type Verified
} from '@cloister/protocol';
import { createTestIdentity, createTestSigner } from '@cloister/protocol/testing';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLedger } from '../owner/index.js';
import { attest, challenge, createWorld, headsFileOf, makeJob, makeRunner, openRelease, putRules, release, type BrokerWorld, type RunnerKeys } from '../testing/broker-world.js';
import { codeOf, denialIn, refusal } from '../testing/refusals.js';

/** What operators, other brokers and copies of a session may try, by the numbers of our threat list. */
let world: BrokerWorld;
let job: Verified<Manifest>;
let runner: RunnerKeys;
beforeEach(async () => {
  world = await createWorld();
  job = await makeJob(world);
  runner = await makeRunner();
});
afterEach(async () => world.close());

type Body = Awaited<ReturnType<typeof attest>>;
const own = async (): Promise<Body> => attest(world, job, { runner, challenge: await challenge(world, job) });
const releases = async (of = world): Promise<number> => (await readLedger(of.ownerDeps)).filter(entry => entry.kind === 'release').length;

/** A session with members replaced after the token was made, or with a token over it. */
async function changed({ session, tokens }: Body, change: (session: Session) => Session, over: 'old token' | 'new token' = 'old token'): Promise<Body> {
  const text = jcs(change(parseSession(session)));
  if (over === 'old token') return { session: text, tokens };
  return { session: text, tokens: [await mint(world, text)] };
}

const mint = async (of: BrokerWorld, session: string): Promise<string> =>
  of.verifier.mint({ audience: 'urn:cloister:release', nonces: [sessionNonce(session)], image: of.image, instance: 'cloister-1', issuedAt: of.clock.now() });

describe('the nonce', () => {
  const NONCES: readonly [string, (nonce: string) => string | string[] | undefined][] = [
    ['N1 missing', () => undefined],
    ['N1 empty', () => ''],
    ['N1 cut short', nonce => nonce.slice(0, -1)],
    ['N1 of another session', () => sessionNonce('{}')],
    ['N5 in upper case', nonce => nonce.toUpperCase()],
    ['N5 padded', nonce => `${nonce}=`],
    ['N5 in the other alphabet', nonce => toBase64(fromBase64Url(nonce))],
    ['N5 in hexadecimal', nonce => Buffer.from(nonce, 'base64url').toString('hex')],
    ['N5 with a blank', nonce => ` ${nonce}`],
    ['N5 with trailing bits set', nonce => `${nonce.slice(0, -1)}${String.fromCharCode(nonce.charCodeAt(42) + 1)}`],
    ['N5 twice', nonce => [nonce, nonce]],
    ['N5 twice in a longer list', nonce => [nonce, 'another nonce', nonce]]
  ];
  test.each(NONCES)('%s', async (_, change) => {
    const { session } = await own();
    const eat = change(sessionNonce(session));
    const token = await world.verifier.mint({
      audience: 'urn:cloister:release', nonces: ['unused'], image: world.image, instance: 'cloister-1', issuedAt: world.clock.now(), claims: { eat_nonce: eat }
    });
    expect((await denialIn(world, release(world, { session, tokens: [token] }))).reasons).toContain('nonce');
    expect(await releases()).toBe(0);
  });
});

describe('N2 a token that was used', () => {
  test('N2 at the same broker for a new session, also after a restart', async () => {
    const first = await own();
    await release(world, first);
    await world.restart();
    world.clock.advance(1000);
    const second = await attest(world, job, { runner, challenge: await challenge(world, job) });
    expect((await denialIn(world, release(world, { session: second.session, tokens: first.tokens }))).reasons).toContain('nonce');
  });

  test('N2 its session with a challenge that is used up, under other keys, after a restart', async () => {
    const first = await own();
    await release(world, first);
    await world.restart();
    const thief = await createTestIdentity();
    expect(await codeOf(release(world, await changed(first, session => ({ ...session, recipient: thief.recipient }), 'new token')))).toBe('challenge_unknown');
    expect(await releases()).toBe(1);
  });

  test('N2 at another broker, which the session does not name', async () => {
    const other = await createWorld();
    const body = await own();
    expect(await codeOf(release(other, body))).toBe('session_mismatch');
    expect(await releases(other)).toBe(0);
    await other.close();
  });
});

test('N3 challenges, salts, ids and keys come from no weak generator', async () => {
  const root = join(import.meta.dirname, '../../..');
  for (const folder of ['broker/src', 'runner/src', 'protocol/src', 'sealing/src']) {
    const files = (await readdir(join(root, folder), { recursive: true })).filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(await readFile(join(root, folder, file), 'utf8'), file).not.toMatch(/Math\s*\.\s*random|pseudoRandomBytes|uuid\/v1|from 'uuid'/);
  }
});

describe('N7 one session and one token for several brokers', () => {
  let other: BrokerWorld;
  beforeEach(async () => {
    other = await createWorld();
    await putRules(other, [{ analysts: [world.analyst.thumbprint] }]);
    job = await makeJob(world, { inputs: [world.asset, other.asset] });
    await putRules(world, [{}]);
  });
  afterEach(async () => other.close());

  async function both(): Promise<Body> {
    const challenges = [
      { broker: world.pinned.description.broker, challenge: await challenge(world, job) },
      { broker: other.pinned.description.broker, challenge: await challenge(other, job) }
    ].sort((a, b) => compareUtf8(a.broker, b.broker));
    const session = jcs({ v: 1, job: job.digest, step: 'main', attempt: 1, recipient: runner.identity.recipient, key: runner.signer.thumbprint, challenges });
    return { session, tokens: [await mint(world, session)] };
  }

  test('N7 each broker releases its own share, to the runner, with a receipt that names the session', async () => {
    const body = await both();
    for (const of of [world, other]) {
      const { verified, shares } = await openRelease(of, await release(of, body), runner);
      expect(verified.payload.session).toBe(sessionNonce(body.session));
      expect(shares[0]).toMatchObject({ asset: of.asset });
    }
  });

  test('N7 a broker that copies session and token, or the operator, gets nothing that it could open', async () => {
    const body = await both();
    const copied = await release(other, body);
    await expect(openRelease(other, copied, await makeRunner())).rejects.toMatchObject({ code: 'sealed_for_another' });
    const thief = await createTestIdentity();
    const stolen = await changed(body, session => ({ ...session, recipient: thief.recipient }));
    expect((await denialIn(world, release(world, stolen))).reasons).toContain('nonce');
  });

  const LISTS: readonly [string, (list: Session['challenges']) => Session['challenges']][] = [
    ['unsorted', list => [...list].reverse()],
    ['with a broker twice', list => [...list, ...list.slice(-1)]],
    ['empty', () => []]
  ];
  test.each(LISTS)('N7 a list that is %s is no session, though a token is over it', async (_, change) => {
    const { session } = await both();
    const text = jcs({ ...parseSession(session), challenges: change(parseSession(session).challenges) });
    for (const of of [world, other]) expect(await codeOf(release(of, { session: text, tokens: [await mint(of, text)] }))).toBe('invalid_object');
  });

  test('N7 a broker that was left out, put in or exchanged after the token was made', async () => {
    const body = await both();
    const { broker } = world.pinned.description;
    const stranger = (await createTestSigner()).thumbprint;
    const sorted = (list: Session['challenges']): Session['challenges'] => [...list].sort((a, b) => compareUtf8(a.broker, b.broker));
    const bodies = await Promise.all([
      changed(body, session => ({ ...session, challenges: session.challenges.filter(item => item.broker === broker) })),
      changed(body, session => ({ ...session, challenges: sorted([...session.challenges, { broker: stranger, challenge: 'A'.repeat(43) }]) })),
      changed(body, session => ({ ...session, challenges: sorted(session.challenges.map(item => (item.broker === broker ? item : { ...item, broker: stranger }))) }))
    ]);
    for (const forged of bodies) expect((await denialIn(world, release(world, forged))).reasons).toContain('nonce');
    expect(await releases()).toBe(0);
  });

  test('N7 two challenges of brokers that were exchanged with each other: each finds another’s under its name', async () => {
    const body = await changed(await both(), session => {
      const [first, second] = session.challenges;
      if (first === undefined || second === undefined) throw new Error('two challenges are needed');
      return { ...session, challenges: [{ ...first, challenge: second.challenge }, { ...second, challenge: first.challenge }] };
    }, 'new token');
    for (const of of [world, other]) expect(await codeOf(release(of, body))).toBe('challenge_unknown');
  });

  test('R4 a broker that relays an honest broker’s challenge as its own gets a token that the honest one does not take', async () => {
    const honest = await challenge(world, job);
    const session = jcs({
      v: 1, job: job.digest, step: 'main', attempt: 1, recipient: runner.identity.recipient, key: runner.signer.thumbprint,
      challenges: [{ broker: other.pinned.description.broker, challenge: honest }]
    });
    expect(await codeOf(release(world, { session, tokens: [await mint(world, session)] }))).toBe('session_mismatch');
    expect(await releases()).toBe(0);
  });

  test('N7 the receipt of one broker is no other’s, and receipts of two sessions tell them apart', async () => {
    const [first, second] = [await both(), await both()];
    const one = await openRelease(world, await release(world, first), runner);
    await expect(verifyObject(RECEIPT, one.receipt, other.pinned.description.broker)).rejects.toMatchObject({ code: 'wrong_signer' });
    expect(sessionNonce(first.session)).toBe(one.verified.payload.session);
    // the challenges are the attempt's open ones, so equal keys give the very same session
    expect(second.session).toBe(first.session);
    const again = await attest(world, job, { runner, challenge: await challenge(world, job) });
    expect((await openRelease(world, await release(world, again), runner)).verified.payload.session).not.toBe(one.verified.payload.session);
  });
});

describe('N9 a broker that ends between its decision and its answer', () => {
  test('N9 has recorded before it tells: what could not be recorded outside is not told, and a retry gets the same sealed bytes', async () => {
    const body = await own();
    const outside = dirname(headsFileOf(world.dir));
    await rename(outside, `${outside}.away`);
    await writeFile(outside, 'in the way');
    await refusal(release(world, body));
    expect(await releases()).toBe(1);
    await rm(outside);
    await rename(`${outside}.away`, outside);
    const sealed = await release(world, body);
    await world.restart();
    expect(await release(world, body)).toBe(sealed);
    expect(await releases()).toBe(1);
  });

  test('N9 gives the kept answer to equal session bytes only: not to another key of that attempt', async () => {
    const body = await own();
    await release(world, body);
    const thief = await makeRunner();
    const stolen = await attest(world, job, { runner: thief, challenge: await challenge(world, job) });
    expect(await codeOf(release(world, stolen))).toBe('recipient_changed');
    expect(await codeOf(release(world, await changed(body, session => ({ ...session, key: thief.signer.thumbprint }))))).toBe('challenge_unknown');
  });
});

describe('relay and diversion', () => {
  test('R1 a challenge that was forwarded to a genuine runner of another job, or of other inputs', async () => {
    const elsewhere = await makeJob(world, { inputs: [] });
    const forwarded = await attest(world, elsewhere, { runner, challenge: await challenge(world, job) });
    expect(await denialIn(world, release(world, forwarded))).toMatchObject({ code: 'session_mismatch' });
  });

  test('R2 a genuine runner with the right image in an attacker’s project', async () => {
    await putRules(world, [{ projects: ['owners-project'] }]);
    const { reasons, code } = await denialIn(world, release(world, await own()));
    expect({ reasons, code }).toEqual({ reasons: ['project'], code: 'attestation_rejected' });
    await putRules(world, [{ projects: ['test'] }]);
    await release(world, await own());
  });

  test.each(['recipient', 'key'] as const)('R3 a %s that was exchanged on the way', async member => {
    const thief = await makeRunner();
    const value = member === 'key' ? thief.signer.thumbprint : thief.identity.recipient;
    expect((await denialIn(world, release(world, await changed(await own(), session => ({ ...session, [member]: value }))))).reasons).toContain('nonce');
    expect(await releases()).toBe(0);
  });

  test('R5 who reads all that passes sees neither key nor receipt: the answer is sealed to the runner', async () => {
    const body = await own();
    const sealed = await release(world, body);
    const { shares, receipt } = await openRelease(world, sealed, runner);
    const seen = Buffer.from(sealed, 'base64url').toString('latin1');
    for (const secret of [shares[0]?.fileKey ?? '', receipt.split('.')[1] ?? '', fromUtf8(fromBase64Url(receipt.split('.')[0] ?? ''))]) {
      expect(secret).not.toBe('');
      expect(seen).not.toContain(secret);
    }
    await expect(openBytes(fromBase64Url(sealed), (await createTestIdentity()).identity)).rejects.toMatchObject({ code: 'sealed_for_another' });
  });

  test('R7 a machine that was started a second time from one snapshot has the first one’s session at most, and its answer', async () => {
    const body = await own();
    const [first, second] = [await release(world, body), await release(world, body)];
    expect(second).toBe(first);
    expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) })))).toBe('recipient_changed');
    expect(await releases()).toBe(1);
  });
});
