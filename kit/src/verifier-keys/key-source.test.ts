import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError, GOOGLE_ISSUER, INTEL_ISSUER, PinnedVerifier, SIMULATOR_ISSUER, VERIFIER_ADDRESSES, createAppraisal, digestOf, toBase64Url, toTime, toUtf8, verifyAttestation, type KeySet, type PublishingVerifier, type VerifierJwk } from '@cloister/protocol';
import { createTestVerifier, type TestVerifier } from '@cloister/protocol/testing';
import { createKeyFile, createKeySource, createLogger, replacePrivateFile, type KeySource, type KeyStore } from '../index.js';
import { COOL_DOWN_MS, FRESH_MS, USABLE_MS } from './published-keys.js';

const START = Date.parse('2030-01-01T00:00:00.000Z');
const IMAGE = digestOf(toUtf8('image'));
const POLICY = createAppraisal({ verifiers: [GOOGLE_ISSUER], images: [IMAGE], projects: 'any' });
const NONCE = toBase64Url(new Uint8Array(32));

/** Two keys of one verifier, of which the second is published later. */
let first: TestVerifier;
let second: TestVerifier;
beforeAll(async () => {
  const options = { kind: 'google', issuer: GOOGLE_ISSUER, hardware: 'GCP_AMD_SEV' } as const;
  [first, second] = [await createTestVerifier(options), await createTestVerifier(options)];
});

let directory = '';
let file = '';
let now = START;
let fetched: PublishingVerifier[] = [];
/** What the verifier publishes, or why it does not answer. */
let published: readonly VerifierJwk[] | AppError = [];
let lines: string[] = [];
const open: KeySource[] = [];
const clock = { now: () => new Date(now) };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-source-'));
  file = join(directory, 'verifier-keys.json');
  now = START;
  fetched = [];
  lines = [];
  published = keysOf(first, 'first');
});
afterEach(async () => {
  for (const source of open.splice(0)) await source.close();
  await rm(directory, { recursive: true });
});

const DOWN = new AppError('verifier_keys_unavailable', 'www.googleapis.com: it answers 503');

function keysOf({ pinned }: TestVerifier, kid: string): VerifierJwk[] {
  return pinned.jwks.flatMap(set => set.keys).map(key => ({ ...key, kid }));
}

function setOf(keys: readonly VerifierJwk[], seen = now, source = VERIFIER_ADDRESSES.google.jwks): KeySet {
  return { seen: toTime(new Date(seen)), source, keys: [...keys] };
}

interface SourceOptions {
  readonly pinned?: PinnedVerifier[];
  readonly offline?: boolean;
  readonly store?: KeyStore;
  /** Resolves before the verifier answers. */
  readonly gate?: Promise<void>;
}

const googleWith = (...jwks: KeySet[]): PinnedVerifier => ({ ...first.pinned, jwks });

async function openSource({ pinned = [googleWith()], offline = false, store, gate }: SourceOptions = {}): Promise<KeySource> {
  const logger = createLogger({ service: 'test', level: 'warn', destination: { write: line => lines.push(line) } });
  const fetchKeySet = async (kind: PublishingVerifier): Promise<{ set: KeySet; dropped: [] }> => {
    fetched.push(kind);
    await gate;
    if (published instanceof AppError) throw published;
    return { set: setOf(published, now, VERIFIER_ADDRESSES[kind].jwks), dropped: [] };
  };
  const source = await createKeySource({ trust: { verifiers: pinned }, clock, logger, store: store ?? createKeyFile(file, { clock, logger }), ...(offline ? {} : { fetchKeySet }) });
  open.push(source);
  return source;
}

const mint = async (verifier: TestVerifier, kid: string, more: object = {}): Promise<string> =>
  verifier.mint({ audience: 'test', nonces: [NONCE], image: IMAGE, instance: 'one', issuedAt: clock.now(), header: { kid }, ...more });

async function accepts(source: KeySource, token: string): Promise<boolean> {
  const freshness = { kind: 'release', issuedAfter: clock.now() } as const;
  const trust = await source.trustFor(token);
  return (await verifyAttestation(token, { trust, expect: { audience: 'test', nonce: NONCE, policy: POLICY, freshness }, now: clock.now() })).accepted;
}

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof AppError) return error;
  throw new Error('nothing was refused');
}

/** What anybody can send: a token whose signature is nothing. */
function forged(kid: unknown, iss: string = GOOGLE_ISSUER, header: object = {}): string {
  return [{ alg: 'RS256', kid, ...header }, { iss }].map(part => toBase64Url(toUtf8(JSON.stringify(part)))).join('.') + '.AA';
}

