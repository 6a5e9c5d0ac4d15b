import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { fromBase64, toBase64 } from '../bytes/base64url.js';
import { labelledHash } from '../bytes/digest.js';
import { fromUtf8, toUtf8 } from '../bytes/text.js';
import { GOOGLE_ISSUER, SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { MANIFEST } from '../objects/manifest.js';
import { createId, toTime } from '../objects/ids.js';
import { REPORT_AUDIENCE } from '../objects/release.js';
import type { Report } from '../objects/report.js';
import type { AppraisalPolicy } from '../objects/trust.js';
import { createAppraisal } from '../policy/appraisal.js';
import { signObject } from '../signed/signed-object.js';
import { verifyReport, type ReportResult, type VerifyReportOptions } from './verify.js';

/** Attacks on the attested report, by the numbers of our threat list. */
const NOW = new Date('2026-06-01T12:00:00.000Z');
let verifier: TestVerifier;
let world: TestWorld;
let earlier: TestWorld;
let good: TestReport;
let policy: AppraisalPolicy;

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW });
  // the same analyst, owner, code and inputs: an older run of the same notebook
  const payload = { ...world.manifest.payload, id: createId(new Date(NOW.getTime() - 3_600_000)) };
  earlier = { ...world, now: new Date(NOW.getTime() - 3_600_000), manifest: await signObject(MANIFEST, payload, world.analyst) };
  good = await createTestReport(world, verifier);
  policy = createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], projects: 'any', attributes: 'any' });
});

const verify = async (report: unknown, over: Partial<VerifyReportOptions> = {}): Promise<ReportResult> =>
  verifyReport(report, {
    trust: {
      v: 1,
      owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
      verifiers: [verifier.pinned],
      images: [{ image: world.image, source: 'built here' }]
    },
    policy,
    now: new Date(NOW.getTime() + 60_000),
    ...over
  });
const failed = ({ checks }: ReportResult): string[] => checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
const expectFailed = (result: ReportResult, check: string): void => {
  expect(result.verdict).toBe('failed');
  expect(failed(result)).toContain(check);
};
const asAttempt2: TestReportOptions = {
  session: { attempt: 2 }, receipt: receipt => ({ ...receipt, attempt: 2 }), predicate: predicate => ({ ...predicate, attempt: 2 }), witness: witness => ({ ...witness, attempt: 2 })
};

/** The statement's bytes replaced, and a token over the new ones: what a runner would attest if it wrote like that. */
async function restated(text: string): Promise<Report> {
  const bytes = toUtf8(text);
  const token = await verifier.mint({
    audience: REPORT_AUDIENCE, nonces: [labelledHash('cloister/report/v1', bytes)], image: world.image, instance: 'job-1', issuedAt: new Date(NOW.getTime() + 10_000)
  });
  return { ...good.report, statement: toBase64(bytes), tokens: [token], witnesses: [] };
}
const statementText = (): string => fromUtf8(fromBase64(good.report.statement));

describe('RP1 a token that is not over this very report', () => {
  test('RP1 none at all', async () => {
    const without = Object.fromEntries(Object.entries(good.report).filter(([name]) => name !== 'tokens'));
    for (const report of [without, { ...good.report, tokens: [] }, { ...good.report, tokens: [''] }, { ...good.report, tokens: [...good.report.tokens, ...good.report.tokens] }]) {
      expectFailed(await verify(report), 'report_form');
    }
  });

  test('RP1 one without the report’s hash', async () => {
    const token = await verifier.mint({ audience: REPORT_AUDIENCE, nonces: [], image: world.image, instance: 'job-1', issuedAt: new Date(NOW.getTime() + 10_000), claims: { eat_nonce: undefined } });
    expectFailed(await verify({ ...good.report, tokens: [token] }), 'nonce');
  });

  test.each<[string, () => Promise<TestReport>]>([
    ['another report of the same job', async () => createTestReport(world, verifier)],
    ['another job', async () => createTestReport(await createTestWorld({ now: NOW }), verifier)],
    ['another attempt', async () => createTestReport(world, verifier, asAttempt2)],
    ['an older run of the same notebook', async () => createTestReport(earlier, verifier)]
  ])('RP1 one of %s', async (_, make) => {
    const other = await make();
    expectFailed(await verify({ ...good.report, tokens: other.report.tokens }), 'nonce');
    expect((await verify({ ...good.report, tokens: other.report.tokens, statement: other.report.statement })).verdict).toBe('failed');
  });

  test('RP1 the whole report of an older run, shown to an analyst who kept her job', async () => {
    const old = await createTestReport(earlier, verifier);
    expect((await verify(old.report)).verdict).toBe('simulated');
    expectFailed(await verify(old.report, { expect: { job: world.manifest.digest } }), 'own_job');
  });

  test('RP1 the whole report of another attempt, shown to an analyst who knows which one published', async () => {
    const second = await createTestReport(world, verifier, asAttempt2);
    expect((await verify(second.report)).verdict).toBe('simulated');
    expectFailed(await verify(second.report, { expect: { job: world.manifest.digest, attempt: 1 } }), 'own_job');
  });

  test('RP1 the release’s token in the place of the report’s', async () => {
    const token = await verifier.mint({ audience: 'urn:cloister:release', nonces: [good.statement.predicate.session], image: world.image, instance: 'job-1', issuedAt: NOW });
    const result = await verify({ ...good.report, tokens: [token] });
    expect(failed(result)).toEqual(expect.arrayContaining(['audience', 'nonce']));
  });
});

