import { MANIFEST, REPORT_AUDIENCE, digestOf, digestOfJson, fromBase64Url, signObject, toUtf8, type Digest, type Manifest, type Verified } from '@cloister/protocol';
import { createTestVerifier, type MintOptions } from '@cloister/protocol/testing';
import { openStream } from '@cloister/sealing';
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLedger } from '../owner/index.js';
import { TABLE, attest, challenge, createWorld, makeJob, makeRunner, openRelease, putRules, release, runAttempt, wrap, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf, denialIn, refusal } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

const releases = async (): Promise<number> => (await readLedger(world.ownerDeps)).filter(entry => entry.kind === 'release').length;

test('releases the keys of the asset and of the code to an attested runner, with a receipt that the ledger records', async () => {
  const job = await makeJob(world);
  const { shares, verified } = await runAttempt(world, job);
  expect(shares.map(share => ('asset' in share ? share.asset : share.bundle))).toEqual([world.asset, job.payload.code.bundle]);
  expect(shares[1]?.fileKey).toBe(job.bundleKey);
  expect(verified.payload).toMatchObject({ job: job.digest, attempt: 1, instance: 'cloister-1', sharesDigest: digestOfJson(shares) });
  expect(verified.payload.grants.map(grant => ('asset' in grant ? grant.asset : grant.bundle))).toEqual([world.asset, job.payload.code.bundle]);
  const entries = await readLedger(world.ownerDeps);
  expect(entries.map(entry => entry.kind)).toEqual(['descriptor', 'policy', 'release']);
  expect(digestOfJson(entries[2])).toBe(verified.payload.ledger);
});

test('the released key opens the sealed file', async () => {
  const { shares } = await runAttempt(world, await makeJob(world));
  const { plaintext } = await openStream(createReadStream(world.sealedFile), { fileKey: fromBase64Url(shares[0]?.fileKey ?? '') }, {});
  expect(await text(plaintext)).toBe(TABLE);
});

describe('one challenge, one release', () => {
  test('N1 fifty releases at once of one session get the same sealed bytes, and one is recorded', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    const sealed = await Promise.all(Array.from({ length: 50 }, async () => release(world, body)));
    expect(new Set(sealed).size).toBe(1);
    expect(await releases()).toBe(1);
  });

  test('N1 fifty sessions at once over one challenge, each with keys of its own: one gets keys', async () => {
    const job = await makeJob(world);
    const own = await challenge(world, job);
    const bodies = await Promise.all(Array.from({ length: 50 }, async () => attest(world, job, { runner: await makeRunner(), challenge: own })));
    const settled = await Promise.allSettled(bodies.map(async body => release(world, body)));
    expect(settled.filter(result => result.status === 'fulfilled')).toHaveLength(1);
    expect(await releases()).toBe(1);
  });

  test('N1 a used challenge serves no second session', async () => {
    const job = await makeJob(world);
    const own = await challenge(world, job);
    const runner = await makeRunner();
    await release(world, await attest(world, job, { runner, challenge: own }));
    expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: own })))).toBe('challenge_unknown');
  });

  test('N1 a challenge that has expired is unknown', async () => {
    const job = await makeJob(world);
    const own = await challenge(world, job);
    world.clock.advance(5 * 60_000);
    expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: own })))).toBe('challenge_unknown');
  });

  test('N9 a challenge that was given before a restart serves after it', async () => {
    const job = await makeJob(world);
    const runner = await makeRunner();
    const body = await attest(world, job, { runner, challenge: await challenge(world, job) });
    await world.restart();
    const sealed = await release(world, body);
    await world.restart();
    expect(await release(world, body)).toBe(sealed);
    expect(await releases()).toBe(1);
  });
});