describe('K1', () => {
  test('keys are fetched when they are needed, and not again while they are fresh', async () => {
    const source = await openSource();
    expect(fetched).toEqual([]);
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    now += FRESH_MS;
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(fetched).toHaveLength(1);
    now += 1;
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(fetched).toHaveLength(2);
  });

  test('while the verifier does not answer, its keys count for a day; then nothing does', async () => {
    const source = await openSource();
    await accepts(source, await mint(first, 'first'));
    published = DOWN;
    now = START + USABLE_MS;
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    now += 1;
    const error = await refusal(source.trustFor(await mint(first, 'first')));
    expect([error.code, error.status, error.retry]).toEqual(['verifier_keys_unavailable', 503, true]);
    expect(error.detail).toContain('it answers 503');
    published = keysOf(first, 'first');
    now += COOL_DOWN_MS;
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
  });

  test('a verifier that is down is asked once in a cool-down, and who asks is told how long to wait', async () => {
    published = DOWN;
    const source = await openSource();
    for (let at = 0; at < 100; at += 1) await refusal(source.trustFor(forged('first')));
    expect(fetched).toHaveLength(1);
    now += 10_000;
    expect((await refusal(source.trustFor(forged('first')))).members).toEqual({ retryAfterSeconds: 20 });
    now += 20_000;
    await refusal(source.trustFor(forged('first')));
    expect(fetched).toHaveLength(2);
  });

  test('a clock that is set back does not keep us from looking', async () => {
    const source = await openSource();
    await accepts(source, await mint(first, 'first'));
    now -= 365 * USABLE_MS;
    published = keysOf(second, 'second');
    expect(await accepts(source, await mint(second, 'second'))).toBe(true);
  });
});

describe('K2', () => {
  test('ten thousand tokens with unknown key ids are one look', async () => {
    const source = await openSource();
    await accepts(source, await mint(first, 'first'));
    now += COOL_DOWN_MS;
    for (let at = 0; at < 10_000; at += 1) await source.trustFor(forged(`unknown-${at}`)).catch((error: unknown) => expect(error).toMatchObject({ code: 'verifier_keys_unavailable' }));
    expect(fetched).toHaveLength(2);
  });

  test('at the same time they share the look under way, and all of them are answered', async () => {
    let answer = (): void => undefined;
    const source = await openSource({ gate: new Promise(resolve => (answer = resolve)) });
    const asking = Promise.all(Array.from({ length: 10_000 }, async (_, at) => source.trustFor(forged(`unknown-${at}`))));
    expect(fetched).toHaveLength(1);
    answer();
    expect(await asking).toHaveLength(10_000);
    expect(fetched).toHaveLength(1);
  });

  test('a flood does not lock out who has a known key', async () => {
    const source = await openSource();
    await source.trustFor(forged('unknown'));
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(fetched).toHaveLength(1);
  });

  test.each<[string, () => string]>([
    ['no token', () => 'nothing'],
    ['a token of a stranger', () => forged('a', 'https://elsewhere.test')],
    ['a token whose issuer only looks like a pinned one', () => forged('a', `${GOOGLE_ISSUER}/`)],
    ['a token of a verifier that is not pinned', () => forged('a', INTEL_ISSUER)],
    ['a token with certificates', () => forged('a', GOOGLE_ISSUER, { x5c: ['a', 'b', 'c'] })]
  ])('%s is no reason to look', async (_, token) => {
    const source = await openSource();
    await source.trustFor(token());
    expect(fetched).toEqual([]);
  });

  test('a token names no address to look at', async () => {
    const source = await openSource();
    await source.trustFor(forged('a', GOOGLE_ISSUER, { jku: 'https://elsewhere.test/keys', jwk: keysOf(second, 'a')[0] }));
    expect(fetched).toEqual(['google']);
    expect((await source.trustFor('')).verifiers[0]?.jwks).toEqual([setOf(keysOf(first, 'first'), START)]);
  });
});

