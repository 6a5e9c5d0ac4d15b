import { beforeAll, describe, expect, test } from 'vitest';
import { createProver, createSigningKey, defineRoute, digestOf, signerOf, type Signer } from '@cloister/protocol';
import { authenticateByProof, createReplayMemory, type AuthRequest, type Authenticate } from '../index.js';

const ROUTE = defineRoute({
  id: 'r', method: 'POST', path: '/v1/things', auth: 'analyst', summary: '', body: { kind: 'none' },
  response: { kind: 'empty', status: 204 }, errors: []
});
const PUBLIC_URL = 'http://server.cloister.localhost';
const NOTHING = digestOf(new Uint8Array());
const START = new Date('2026-01-01T00:00:00.000Z');
const later = (seconds: number): Date => new Date(START.getTime() + seconds * 1000);

let signer: Signer;
let now = START;
beforeAll(async () => {
  signer = await signerOf(await createSigningKey());
});

function authenticator(limit?: number): Authenticate<string> {
  const clock = { now: () => now };
  return authenticateByProof({ publicUrl: PUBLIC_URL, clock, replays: createReplayMemory(clock, limit) });
}

async function request(target: string, proof?: string): Promise<AuthRequest> {
  now = START;
  const made = proof ?? (await createProver(signer, { now: () => START })({ htm: 'POST', htu: PUBLIC_URL + target, bodyDigest: NOTHING }));
  return { route: ROUTE, method: 'POST', target, params: {}, headers: { 'cloister-proof': made } };
}

test('the sender is whoever signed, and the body is promised', async () => {
  expect(await authenticator()(await request('/v1/things?a=1'))).toEqual({ caller: signer.thumbprint, bodyDigest: NOTHING });
});

test('no proof is no sender', async () => {
  expect(await authenticator()({ ...(await request('/v1/things')), headers: {} })).toBeUndefined();
});

describe('a proof', () => {
  test('of another method, path, query or server is refused', async () => {
    const sent = await request('/v1/things?a=1');
    const changes: Partial<AuthRequest>[] = [{ method: 'PUT' }, { target: '/v1/others?a=1' }, { target: '/v1/things?a=2' }, { target: '/v1/things' }];
    for (const change of changes) {
      await expect(authenticator()({ ...sent, ...change })).rejects.toMatchObject({ code: 'proof_invalid' });
    }
    const elsewhere = await createProver(signer, { now: () => START })({ htm: 'POST', htu: 'http://evil.test/v1/things', bodyDigest: NOTHING });
    await expect(authenticator()(await request('/v1/things', elsewhere))).rejects.toMatchObject({ code: 'proof_invalid' });
  });

  test('with one byte changed is refused', async () => {
    const sent = await request('/v1/things');
    const proof = String(sent.headers['cloister-proof']);
    const at = proof.indexOf('.') + 10;
    const changed = proof.slice(0, at) + (proof[at] === 'A' ? 'B' : 'A') + proof.slice(at + 1);
    await expect(authenticator()({ ...sent, headers: { 'cloister-proof': changed } })).rejects.toMatchObject({ code: 'proof_invalid' });
  });

  test('serves once', async () => {
    const authenticate = authenticator();
    const sent = await request('/v1/things');
    await authenticate(sent);
    await expect(authenticate(sent)).rejects.toMatchObject({ code: 'proof_replayed' });
  });

  test('is refused when it is old, and never serves again once its id was forgotten', async () => {
    const authenticate = authenticator();
    const sent = await request('/v1/things');
    await authenticate(sent);
    for (const seconds of [59, 61, 119, 121, 500]) {
      now = later(seconds);
      await expect(authenticate(sent)).rejects.toMatchObject({ code: seconds <= 60 ? 'proof_replayed' : 'proof_stale' });
    }
  });
});

test('a full memory refuses, and forgets only what has expired', async () => {
  const clock = { now: () => now };
  now = START;
  const memory = createReplayMemory(clock, 2);
  expect([memory.firstUse('a', later(120)), memory.firstUse('b', later(120)), memory.firstUse('a', later(120))]).toEqual([true, true, false]);
  expect(() => memory.firstUse('c', later(120))).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  now = later(120);
  expect(memory.firstUse('c', later(240))).toBe(true);
});
