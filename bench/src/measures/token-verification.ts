import { createPublicKey, verify } from 'node:crypto';
import { importJWK, jwtVerify } from 'jose';

import { createNodeRsa } from '@cloister/kit';
import { GOOGLE_ISSUER, RELEASE_AUDIENCE, createAppraisal, digestOf, toUtf8, verifyAttestation, type AttestationResult, type VerifyRsa } from '@cloister/protocol';
import { createTestVerifier } from '@cloister/protocol/testing';

import type { Bench, Figure, Measurement } from '../figure.js';
import { compare, takeTurns } from '../pairs.js';

const PAIRS = 41;
/** Verifications of a turn: some tens of milliseconds, so that both sides meet the same load. */
const PER_TURN = 512;
/** Tokens at once, as a broker has them that many runners ask. */
const IN_FLIGHT = 64;
/** The aim is 0.6 of the raw rate; figures are times, so their ratio is the inverse. */
const RATIO_LIMIT = 1 / 0.6;

interface Sample {
  readonly ours: (verifyRsa?: VerifyRsa) => Promise<AttestationResult>;
  readonly raw: () => boolean;
  readonly jose: () => Promise<unknown>;
}

/** How long a token takes with every check of a whole policy, beside the bare signature and beside jose. */
export const tokenVerification: Measurement = {
  ids: ['verify-token', 'verify-token-jose', 'verify-token-webcrypto'],
  run: async (bench, wanted) => {
    const sample = await createSample();
    const verifyRsa = createNodeRsa();
    const nodeRsa = async (): Promise<unknown> => sample.ours(verifyRsa);
    const ways = [
      { id: 'verify-token', ours: nodeRsa, peer: sample.raw, width: 1, ratioLimit: RATIO_LIMIT, note: 'verifyAttestation with a whole policy and Node’s RSA / crypto.verify of the same signature, one after another; 1.667 is 0.6 of its rate' },
      { id: 'verify-token-jose', ours: nodeRsa, peer: sample.jose, width: IN_FLIGHT, ratioLimit: 1, note: 'the same / jose’s jwtVerify, which asks for signature, issuer, audience and times' },
      { id: 'verify-token-webcrypto', ours: async () => sample.ours(), peer: sample.jose, width: IN_FLIGHT, note: 'verifyAttestation with WebCrypto, as in a browser / jose’s jwtVerify' }
    ];
    const figures: Figure[] = [];
    for (const { id, ours, peer, width, ratioLimit, note } of ways.filter(way => wanted.has(way.id))) {
      const compared = await timed(bench, { id, ours, peer, width });
      figures.push({ id, ...compared, ...(ratioLimit === undefined ? {} : { ratioLimit }), unit: 'ms', note: `${note}; RS256, 2048 bits, ${width} in flight` });
    }
    return figures;
  }
};

interface Timed {
  readonly id: string;
  readonly ours: () => unknown;
  readonly peer: () => unknown;
  /** How many are in flight, of both where they wait for anything. */
  readonly width: number;
}

async function timed(bench: Bench, { id, ours, peer, width }: Timed): Promise<ReturnType<typeof compare>> {
  bench.say(`${id}: ${PAIRS} pairs`);
  const sides = { ours: async () => millisecondsOf(ours, width), peer: async () => millisecondsOf(peer, width) };
  await takeTurns(5, sides);
  return compare(await takeTurns(PAIRS, sides));
}

async function millisecondsOf(work: () => unknown, width: number): Promise<number> {
  const begun = performance.now();
  const lane = async (): Promise<void> => {
    for (let count = 0; count < PER_TURN / width; count += 1) await work();
  };
  await Promise.all(Array.from({ length: width }, lane));
  return (performance.now() - begun) / PER_TURN;
}

async function createSample(): Promise<Sample> {
  const now = new Date();
  const image = digestOf(toUtf8('image'));
  const nonce = 'n'.repeat(43);
  const verifier = await createTestVerifier({ kind: 'google', issuer: GOOGLE_ISSUER, hardware: 'GCP_INTEL_TDX', seen: now });
  const token = await verifier.mint({ audience: RELEASE_AUDIENCE, nonces: [nonce], image, instance: 'job-1', issuedAt: now, envOverride: { CLOISTER_JOB: 'sha256:0' } });
  const policy = createAppraisal({ verifiers: [GOOGLE_ISSUER], images: [image], projects: ['test'], zones: ['test'], envOverrides: ['CLOISTER_JOB'], hardware: ['GCP_INTEL_TDX'] });
  const options = { trust: { verifiers: [verifier.pinned] }, expect: { audience: RELEASE_AUDIENCE, nonce, policy, freshness: { kind: 'release', issuedAfter: now } as const, instance: 'job-1' }, now };
  const [jwk] = verifier.pinned.jwks.flatMap(set => set.keys);
  const [header = '', payload = '', signature = ''] = token.split('.');
  if (jwk === undefined) throw new Error('the verifier has no key');
  const signed = Buffer.from(`${header}.${payload}`);
  const bytes = Buffer.from(signature, 'base64url');
  const key = createPublicKey({ key: { kty: 'RSA', n: jwk.n, e: jwk.e }, format: 'jwk' });
  const joseKey = await importJWK(jwk, 'RS256');
  const ours = async (verifyRsa?: VerifyRsa): Promise<AttestationResult> => verifyAttestation(token, { ...options, ...(verifyRsa === undefined ? {} : { verifyRsa }) });
  if (!(await ours()).accepted) throw new Error('the sample is not accepted');
  return {
    ours,
    raw: () => verify('sha256', signed, key, bytes),
    jose: async () => jwtVerify(token, joseKey, { issuer: GOOGLE_ISSUER, audience: RELEASE_AUDIENCE, algorithms: ['RS256'], currentDate: now, requiredClaims: ['iat', 'exp', 'nbf'] })
  };
}