describe('K3', () => {
  test('keys that rotate between signing and verifying cost one more look', async () => {
    const source = await openSource();
    await accepts(source, await mint(first, 'first'));
    now += COOL_DOWN_MS;
    published = [...keysOf(first, 'first'), ...keysOf(second, 'second')];
    expect(await accepts(source, await mint(second, 'second'))).toBe(true);
    expect(fetched).toHaveLength(2);
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(fetched).toHaveLength(2);
  });

  test('within the cool-down a token with a new key is told to come again, not that it is wrong', async () => {
    const source = await openSource();
    await accepts(source, await mint(first, 'first'));
    published = keysOf(second, 'second');
    const token = await mint(second, 'second');
    expect(await refusal(accepts(source, token))).toMatchObject({ code: 'verifier_keys_unavailable', members: { retryAfterSeconds: 30 } });
    now += COOL_DOWN_MS;
    expect(await accepts(source, await mint(second, 'second'))).toBe(true);
  });

  test('a key that was withdrawn counts no more after the next look', async () => {
    const source = await openSource();
    await accepts(source, await mint(first, 'first'));
    published = keysOf(second, 'second');
    now += FRESH_MS + 1;
    expect(await accepts(source, await mint(first, 'first'))).toBe(false);
    expect(await accepts(source, await mint(second, 'second'))).toBe(true);
  });

  test('a key that nobody published is refused after a look', async () => {
    const source = await openSource();
    expect(await accepts(source, await mint(second, 'second'))).toBe(false);
    expect(fetched).toHaveLength(1);
  });

  test('the archive holds all that was seen, and grows by what changes', async () => {
    const pinned = setOf(keysOf(first, 'first'), START - 365 * USABLE_MS, 'a file');
    const source = await openSource({ pinned: [googleWith(pinned)] });
    for (let look = 0; look < 5; look += 1, now += FRESH_MS + 1) await source.trustFor(forged('first'));
    published = keysOf(second, 'second');
    await source.trustFor(forged('first'));
    expect(fetched).toHaveLength(6);
    const sets = source.archive().verifiers[0]?.jwks ?? [];
    expect(sets.map(set => set.keys[0]?.kid)).toEqual(['first', 'first', 'first', 'second']);
    expect(sets[0]).toEqual(pinned);
    expect(PinnedVerifier.safeParse(source.archive().verifiers[0]).success).toBe(true);
  });
});

describe('K5', () => {
  test('a key under the same id for another algorithm is another key', async () => {
    const intel: PinnedVerifier = { ...first.pinned, kind: 'intel', issuer: INTEL_ISSUER, jwks: [] };
    const source = await openSource({ pinned: [intel] });
    await source.trustFor(forged('first', INTEL_ISSUER));
    now += COOL_DOWN_MS;
    await source.trustFor(forged('first', INTEL_ISSUER));
    expect(fetched).toEqual(['intel']);
    await source.trustFor(forged('first', INTEL_ISSUER, { alg: 'PS384' }));
    expect(fetched).toEqual(['intel', 'intel']);
  });
});