describe('retries', () => {
  test('N9 equal session bytes get the stored reply, whatever the token', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    const sealed = await release(world, body);
    await putRules(world, []);
    expect(await release(world, { ...body, tokens: ['e30.e30.AAAA'] })).toBe(sealed);
    expect(await releases()).toBe(1);
  });

  test('a new session of the same attempt and keys is decided anew, at no further use or attempt', async () => {
    await putRules(world, [{ uses: 1, attempts: 1 }]);
    const job = await makeJob(world);
    const runner = await makeRunner();
    const first = await release(world, await attest(world, job, { runner, challenge: await challenge(world, job) }));
    const second = await release(world, await attest(world, job, { runner, challenge: await challenge(world, job) }));
    expect((await openRelease(world, second, runner)).shares).toEqual((await openRelease(world, first, runner)).shares);
    expect(await releases()).toBe(2);
    expect(await codeOf(challenge(world, job, 2))).toBe('attempts_exhausted');
    expect(await codeOf(challenge(world, await makeJob(world)))).toBe('uses_exhausted');
  });

  test.each(['recipient', 'key'] as const)('R7 another %s for an attempt is refused for ever', async changed => {
    const job = await makeJob(world);
    const [runner, other] = [await makeRunner(), await makeRunner()];
    await release(world, await attest(world, job, { runner, challenge: await challenge(world, job) }));
    await world.restart();
    const mixed = changed === 'key' ? { ...runner, signer: other.signer } : { ...runner, identity: other.identity };
    const body = await attest(world, job, { runner: mixed, challenge: await challenge(world, job) });
    expect(await denialIn(world, release(world, body))).toMatchObject({ code: 'recipient_changed', reasons: ['recipient_changed'] });
  });

  test('B3 keys of one job are refused for another: they are fresh per attempt', async () => {
    const [job, other, runner] = [await makeJob(world), await makeJob(world), await makeRunner()];
    await release(world, await attest(world, job, { runner, challenge: await challenge(world, job) }));
    expect(await codeOf(release(world, await attest(world, other, { runner, challenge: await challenge(world, other) })))).toBe('recipient_changed');
  });
});

describe('attempts', () => {
  test('R7 a lower attempt is fenced off once a higher one has keys, also with a challenge from before', async () => {
    const job = await makeJob(world);
    const early = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job, 1) });
    await runAttempt(world, job, 2);
    expect(await denialIn(world, release(world, early))).toMatchObject({ code: 'attempt_superseded', reasons: ['attempt_superseded'] });
    expect(await codeOf(challenge(world, job, 1))).toBe('attempt_superseded');
  });

  test('R1 two manifests under one id do not share a release', async () => {
    const job = await makeJob(world);
    const twin = await signObject(MANIFEST, { ...job.payload, maxAttempts: 2 }, world.analyst);
    expect(twin.payload.id).toBe(job.payload.id);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job), job: twin.digest });
    expect(await denialIn(world, release(world, body))).toMatchObject({ code: 'session_mismatch' });
  });

  test('R1 a session of another attempt than the challenge’s is refused', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job, 1), attempt: 2 });
    expect(await codeOf(release(world, body))).toBe('session_mismatch');
  });
});

