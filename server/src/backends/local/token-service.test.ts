import { X509Certificate } from 'node:crypto';
import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at, createAppraisal, digestOf, labelledHash, parseToken, SIMULATOR_ISSUER, toUtf8, verifyAttestation, type AttestationExpectation } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AttestedInstance } from './claims.js';
import { readSimulatorKeys, readSimulatorTrust, toPinnedVerifier, type SimulatorKeys } from './keys.js';
import { createTokenService } from './token-service.js';

const NOW = new Date('2026-10-05T12:00:00.500Z');
const NONCE = labelledHash('cloister/release/v1', toUtf8('session'));
const INSTANCE: AttestedInstance = {
  name: 'job-0123456789abcdef-a1',
  imageDigest: digestOf(toUtf8('image')),
  imageId: digestOf(toUtf8('labels')),
  args: ['node', 'runner.mjs'],
  env: { HOSTNAME: 'job-0123456789abcdef-a1' },
  envOverride: {}
};
const EXPECT: AttestationExpectation = {
  audience: 'urn:cloister:release',
  nonce: NONCE,
  policy: createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [INSTANCE.imageDigest], hardware: ['SIMULATED'], projects: ['local'] }),
  freshness: { kind: 'report' },
  instance: INSTANCE.name
};

let place: string;
let keys: SimulatorKeys;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'clo-'));
  keys = await readSimulatorKeys(join(place, 'keys'));
});
afterAll(() => rm(place, { recursive: true, force: true }));

const issue = (tokenType: string, nonces: string[] = [NONCE], instance = INSTANCE, now = new Date()): Promise<string> =>
  createTokenService(keys, () => now).issue(instance, { audience: 'urn:cloister:release', tokenType, nonces });

test.each(['OIDC', 'PKI'])('a %s token passes every check of a verifier that pins this simulator, as simulated', async tokenType => {
  const verifier = toPinnedVerifier(keys.trust, 'test');
  const result = await verifyAttestation(await issue(tokenType), { trust: { verifiers: [verifier] }, expect: EXPECT, now: new Date() });
  expect(result.checks.filter(check => check.status !== 'pass')).toEqual([]);
  expect(result).toMatchObject({ accepted: true, simulated: true });
});

test.each(['OIDC', 'PKI'])('a %s token of another simulator’s keys fails the signature', async tokenType => {
  const other = toPinnedVerifier(await readSimulatorTrust(join(place, 'other')), 'test');
  const result = await verifyAttestation(await issue(tokenType), { trust: { verifiers: [other] }, expect: EXPECT, now: new Date() });
  expect(result.accepted).toBe(false);
  expect(result.checks.find(check => check.id === 'signature')?.status).not.toBe('pass');
});

test('claims have the shape of a production token, and say that they are simulated', async () => {
  const { claims } = parseToken(await issue('OIDC', [NONCE], INSTANCE, NOW));
  const instanceId = at(claims, 'submods', 'gce', 'instance_id');
  expect(instanceId).toMatch(/^[0-9]{19}$/);
  expect(claims).toEqual({
    aud: 'urn:cloister:release',
    iss: 'https://simulator.cloister.invalid',
    sub: 'https://simulator.cloister.invalid/projects/local/zones/local/instances/job-0123456789abcdef-a1',
    iat: 1791201600,
    nbf: 1791201600,
    exp: 1791205200,
    eat_nonce: NONCE,
    eat_profile: 'urn:cloister:simulated',
    secboot: true,
    oemid: 11129,
    hwmodel: 'SIMULATED',
    swname: 'CONFIDENTIAL_SPACE',
    swversion: ['260800'],
    dbgstat: 'disabled-since-boot',
    google_service_accounts: [],
    submods: {
      confidential_space: { monitoring_enabled: { memory: false }, support_attributes: ['LATEST', 'STABLE', 'USABLE'] },
      container: {
        image_reference: `localhost/cloister/runner@${INSTANCE.imageDigest}`,
        image_digest: INSTANCE.imageDigest,
        image_id: INSTANCE.imageId,
        restart_policy: 'Never',
        args: ['node', 'runner.mjs'],
        env: { HOSTNAME: INSTANCE.name }
      },
      gce: { zone: 'local', project_id: 'local', project_number: '0', instance_name: INSTANCE.name, instance_id: instanceId }
    }
  });
});

test.each([
  { count: 0, claim: undefined },
  { count: 1, claim: 'nonce-number-0' },
  { count: 2, claim: ['nonce-number-0', 'nonce-number-1'] }
])('eat_nonce of $count nonces', async ({ count, claim }) => {
  const nonces = Array.from({ length: count }, (_, at) => `nonce-number-${at}`);
  expect(parseToken(await issue('OIDC', nonces)).claims['eat_nonce']).toEqual(claim);
});

test('env_override is there only when something is overridden', async () => {
  const instance = { ...INSTANCE, env: { A: '1', HOSTNAME: 'x' }, envOverride: { A: '1' } };
  const { claims } = parseToken(await issue('OIDC', [NONCE], instance));
  expect(claims).toMatchObject({ submods: { container: { env: { A: '1', HOSTNAME: 'x' }, env_override: { A: '1' } } } });
});

test('the chain of a PKI token is leaf, intermediate, root, each signed by the next, the root the pinned one', async () => {
  const { header } = parseToken(await issue('PKI'));
  const [leaf, intermediate, root] = keys.pki.x5c.map(der => new X509Certificate(Buffer.from(der, 'base64')));
  if (leaf === undefined || intermediate === undefined || root === undefined) throw new Error('not three certificates');
  expect(header['x5c']).toEqual(keys.pki.x5c);
  expect(keys.trust.roots).toEqual([keys.pki.x5c[2]]);
  expect([leaf.verify(intermediate.publicKey), intermediate.verify(root.publicKey), root.verify(root.publicKey)]).toEqual([true, true, true]);
  expect([leaf.checkIssued(intermediate), intermediate.checkIssued(root), leaf.ca, intermediate.ca]).toEqual([true, true, false, true]);
  expect(leaf.checkPrivateKey(keys.pki.key)).toBe(true);
});

test('of several first uses at once all get the same keys, private, and nothing is left over', async () => {
  const keysDir = join(place, 'raced');
  const trusts = await Promise.all(Array.from({ length: 4 }, () => readSimulatorTrust(keysDir)));
  expect(new Set(trusts.map(trust => JSON.stringify(trust))).size).toBe(1);
  expect(await readdir(keysDir)).toEqual(['simulator-keys.json']);
  expect((await lstat(keysDir)).mode & 0o777).toBe(0o700);
  expect((await lstat(join(keysDir, 'simulator-keys.json'))).mode & 0o777).toBe(0o600);
  expect(JSON.stringify(trusts[0])).not.toContain('"d"');
});

test.each([
  { what: 'a key file that others can read', path: 'open/simulator-keys.json', mode: 0o644 },
  { what: 'a key directory that others can enter', path: 'open', mode: 0o755 }
])('$what is refused', async ({ path, mode }) => {
  await readSimulatorTrust(join(place, 'open'));
  await chmod(join(place, path), mode);
  await expect(readSimulatorTrust(join(place, 'open'))).rejects.toMatchObject({ code: 'key_unsafe' });
  await chmod(join(place, path), path === 'open' ? 0o700 : 0o600);
});