describe('K6', () => {
  async function keepThenRestart(between: () => Promise<void> = async () => undefined): Promise<KeySource> {
    const source = await openSource();
    await source.trustFor(forged('first'));
    await source.close();
    await between();
    published = DOWN;
    lines = [];
    return openSource();
  }

  test('keys outlive a restart, in a file for its owner only', async () => {
    const source = await keepThenRestart();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(fetched).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  const kept = (sets: unknown): string => JSON.stringify({ v: 1, google: sets });
  test.each<[string, () => Promise<void>]>([
    ['that others can read', async () => chmod(file, 0o644)],
    ['that others can write', async () => chmod(file, 0o620)],
    ['that is a link', async () => {
      const elsewhere = join(directory, 'elsewhere');
      await writeFile(elsewhere, await readFile(file), { mode: 0o600 });
      await rm(file);
      await symlink(elsewhere, file);
    }],
    ['that is cut off', async () => replacePrivateFile(file, (await readFile(file)).subarray(0, -5))],
    ['that is no text', async () => replacePrivateFile(file, Uint8Array.of(0xff, 0xfe))],
    ['of another form', async () => replacePrivateFile(file, '{"v":2}')],
    ['with a member more', async () => replacePrivateFile(file, JSON.stringify({ v: 1, google: [], trusted: true }))],
    ['with keys from another address', async () => replacePrivateFile(file, kept([setOf(keysOf(first, 'first'), START, 'https://elsewhere.test')]))],
    ['with keys from the future', async () => replacePrivateFile(file, kept([setOf(keysOf(first, 'first'), START + 365 * USABLE_MS)]))],
    ['with a key that has no strong modulus', async () => replacePrivateFile(file, kept([setOf(keysOf(first, 'first').map(key => ({ ...key, n: 'A'.repeat(342) })))]))],
    ['with two keys under one id', async () => replacePrivateFile(file, kept([setOf([...keysOf(first, 'first'), ...keysOf(second, 'first')])]))],
    ['with an empty set', async () => replacePrivateFile(file, kept([setOf([])]))]
  ])('a kept file %s is ignored, and the log says so', async (_, spoil) => {
    const source = await keepThenRestart(spoil);
    expect((await refusal(accepts(source, await mint(first, 'first')))).code).toBe('verifier_keys_unavailable');
    expect(lines.join('')).toContain('the kept keys of verifiers are ignored');
    published = keysOf(first, 'first');
    now += COOL_DOWN_MS;
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('kept keys are too old after a day, and the log says so', async () => {
    const source = await keepThenRestart(async () => {
      now += USABLE_MS + 1;
    });
    expect(lines.join('')).toContain('too old to be used');
    expect((await refusal(accepts(source, await mint(first, 'first')))).code).toBe('verifier_keys_unavailable');
  });

  test('a disk that takes nothing costs the next start its keys, and nothing else', async () => {
    const full: KeyStore = { load: async () => ({}), save: async () => Promise.reject(new AppError('storage_full', 'no space')) };
    const source = await openSource({ store: full });
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(lines.join('')).toContain('could not be kept');
  });
});

describe('K8', () => {
  test('a start without network refuses, and health says so', async () => {
    published = DOWN;
    const source = await openSource({ pinned: [googleWith(setOf(keysOf(first, 'first'), START - USABLE_MS - 1, 'a file'))] });
    expect(await source.check()).toEqual([{ issuer: GOOGLE_ISSUER, usable: false, detail: 'no keys: www.googleapis.com: it answers 503' }]);
    expect((await refusal(accepts(source, await mint(first, 'first')))).code).toBe('verifier_keys_unavailable');
    expect(await accepts(source, await mint(first, 'first', { kind: 'pki' }))).toBe(true);
  });

  test('it works with keys that were pinned within a day', async () => {
    published = DOWN;
    const source = await openSource({ pinned: [googleWith(setOf(keysOf(first, 'first'), START - USABLE_MS, 'a file'))] });
    expect(await accepts(source, await mint(first, 'first'))).toBe(true);
    expect(await source.check()).toMatchObject([{ usable: true }]);
  });

  test('whoever may not fetch says so', async () => {
    const source = await openSource({ offline: true });
    expect(await source.check()).toEqual([{ issuer: GOOGLE_ISSUER, usable: false, detail: 'no keys: nothing is fetched from the network here' }]);
  });

  test('health looks by itself, and is well when the keys are there', async () => {
    const source = await openSource();
    expect(await source.check()).toEqual([{ issuer: GOOGLE_ISSUER, usable: true, detail: `keys seen ${clock.now().toISOString()}` }]);
    await source.check();
    expect(fetched).toHaveLength(1);
  });

  test('a look under way ends with the source', async () => {
    const logger = createLogger({ service: 'test', level: 'silent', destination: 'stderr' });
    const source = await createKeySource({
      trust: { verifiers: [googleWith()] }, clock, logger, store: createKeyFile(file, { clock, logger }),
      fetchKeySet: async (_kind, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(DOWN)))
    });
    const asking = refusal(source.trustFor(forged('first')));
    await source.close();
    expect((await asking).code).toBe('verifier_keys_unavailable');
  });
});

describe('a simulator', () => {
  const never: KeyStore = { load: async () => Promise.reject(new Error('read')), save: async () => Promise.reject(new Error('written')) };

  test('is never asked for keys: what is pinned is what counts, and nothing is read or kept', async () => {
    const { pinned } = await createTestVerifier();
    const source = await openSource({ pinned: [pinned], store: never });
    for (const kid of ['test-key', 'unknown']) expect(await source.trustFor(forged(kid, SIMULATOR_ISSUER))).toEqual({ verifiers: [pinned] });
    expect(await source.trustFor(forged('a', GOOGLE_ISSUER))).toEqual({ verifiers: [pinned] });
    expect([await source.check(), source.archive()]).toEqual([[], { verifiers: [pinned] }]);
    expect(fetched).toEqual([]);
  });

  test('that calls itself by the issuer of another is one all the same', async () => {
    const posing: PinnedVerifier = { ...first.pinned, kind: 'simulator' };
    const source = await openSource({ pinned: [posing], store: never });
    expect(await source.trustFor(forged('unknown'))).toEqual({ verifiers: [posing] });
    expect(fetched).toEqual([]);
  });
});
