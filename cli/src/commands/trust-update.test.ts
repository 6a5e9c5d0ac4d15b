import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GOOGLE_ISSUER, INTEL_ISSUER, VERIFIER_ADDRESSES, toUtf8, verifyAttestation, createAppraisal, digestOf, type Transport, type Trust, type VerifierJwk } from '@cloister/protocol';
import { createTestVerifier, type TestVerifier } from '@cloister/protocol/testing';
import { knownVerifier } from '@cloister/agent';
import type { Clock } from '@cloister/kit';
import { codeOf, runHere, type RunHere } from '../testing/run-here.js';

let first: TestVerifier;
let second: TestVerifier;
beforeAll(async () => {
  [first, second] = await Promise.all([createTestVerifier({ kind: 'google' }), createTestVerifier({ kind: 'google' })]);
});

let home: string;
let file: string;
let published: Map<string, () => { readonly status?: number; readonly type?: string; readonly body: string }>;
let asked: string[];
let now: Date;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cloister-update-'));
  file = join(home, 'agent/trust.json');
  published = new Map();
  asked = [];
  now = new Date('2026-11-01T00:00:00Z');
  await mkdir(join(home, 'agent'), { mode: 0o700 });
});
afterEach(async () => rm(home, { recursive: true }));

/** Answers for the pinned addresses alone; pauses between tries take no time. */
const internet: Transport = async ({ url }) => {
  asked.push(url);
  const { status = 200, type = 'application/json', body } = published.get(url)?.() ?? { status: 503, body: '' };
  return { status, headers: { 'content-type': type }, body: (async function* () { yield toUtf8(body); })() };
};
const clock: Clock = {
  now: () => now,
  // The deadline of a fetch never comes; a pause is over at once.
  sleep: async (ms, signal) => (ms >= 5000 ? new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('over')))) : undefined)
};

const update = async (...args: readonly string[]): Promise<RunHere> => runHere(['trust', 'update', ...args], { home, internet, clock });
const keysOf = ({ pinned }: TestVerifier): readonly VerifierJwk[] => pinned.jwks[0]?.keys ?? [];
const named = (verifier: TestVerifier, kid: string): VerifierJwk[] => keysOf(verifier).map(key => ({ ...key, kid }));
const publish = (...keys: readonly unknown[]): void => void published.set(VERIFIER_ADDRESSES.google.jwks, () => ({ body: JSON.stringify({ keys }) }));
const pin = async (trust: Partial<Trust> = {}): Promise<void> => writeFile(file, JSON.stringify({ v: 1, owners: [], verifiers: [knownVerifier('google')], images: [], ...trust }));
const trusted = (): Trust => JSON.parse(readFileSync(file, 'utf8')) as Trust; // our own file, just written

