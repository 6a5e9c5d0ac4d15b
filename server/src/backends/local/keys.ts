import { createPrivateKey, webcrypto, type KeyObject } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { AppError, digestOf, fromBase64, parseJson, PinnedVerifier, SIMULATOR_ISSUER, Time, toTime } from '@cloister/protocol';
import * as z from 'zod/mini';
import { createOnce, ensurePrivateDirectory, readIfThere } from './private-files.js';

/** Public JWK of the key that signs OIDC tokens. */
export interface SimulatorJwk {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
  readonly alg: 'RS256';
  readonly use: 'sig';
  readonly kid: string;
}

/** What a verifier pins to believe this simulator, and nobody else's. */
export interface SimulatorTrust {
  readonly issuer: string;
  readonly jwks: { readonly keys: readonly SimulatorJwk[] };
  /** Padded base64 of DER. */
  readonly roots: readonly string[];
  /** When the keys were made: the date from which an archive of them counts. */
  readonly seen: Time;
}

interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

export interface SimulatorKeys {
  readonly trust: SimulatorTrust;
  readonly oidc: SigningKey;
  /** `x5c`: leaf, intermediate, root as padded base64 of DER. */
  readonly pki: SigningKey & { readonly x5c: readonly string[] };
}

const Text = z.string();
const PrivateJwk = z.strictObject({
  kty: z.literal('RSA'),
  n: Text, e: Text, d: Text, p: Text, q: Text, dp: Text, dq: Text, qi: Text
});
type PrivateJwk = z.infer<typeof PrivateJwk>;

const KeyFile = z.strictObject({
  v: z.literal(1),
  created: Time,
  oidc: PrivateJwk,
  pki: z.strictObject({ leaf: PrivateJwk, x5c: z.tuple([Text, Text, Text]) })
});
type KeyFile = z.infer<typeof KeyFile>;

/**
 * The simulator's trust material. Its keys are made on first use; of processes that race, all read the winner's.
 * @throws AppError key_unsafe where others could read or replace the keys
 */
export async function readSimulatorTrust(keysDir: string): Promise<SimulatorTrust> {
  return (await readSimulatorKeys(keysDir)).trust;
}

/** @throws AppError key_unsafe | invalid_object */
export async function readSimulatorKeys(keysDir: string): Promise<SimulatorKeys> {
  await ensurePrivateDirectory(keysDir);
  const path = join(keysDir, 'simulator-keys.json');
  if ((await readIfThere(path)) === undefined) await createOnce(path, JSON.stringify(await generate(new Date())));
  const found = await lstat(path);
  if (!found.isFile() || (found.mode & 0o077) !== 0) throw new AppError('key_unsafe', 'the simulator’s key file can be read by others');
  const parsed = z.safeParse(KeyFile, parseJson((await readIfThere(path)) ?? ''));
  if (!parsed.success) throw new AppError('invalid_object', 'the simulator’s key file is not well formed');
  return toKeys(parsed.data);
}

/**
 * The same as an entry of `trust.json`.
 * @param source where it came from, for people
 */
export function toPinnedVerifier({ issuer, jwks, roots, seen }: SimulatorTrust, source: string): PinnedVerifier {
  return PinnedVerifier.parse({
    issuer,
    kind: 'simulator',
    jwks: [{ seen, source, keys: jwks.keys }],
    roots: roots.map(root => ({ fingerprint: digestOf(fromBase64(root)), source })),
    source
  });
}

async function generate(now: Date): Promise<KeyFile> {
  // Only the process that makes the keys pays for loading an X.509 library.
  const { generateRsaKeys, issueChain } = await import('./certificates.js');
  const [oidc, leaf] = [await generateRsaKeys(), await generateRsaKeys()];
  return {
    v: 1,
    created: toTime(now),
    oidc: await exportPrivate(oidc.privateKey),
    pki: { leaf: await exportPrivate(leaf.privateKey), x5c: await issueChain(leaf, now) }
  };
}

async function exportPrivate(key: webcrypto.CryptoKey): Promise<PrivateJwk> {
  const { kty, n, e, d, p, q, dp, dq, qi } = await webcrypto.subtle.exportKey('jwk', key);
  return z.parse(PrivateJwk, { kty, n, e, d, p, q, dp, dq, qi });
}

async function toKeys(file: KeyFile): Promise<SimulatorKeys> {
  const oidc = await signingKey(file.oidc);
  const { n, e } = file.oidc;
  return {
    trust: {
      issuer: SIMULATOR_ISSUER,
      jwks: { keys: [{ kty: 'RSA', n, e, alg: 'RS256', use: 'sig', kid: oidc.kid }] },
      roots: [file.pki.x5c[2]],
      seen: file.created
    },
    oidc,
    pki: { ...(await signingKey(file.pki.leaf)), x5c: file.pki.x5c }
  };
}

async function signingKey(jwk: PrivateJwk): Promise<SigningKey> {
  return { kid: await calculateJwkThumbprint(jwk), key: createPrivateKey({ key: jwk, format: 'jwk' }) };
}