describe('RP2 a statement written otherwise', () => {
  const FORMS: readonly [string, (text: string) => string][] = [
    ['a field altered', text => text.replace('"done":1', '"done":0')],
    ['a field added', text => text.replace('"v":1}', '"v":1,"verified":true}')],
    ['a field added in front', text => text.replace('{"_type"', '{"AAA":1,"_type"')],
    ['a field left out', text => text.replace(/"cells":\{[^}]*\},/, '')],
    ['fields reordered', text => text.replace('"done":1,"total":1', '"total":1,"done":1')],
    ['a duplicate key', text => text.replace('"done":1,', '"done":1,"done":1,')],
    ['a duplicate key, escaped', text => text.replace('"done":1,', '"done":1,"don\\u0065":0,')],
    ['blanks', text => text.replace('"done":1', '"done": 1')],
    ['a line feed at the end', text => `${text}\n`],
    ['an escape that need not be', text => text.replace('"cells"', '"c\\u0065lls"')],
    ['a float that is whole', text => text.replace('"done":1', '"done":1.0')],
    ['a float', text => text.replace('"done":1', '"done":0.5')],
    ['an exponent', text => text.replace('"done":1', '"done":1e0')],
    ['a number too large', text => text.replace('"done":1', '"done":9007199254740993')],
    ['minus zero', text => text.replace('"done":1', '"done":-0')],
    ['__proto__', text => text.replace('{"_type"', '{"__proto__":{},"_type"')],
    ['a byte order mark', text => `\ufeff${text}`],
    ['two statements', text => text + text]
  ];
  test.each(FORMS)('RP2 %s, under the token of the true one', async (_, change) => {
    const text = change(statementText());
    expect(text).not.toBe(statementText());
    expect((await verify({ ...good.report, statement: toBase64(toUtf8(text)), witnesses: [] })).verdict).toBe('failed');
  });

  test.each(FORMS.filter(([name]) => name !== 'a field altered'))('RP2 %s, though a token is over these very bytes', async (_, change) => {
    expectFailed(await verify(await restated(change(statementText()))), 'report_form');
  });

  test('RP2 the same bytes again verify: what is refused above is refused for its form', async () => {
    expect((await verify(await restated(statementText()))).verdict).toBe('simulated');
  });

  test('RP2 the text of the session written otherwise', async () => {
    const { session } = good.report;
    for (const changed of [` ${session}`, `${session}\n`, session.replace('{', '{"a":1,'), session.replace('{', '{"v":1,'), session.replace('"attempt":1', '"attempt":1.0')]) {
      expectFailed(await verify({ ...good.report, session: changed }), 'report_form');
    }
  });

  test('RP2 base64 with blanks, without padding, or with bits that carry nothing', async () => {
    const { statement } = await restated(statementText());
    for (const changed of [`${statement}\n`, statement.replace(/=+$/, ''), `${statement}=`, statement.replaceAll('/', '_')]) {
      if (changed !== statement) expectFailed(await verify({ ...good.report, statement: changed }), 'report_form');
    }
  });

  test('RP2 a member of the report that version 1 does not know, or a list in another place', async () => {
    for (const report of [{ ...good.report, verdict: 'verified' }, { ...good.report, v: 2 }, { ...good.report, receipts: { 0: good.report.receipts[0] } }]) {
      expectFailed(await verify(report), 'report_form');
    }
  });
});

