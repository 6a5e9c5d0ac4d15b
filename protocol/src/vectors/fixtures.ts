import * as z from 'zod/mini';
import { fromBase64Url, toBase64Url } from '../bytes/base64url.js';
import { sha256Bytes } from '../bytes/digest.js';
import { concatBytes, toUtf8 } from '../bytes/text.js';
import { AgeRecipient, Base64Url } from '../objects/primitives.js';
import { PrivateJwk, signerOf, type Signer } from '../signed/keys.js';
import { generateIdentity, recipientOf, sealBytes } from '../sealing/age-header.js';

/**
 * What cannot be made twice: age identities and files, RSA keys. They are made once and kept in
 * protocol/vectors/fixtures.json; everything else follows from them, byte for byte. TEST KEYS: everybody has them.
 */
const RsaKey = z.strictObject({ kty: z.literal('RSA'), n: Base64Url, e: Base64Url, d: Base64Url, p: Base64Url, q: Base64Url, dp: Base64Url, dq: Base64Url, qi: Base64Url });
type RsaKey = z.infer<typeof RsaKey>;

export const Fixtures = z.strictObject({
  about: z.string(),
  identities: z.record(z.string(), z.string()),
  rsa: z.record(z.string(), RsaKey),
  /** Files of age v1, base64url, with the plaintext that they were made of and the recipients, by name. */
  sealed: z.record(z.string(), z.strictObject({ plaintext: z.string(), recipients: z.array(AgeRecipient), file: Base64Url }))
});
export type Fixtures = z.infer<typeof Fixtures>;

export const NO_FIXTURES: Fixtures = {
  about: 'TEST KEYS and what was sealed to them, made once: everybody has them, so nothing real may use them. Delete an entry to have it made anew.',
  identities: {},
  rsa: {},
  sealed: {}
};

export interface VectorIdentity {
  readonly identity: string;
  readonly recipient: AgeRecipient;
}

export interface RsaPair {
  readonly n: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** Keys and sealed files by name: from the fixtures where they are, else made and recorded. */
export interface FixtureSource {
  readonly identity: (name: string) => Promise<VectorIdentity>;
  readonly rsa: (name: string) => Promise<RsaPair>;
  readonly seal: (name: string, plaintext: Uint8Array, recipients: readonly AgeRecipient[]) => Promise<Uint8Array<ArrayBuffer>>;
  /** What was not there, or no longer fits. */
  readonly recorded: () => readonly string[];
  readonly fixtures: () => Fixtures;
}

export function openFixtures(kept: Fixtures): FixtureSource {
  const fixtures = structuredClone(kept);
  const recorded: string[] = [];
  const note = <T>(name: string, value: T): T => {
    recorded.push(name);
    return value;
  };
  return {
    identity: async name => {
      const identity = (fixtures.identities[name] ??= note(name, await generateIdentity()));
      return { identity, recipient: await recipientOf(identity) };
    },
    rsa: async name => importRsa((fixtures.rsa[name] ??= note(name, await createRsa()))),
    seal: async (name, plaintext, recipients) => {
      const entry = fixtures.sealed[name];
      const text = toBase64Url(plaintext);
      if (entry?.plaintext === text && entry.recipients.join() === recipients.join()) return fromBase64Url(entry.file);
      const file = await sealBytes(plaintext, recipients);
      fixtures.sealed[name] = note(name, { plaintext: text, recipients: [...recipients], file: toBase64Url(file) });
      return file;
    },
    recorded: () => recorded,
    fixtures: () => fixtures
  };
}

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

async function createRsa(): Promise<RsaKey> {
  const { privateKey } = await crypto.subtle.generateKey({ ...RSA, publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 }, true, ['sign', 'verify']);
  const { kty, n, e, d, p, q, dp, dq, qi } = await crypto.subtle.exportKey('jwk', privateKey);
  return RsaKey.parse({ kty, n, e, d, p, q, dp, dq, qi });
}

async function importRsa(jwk: RsaKey): Promise<RsaPair> {
  const { kty, n, e } = jwk;
  return {
    n,
    privateKey: await crypto.subtle.importKey('jwk', jwk, RSA, true, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', { kty, n, e }, RSA, true, ['verify'])
  };
}

/** PKCS #8 of an Ed25519 seed (RFC 8410) up to the seed. */
const PKCS8 = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]);

/** The Ed25519 test key of a name: its seed is `SHA-256("cloister test key " || name)`. */
export async function testKey(name: string): Promise<PrivateJwk> {
  const seed = sha256Bytes(toUtf8(`cloister test key ${name}`));
  const key = await crypto.subtle.importKey('pkcs8', concatBytes(PKCS8, seed), 'Ed25519', true, ['sign']);
  const { kty, crv, x, d } = await crypto.subtle.exportKey('jwk', key);
  return PrivateJwk.parse({ kty, crv, x, d });
}

export async function testSigner(name: string): Promise<Signer> {
  return signerOf(await testKey(name));
}

/** 32 bytes that stand for random ones: `SHA-256("cloister test bytes " || name)`. */
export const testBytes = (name: string): Uint8Array<ArrayBuffer> => sha256Bytes(toUtf8(`cloister test bytes ${name}`));