describe('tokens', () => {
  const other: Digest = digestOf(toUtf8('another image'));
  const TOKENS: readonly { readonly name: string; readonly token: () => Promise<Partial<MintOptions>> | Partial<MintOptions>; readonly reason: string }[] = [
    { name: 'for reports (N8)', token: () => ({ audience: REPORT_AUDIENCE }), reason: 'audience' },
    { name: 'of another session (N1)', token: () => ({ nonces: ['A'.repeat(43)] }), reason: 'nonce' },
    { name: 'of another image', token: () => ({ image: other }), reason: 'image' },
    { name: 'from before the challenge (N6)', token: () => ({ issuedAt: new Date(world.clock.now().getTime() - 120_000) }), reason: 'issued' },
    { name: 'that has expired', token: () => ({ issuedAt: new Date(world.clock.now().getTime() - 7_200_000) }), reason: 'freshness' },
    { name: 'from the future', token: () => ({ issuedAt: new Date(world.clock.now().getTime() + 120_000) }), reason: 'issued' },
    { name: 'of a debug image', token: () => ({ claims: { dbgstat: 'enabled' } }), reason: 'debug' },
    { name: 'of hardware that no rule names', token: () => ({ claims: { hwmodel: 'GCP_AMD_SEV' } }), reason: 'hardware' },
    { name: 'without an instance', token: () => ({ claims: { submods: { container: { image_digest: world.image } } } }), reason: 'instance' }
  ];
  test.each(TOKENS)('a token $name is refused by $reason, and the challenge stays', async ({ token, reason }) => {
    const job = await makeJob(world);
    const own = await challenge(world, job);
    const runner = await makeRunner();
    const refused = await denialIn(world, release(world, await attest(world, job, { runner, challenge: own, token: await token() })));
    expect(refused.code).toBe('attestation_rejected');
    expect(refused.reasons).toContain(reason);
    expect(await releases()).toBe(0);
    await release(world, await attest(world, job, { runner, challenge: own }));
    expect(await releases()).toBe(1);
  });

  test('a token by a verifier that is not pinned is refused, whatever it says', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    const stranger = { ...world, verifier: await createTestVerifier() };
    const forged = await attest(stranger, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    expect(await codeOf(release(world, { ...body, tokens: forged.tokens }))).toBe('attestation_rejected');
    expect((await denialIn(world, release(world, forged))).reasons).toContain('signature');
  });

  test('no simulated token is accepted by a rule that names only real hardware', async () => {
    await putRules(world, [{ verifiers: ['https://confidentialcomputing.googleapis.com'], hardware: ['GCP_AMD_SEV'] }]);
    const job = await makeJob(world);
    const refused = await denialIn(world, runAttempt(world, job));
    expect(refused.reasons).toEqual(expect.arrayContaining(['issuer', 'hardware']));
  });

  test('the first rule that allows with the token decides, and its obligations are in the receipt', async () => {
    await putRules(world, [{ id: 'old', images: [other], uses: 1, maxOutputBytes: 1 }, { id: 'new', maxOutputBytes: 77 }]);
    const { verified } = await runAttempt(world, await makeJob(world));
    expect(verified.payload.grants[0]?.obligations.maxOutputBytes).toBe(77);
    // the use that was reserved under the first rule is free again
    await putRules(world, [{ id: 'old', images: [other], uses: 1 }]);
    expect(await challenge(world, await makeJob(world))).toHaveLength(43);
  });

  test('N2 a retried challenge over one token: a token answers for one session only', async () => {
    const job = await makeJob(world);
    const runner = await makeRunner();
    const first = await attest(world, job, { runner, challenge: await challenge(world, job) });
    world.clock.advance(150_000);
    const second = await attest(world, job, { runner, challenge: await challenge(world, job) });
    expect((await denialIn(world, release(world, { session: second.session, tokens: first.tokens }))).reasons).toContain('nonce');
  });
});

describe('policies', () => {
  test('a policy that was stopped between challenge and release denies', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    await putRules(world, []);
    expect(await denialIn(world, release(world, body))).toMatchObject({ code: 'released_never', reasons: ['policy_empty'] });
    expect(await releases()).toBe(0);
  });

  test('an analyst who was taken off the list between challenge and release gets nothing', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    await putRules(world, [{ analysts: [] }]);
    expect((await denialIn(world, release(world, body))).reasons).toEqual(['analyst']);
  });

  test('the manifest may run out between challenge and release', async () => {
    const notAfter = new Date(world.clock.now().getTime() + 60_000).toISOString();
    const job = await makeJob(world, { manifest: { notAfter } });
    const own = await challenge(world, job);
    world.clock.advance(60_000);
    expect(await codeOf(release(world, await attest(world, job, { runner: await makeRunner(), challenge: own })))).toBe('manifest_expired');
  });
});