describe('RP3 a report is judged at the time when it was made', () => {
  test('RP3 an hour, a year and twenty years after its token ended', async () => {
    for (const now of ['2026-06-01T14:00:00.000Z', '2027-06-01T00:00:00.000Z', '2046-06-01T00:00:00.000Z']) {
      expect((await verify((await createTestReport(world, verifier, { kind: 'pki' })).report, { now: new Date(now) })).verdict).toBe('simulated');
    }
  });

  test('RP3 one from the future is not', async () => {
    expectFailed(await verify(good.report, { now: new Date(NOW.getTime() - 3_600_000) }), 'issued');
  });

  test('RP3 a token that was made before the run ended, or lives for longer than tokens do', async () => {
    const bytes = fromBase64(good.report.statement);
    const mint = async (claims: Record<string, number>): Promise<string> =>
      verifier.mint({ audience: REPORT_AUDIENCE, nonces: [labelledHash('cloister/report/v1', bytes)], image: world.image, instance: 'job-1', issuedAt: NOW, claims });
    const seconds = NOW.getTime() / 1000;
    const early = await mint({ iat: seconds - 120, nbf: seconds - 120, exp: seconds + 60 });
    const long = await mint({ iat: seconds, nbf: seconds, exp: seconds + 7200 });
    expectFailed(await verify({ ...good.report, tokens: [early] }), 'timing');
    expectFailed(await verify({ ...good.report, tokens: [long] }), 'lifetime');
  });

  test('RP4 a key that was rotated away still counts from the reader’s own archive, and without it nothing is said', async () => {
    const { pinned } = verifier;
    const [set] = pinned.jwks;
    if (set === undefined) throw new Error('no keys');
    const trust = (jwks: typeof pinned.jwks) => ({
      v: 1 as const, owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })), verifiers: [{ ...pinned, jwks }], images: [{ image: world.image, source: '' }]
    });
    const later = { ...set, seen: toTime(NOW), keys: set.keys.map(key => ({ ...key, kid: 'newer' })) };
    expect((await verify(good.report, { trust: trust([set, later]) })).verdict).toBe('simulated');
    expect((await verify(good.report, { trust: trust([later]) })).verdict).toBe('inconclusive');
  });
});

describe('RP5 debug and simulated tokens are never green', () => {
  test('RP5 every check passes, and still the verdict is simulated', async () => {
    const result = await verify(good.report);
    expect(result.checks.filter(({ status }) => status !== 'pass').map(({ id }) => id).filter(id => !['own_job', 'sealed_outputs', 'opened_outputs'].includes(id))).toEqual([]);
    expect(result.verdict).toBe('simulated');
  });

  test.each<[string, Record<string, string>, string]>([
    ['a debug image', { dbgstat: 'enabled' }, 'debug'],
    ['a debug image that was disabled late', { dbgstat: 'disabled' }, 'debug'],
    ['hardware that the simulator only claims', { hwmodel: 'GCP_INTEL_TDX' }, 'hardware']
  ])('RP5 %s', async (_, claims, check) => {
    const bytes = fromBase64(good.report.statement);
    const token = await verifier.mint({
      audience: REPORT_AUDIENCE, nonces: [labelledHash('cloister/report/v1', bytes)], image: world.image, instance: 'job-1', issuedAt: new Date(NOW.getTime() + 10_000), claims
    });
    expectFailed(await verify({ ...good.report, tokens: [token] }, { policy: { ...policy, hardware: 'any' } }), check);
  });

  test('RP5 a simulated token under the name of the real issuer', async () => {
    const google = await createTestVerifier({ kind: 'google', issuer: GOOGLE_ISSUER, hardware: 'SIMULATED' });
    const forged = await createTestReport(world, google);
    const trust = { v: 1 as const, owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })), verifiers: [google.pinned], images: [{ image: world.image, source: '' }] };
    expectFailed(await verify(forged.report, { trust, policy: { ...policy, verifiers: [GOOGLE_ISSUER], hardware: 'any' } }), 'hardware');
  });
});

describe('RP6 success without a release', () => {
  test('RP6 no receipt, or none for the input', async () => {
    expectFailed(await verify({ ...good.report, receipts: [] }), 'report_form');
    const without = await createTestReport(world, verifier, { receipt: receipt => ({ ...receipt, grants: receipt.grants.filter(grant => 'bundle' in grant) }) });
    expectFailed(await verify(without.report), 'receipts');
  });

  test('RP6 receipts of another session, attempt or job', async () => {
    const { receipts } = (await createTestReport(world, verifier)).report;
    expectFailed(await verify({ ...good.report, receipts }), 'session');
    expectFailed(await verify({ ...good.report, receipts: (await createTestReport(world, verifier, asAttempt2)).report.receipts }), 'job');
    expectFailed(await verify({ ...good.report, receipts: (await createTestReport(earlier, verifier)).report.receipts }), 'job');
  });
});