describe('keys are fetched, shown, and written only then', () => {
  test('new keys come into the archive with their time and address; the file is private', async () => {
    await pin();
    publish(...named(first, 'one'));
    const { stdout, exitCode, error } = await update('--yes');
    expect([error, exitCode]).toEqual([undefined, 0]);
    expect(stdout).toContain('new        one (RS256)');
    expect(trusted().verifiers[0]?.jwks).toEqual([{ seen: now.toISOString(), source: VERIFIER_ADDRESSES.google.jwks, keys: named(first, 'one') }]);
  });

  test('a rotation: new, gone and unchanged are told apart, and what is gone stays in the archive', async () => {
    await pin();
    publish(...named(first, 'one'), ...named(second, 'two'));
    await update('--yes');
    now = new Date('2026-11-08T00:00:00Z');
    publish(...named(second, 'two'), ...named(first, 'three'));
    const { stdout } = await update('--yes');
    expect(stdout).toContain('new        three (RS256)');
    expect(stdout).toContain('gone       one (RS256), stays in the archive');
    expect(stdout).toContain('unchanged  two (RS256)');
    expect(trusted().verifiers[0]?.jwks.map(set => set.keys.map(key => key.kid))).toEqual([['one', 'two'], ['two', 'three']]);
  });

  test('what does not count is left out, with the reason', async () => {
    await pin();
    publish(...named(first, 'one'), { kty: 'oct', kid: 'secret', k: 'AAAA' }, { ...named(second, 'private')[0], d: 'AAAA' });
    const { stdout } = await update('--yes');
    expect(stdout).toMatch(/left out +secret: it has members of a private or symmetric key/);
    expect(stdout).toMatch(/left out +private: /);
    expect(trusted().verifiers[0]?.jwks[0]?.keys.map(key => key.kid)).toEqual(['one']);
  });

  test('another key under an id of the archive is told in plain words', async () => {
    await pin();
    publish(...named(first, 'one'));
    await update('--yes');
    now = new Date('2026-11-02T00:00:00Z');
    publish(...named(second, 'one'));
    expect((await update('--yes')).stdout).toContain('CAREFUL: the archive holds another key under one (RS256)');
  });

  test('where nobody says yes, nothing is written', async () => {
    await pin();
    const before = await readFile(file, 'utf8');
    publish(...named(first, 'one'));
    const run = await update();
    expect([codeOf(run), run.stdout.includes('new        one')]).toEqual(['usage', true]);
    expect(await readFile(file, 'utf8')).toBe(before);
    expect(readdirSync(join(home, 'agent'))).toEqual(['trust.json']);
  });

  test('with --json, what would change is on stderr before anybody is asked; with --yes there is nobody to tell', async () => {
    await pin();
    publish(...named(first, 'one'));
    const run = await update('--json');
    expect([codeOf(run), run.stdout, run.notes.includes('new        one (RS256)')]).toEqual(['usage', '', true]);
    const { stdout, notes } = await update('--json', '--yes');
    expect([notes, JSON.parse(stdout)]).toEqual(['', expect.objectContaining({ schema: 'cloister.trust-update.v1' })]);
  });

  test('a token by a key that was fetched verifies', async () => {
    await pin();
    publish(...keysOf(first));
    await update('--yes');
    const image = digestOf(toUtf8('x'));
    const token = await first.mint({ audience: 'a', nonces: ['0123456789'], image, instance: 'i', issuedAt: now });
    const demanded = { audience: 'a', nonce: '0123456789', policy: createAppraisal({ verifiers: [GOOGLE_ISSUER], images: [image], projects: 'any' }), freshness: { kind: 'report' } } as const;
    expect((await verifyAttestation(token, { trust: trusted(), expect: demanded, now })).accepted).toBe(true);
  });
});