describe('the code', () => {
  const withCustodian = async (job: Verified<Manifest>, change: Partial<Manifest>, signer = world.analyst): Promise<Verified<Manifest>> =>
    signObject(MANIFEST, { ...job.payload, ...change }, signer);

  test('is released only to a runner that its analyst accepts', async () => {
    const runner = { verifiers: ['https://simulator.cloister.invalid'], images: [digestOf(toUtf8('hers'))], hardware: 'any' as const, debug: false as const };
    const job = await makeJob(world, { code: { runner } });
    const { denial } = await denialIn(world, runAttempt(world, job));
    expect(denial.denials).toEqual([expect.objectContaining({ bundle: job.payload.code.bundle, code: 'image', actual: world.image })]);
    expect(await releases()).toBe(0);
  });

  test('B5 is not released for a header that was copied into another analyst’s manifest', async () => {
    const job = await makeJob(world);
    const thief = (await makeRunner()).signer;
    await putRules(world, [{ analysts: [world.analyst.thumbprint, thief.thumbprint] }]);
    const copy = await withCustodian(job, { analyst: thief.thumbprint }, thief);
    expect(await denialIn(world, challenge(world, copy))).toMatchObject({ code: 'code_not_bound', reasons: ['code_not_bound'] });
  });

  test('B5 is not released for a header that was wrapped for another bundle', async () => {
    const [job, other] = [await makeJob(world), await makeJob(world)];
    const swapped = await withCustodian(job, { code: { ...job.payload.code, custodians: other.payload.code.custodians } });
    expect(await codeOf(challenge(world, swapped))).toBe('code_not_bound');
  });

  test.each(['sealed to another recipient', 'not of the purpose', 'not sealed at all', 'named twice'] as const)('B5 is not released where its key is %s', async how => {
    const job = await makeJob(world);
    const [custodian] = job.payload.code.custodians;
    if (custodian === undefined) throw new Error('no custodian');
    const key = { v: 1, purpose: 'cloister/code/v1', analyst: world.analyst.thumbprint, bundle: job.payload.code.bundle, fileKey: job.bundleKey } as const;
    const { bundle, dataset } = world.pinned.description.recipients;
    const wrapped = {
      'sealed to another recipient': async () => wrap(key, dataset),
      'not of the purpose': async () => wrap({ ...key, purpose: 'cloister/other/v1' }, bundle),
      'not sealed at all': async () => Promise.resolve('AAAA'),
      'named twice': async () => wrap(key, bundle)
    }[how];
    const changed = { ...custodian, wrapped: await wrapped() };
    const custodians = how === 'named twice' ? [custodian, changed] : [changed];
    expect(await codeOf(challenge(world, await withCustodian(job, { code: { ...job.payload.code, custodians } })))).toBe('code_not_bound');
  });

  test('is kept for a job without an asset here only where a policy names the analyst', async () => {
    const listed = await makeJob(world, { inputs: [] });
    expect((await runAttempt(world, listed)).shares).toEqual([{ bundle: listed.payload.code.bundle, fileKey: listed.bundleKey }]);
    const stranger = (await makeRunner()).signer;
    const unlisted = await makeJob(world, { inputs: [], analyst: stranger });
    expect(await denialIn(world, challenge(world, unlisted))).toMatchObject({ code: 'not_permitted', reasons: ['not_permitted'] });
  });

  test('may be kept elsewhere: then only the asset’s key is released', async () => {
    const { shares } = await runAttempt(world, await makeJob(world, { custodian: 'stranger' }));
    expect(shares.map(share => 'asset' in share)).toEqual([true]);
  });
});

describe('what is not a session', () => {
  const SESSIONS: readonly { readonly name: string; readonly change: (session: string) => string; readonly code: string }[] = [
    { name: 'blanks', change: session => ` ${session}`, code: 'not_canonical' },
    { name: 'a member more', change: session => session.replace('{', '{"a":1,'), code: 'invalid_object' },
    { name: 'a duplicate key', change: session => session.replace('{', '{"v":1,'), code: 'invalid_json' },
    { name: 'no challenge of this broker', change: session => session.replaceAll(world.pinned.description.broker, world.analyst.thumbprint), code: 'session_mismatch' },
    { name: 'its challenge changed by one bit', change: session => session.replace(/"challenge":"(.)/, (_, first: string) => `"challenge":"${first === 'A' ? 'B' : 'A'}`), code: 'challenge_unknown' }
  ];
  test.each(SESSIONS)('a session with $name is refused', async ({ change, code }) => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job) });
    expect(await codeOf(release(world, { ...body, session: change(body.session) }))).toBe(code);
    expect(await releases()).toBe(0);
  });

  test('the error of a refusal never repeats keys, tokens or manifests', async () => {
    const job = await makeJob(world);
    const body = await attest(world, job, { runner: await makeRunner(), challenge: await challenge(world, job), token: { image: digestOf(toUtf8('x')) } });
    const error = await refusal(release(world, body));
    const words = JSON.stringify({ detail: error.detail, hint: error.hint, members: error.members });
    for (const secret of [body.tokens[0], job.jws, job.bundleKey]) expect(words).not.toContain(secret);
  });
});