describe('what cannot be fetched changes nothing', () => {
  const REFUSED: readonly (readonly [string, string, () => void])[] = [
    ['an address that does not answer', 'verifier_keys_unavailable', () => undefined],
    ['a redirect', 'verifier_keys_refused', () => published.set(VERIFIER_ADDRESSES.google.jwks, () => ({ status: 302, body: '' }))],
    ['a login page', 'verifier_keys_refused', () => published.set(VERIFIER_ADDRESSES.google.jwks, () => ({ type: 'text/html', body: '<html>' }))],
    ['a set without a key that counts', 'verifier_keys_refused', () => publish({ kty: 'oct', kid: 'a', k: 'AAAA' })],
    ['a huge reply', 'verifier_keys_refused', () => published.set(VERIFIER_ADDRESSES.google.jwks, () => ({ body: `{"keys":[${' '.repeat(70_000)}]}` }))]
  ];
  test.each(REFUSED)('%s: %s', async (_, code, serve) => {
    await pin();
    const before = await readFile(file, 'utf8');
    serve();
    const run = await update('--yes');
    expect(codeOf(run)).toBe(code);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test('of two verifiers one answers: that one is written, the other is as it was, and the exit code tells', async () => {
    await pin({ verifiers: [knownVerifier('google'), knownVerifier('intel')] });
    publish(...named(first, 'one'));
    const { stdout, exitCode } = await update('--yes');
    expect([exitCode, stdout.includes('nothing was fetched')]).toEqual([1, true]);
    expect(trusted().verifiers.map(verifier => verifier.jwks.length)).toEqual([1, 0]);
    expect((await update('--yes', '--issuer', GOOGLE_ISSUER)).exitCode).toBe(0);
  });

  test('a simulator is never asked for keys; nobody pinned, a stranger and a broken file are refused before anything is asked', async () => {
    await pin({ verifiers: [] });
    expect(codeOf(await update('--yes'))).toBe('trust_missing');
    await pin({ verifiers: [{ ...knownVerifier('google'), kind: 'simulator', issuer: 'https://simulator.cloister.invalid' }] });
    expect(codeOf(await update('--yes', '--issuer', 'https://simulator.cloister.invalid'))).toBe('usage');
    expect(codeOf(await update('--yes', '--issuer', INTEL_ISSUER))).toBe('not_found');
    await writeFile(file, '{"v":1}');
    expect(codeOf(await update('--yes'))).toBe('config_invalid');
    expect(asked).toEqual([]);
  });

  test('a full archive is refused, and kept', async () => {
    const jwks = Array.from({ length: 256 }, (_, at) => ({ seen: new Date(Date.UTC(2026, 0, 1 + at)).toISOString(), source: 'x', keys: named(first, `k${at}`) }));
    await pin({ verifiers: [{ ...knownVerifier('google'), jwks }] });
    publish(...named(first, 'one'));
    now = new Date('2026-12-01T00:00:00Z');
    expect(codeOf(await update('--yes'))).toBe('payload_too_large');
    expect(trusted().verifiers[0]?.jwks).toHaveLength(256);
  });
});

describe('the root', () => {
  const description = (): string => VERIFIER_ADDRESSES.google.rootDescription ?? '';
  const serveRoot = (verifier: TestVerifier): void => {
    const address = new URL('/root.crt', description()).href;
    published.set(description(), () => ({ body: JSON.stringify({ root_ca_uri: address }) }));
    published.set(address, () => ({ type: 'application/x-x509-ca-cert', body: `-----BEGIN CERTIFICATE-----\n${verifier.chain.x5c[2]}\n-----END CERTIFICATE-----\n` }));
  };

  test('is never brought in by the network: another one is told, and not pinned', async () => {
    await pin();
    publish(...named(first, 'one'));
    serveRoot(second);
    const { stdout } = await update('--yes');
    expect(stdout.replace(/\s+/g, ' ')).toContain('the root could not be looked at, and stays as it is pinned');
    expect(trusted().verifiers[0]?.roots).toEqual(knownVerifier('google').roots);
  });

  test('that is pinned and published is said to be so', async () => {
    await pin({ verifiers: [{ ...knownVerifier('google'), roots: [{ fingerprint: second.chain.root, source: 'compared by hand' }] }] });
    publish(...named(first, 'one'));
    serveRoot(second);
    expect((await update('--yes')).stdout.replace(/\s+/g, ' ')).toContain(`the pinned root ${second.chain.root} is still published`);
  });
});

test('--json tells the same, with a schema of its own', async () => {
  await pin({ verifiers: [knownVerifier('google'), knownVerifier('intel')] });
  publish(...named(first, 'one'), { kty: 'oct', kid: 'a', k: 'AAAA' });
  const { stdout } = await update('--yes', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'cloister.trust-update.v1',
    file,
    verifiers: [
      { issuer: GOOGLE_ISSUER, fetched: true, added: [{ kid: 'one', alg: 'RS256' }], gone: [], unchanged: [], dropped: [{ kid: 'a', reason: 'private_member' }] },
      { issuer: INTEL_ISSUER, fetched: false, code: 'verifier_keys_unavailable' }
    ]
  });
});

test('while another process writes the file, it is left as it is', async () => {
  await pin();
  const before = await readFile(file, 'utf8');
  publish(...named(first, 'one'));
  await writeFile(`${file}.lock`, '');
  expect(codeOf(await update('--yes'))).toBe('state_locked');
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(readdirSync(join(home, 'agent')).filter(name => name.includes('partial'))).toEqual([]);
});
