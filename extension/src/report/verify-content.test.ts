import { beforeAll, expect, test } from 'vitest';
import { GOOGLE_ISSUER, HARDWARE_CHECKS, groupChecks, verifyReport, type Report } from '@cloister/protocol';
import type { IReportView } from './report-view';
import { NOW, asFile, inBase64, makeReport, type IMadeReport } from './testing/made-report';
import { NO_TRUST, jobNamedBy, parseContent, verifyDocument } from './verify-content';

/** Several RSA keys are made, on a machine that may be busy. */
const KEYS_MS = 60_000;

let made: IMadeReport;
let simulation: IMadeReport;
let byIntel: IMadeReport;
let withCertificates: IMadeReport;

beforeAll(async () => {
  [made, simulation, byIntel, withCertificates] = await Promise.all([makeReport(), makeReport('simulator'), makeReport('intel'), makeReport('hardware', { kind: 'pki' })]);
}, KEYS_MS);

const verify = (by: IMadeReport, report: unknown = by.report): Promise<IReportView> =>
  verifyDocument(parseContent(asFile(report)), { trust: by.trust, policy: by.policy, now: NOW });
const ids = (view: IReportView, status: string): string[] => view.checks.filter(check => check.status === status).map(check => check.id);

test('a report by genuine hardware is verified, and says whose inputs it read', async () => {
  const view = await verify(made);
  expect(view.verdict).toBe('verified');
  expect(ids(view, 'fail')).toEqual([]);
  expect(view.run).toMatchObject({ job: made.job, code: made.code, outcome: 'succeeded' });
  expect(view.run?.inputs.map(input => input.owner.pinnedAs)).toEqual(['hospital', 'registry']);
  expect(view.run?.outputs.map(output => output.name)).toEqual(['output/0', 'output/1', 'index']);
});

test('what a simulator says of its hardware is never called passed, also where the report fails otherwise', async () => {
  const { report, trust, policy } = simulation;
  const simulated = await verify(simulation);
  const failed = await verifyDocument(parseContent(asFile(report)), { trust, policy: { ...policy, images: [] }, now: NOW });
  const withoutPolicy = await verifyDocument(parseContent(asFile(report)), { trust, now: NOW });
  expect([simulated.verdict, failed.verdict, withoutPolicy.verdict]).toEqual(['simulated', 'failed', 'inconclusive']);
  for (const view of [simulated, failed, withoutPolicy]) {
    expect(ids(view, 'pass').filter(id => HARDWARE_CHECKS.has(id))).toEqual([]);
    expect(ids(view, 'simulated').length).toBeGreaterThan(8);
  }
});

test('the page shows exactly the checks that verification gives, in no better light', async () => {
  for (const by of [made, simulation, byIntel]) {
    const given = await verifyReport(by.report, { trust: by.trust, policy: by.policy, now: NOW });
    const { checks } = await verify(by);
    expect(checks.map(check => check.id)).toEqual(given.checks.map(check => check.id));
    for (const [at, { status }] of given.checks.entries()) {
      const shown = checks[at]?.status;
      expect(shown === status || (shown === 'simulated' && status === 'pass')).toBe(true);
    }
  }
});

test('who signed is named by the reader’s own trust: a key with its source, or a root', async () => {
  expect((await verify(made)).token?.signer).toEqual({ kind: 'google', key: { id: 'test-key', algorithm: 'RS256', source: 'test keys', seen: '2026-06-01T00:00:00.000Z' } });
  const [root] = withCertificates.trust.verifiers[0]?.roots ?? [];
  expect((await verify(withCertificates)).token?.signer).toEqual({ kind: 'google', root: { fingerprint: root?.fingerprint, source: 'test keys' } });
  expect(await verify(byIntel)).toMatchObject({ verdict: 'verified', token: { signer: { kind: 'intel', key: { algorithm: 'RS256' } } } });
  expect((await verify(simulation)).token?.signer?.kind).toBe('simulator');
});

test('of several key sets with the key the last one before the token is named', async () => {
  const [verifier] = made.trust.verifiers;
  const [set] = verifier?.jwks ?? [];
  if (verifier === undefined || set === undefined) throw new Error('no verifier');
  const jwks = ['2026-02-28', '2026-02-27', '2026-03-02'].map(day => ({ ...set, seen: `${day}T00:00:00.000Z`, source: day }));
  const view = await verifyDocument(parseContent(asFile(made.report)), { trust: { ...made.trust, verifiers: [{ ...verifier, jwks }] }, policy: made.policy, now: NOW });
  expect([view.verdict, view.token?.signer?.key?.source]).toEqual(['verified', '2026-02-28']);
});

test('nobody is named as signer of what a pinned key did not sign', async () => {
  const strangers = { ...made.trust, verifiers: simulation.trust.verifiers.map(verifier => ({ ...verifier, kind: 'google' as const, issuer: GOOGLE_ISSUER })) };
  const forged = await verifyDocument(parseContent(asFile(made.report)), { trust: strangers, policy: made.policy, now: NOW });
  expect([forged.verdict, forged.token?.signer]).toEqual(['failed', { kind: 'google' }]);
  const unknown = await verifyDocument(parseContent(asFile(made.report)), { trust: NO_TRUST, now: NOW });
  expect(unknown.token?.signer).toEqual({});
});

test('witnesses are named by the owners whose keys they keep; without any the verdict is the same', async () => {
  const view = await verify(made);
  expect(view.run?.brokers).toBe(2);
  expect(view.run?.witnesses.map(({ owners }) => owners)).toEqual([['hospital'], ['registry']]);
  const without = await verify(made, { ...made.report, witnesses: [] });
  expect([without.verdict, without.run?.witnesses, ids(without, 'skipped').includes('witnesses')]).toEqual(['verified', [], true]);
});

test('every check of a report, readable or not, answers exactly one question, and none needs “other”', async () => {
  const views = [await verify(made), await verify(made, { ...made.report, tokens: ['a.b.c'] }), await verify(made, 'nonsense'), await verify(simulation)];
  for (const { checks } of views) {
    const questions = groupChecks(checks);
    expect(questions.flatMap(question => question.checks.map(check => check.id)).sort()).toEqual(checks.map(check => check.id).sort());
    expect(questions.map(question => question.id)).not.toContain('other');
  }
});

test.each(['statement', 'manifest', 'session'] as const)('one byte changed in the %s is a failure', async part => {
  const text = made.report[part];
  const at = Math.floor(text.length / 2);
  const changed = `${text.slice(0, at)}${text.charAt(at) === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  const view = await verify(made, { ...made.report, [part]: changed });
  expect(view.verdict).toBe('failed');
});

test('a job that is not the one that was expected is a failure', async () => {
  const view = await verifyDocument(parseContent(asFile(made.report)), { trust: made.trust, policy: made.policy, now: NOW, ownJob: simulation.job });
  expect(view.verdict).toBe('failed');
  expect(ids(view, 'fail')).toEqual(['own_job']);
});

test('without any trust nothing is confirmed, and owners are shown by their keys', async () => {
  const view = await verifyDocument(parseContent(asFile(made.report)), { trust: NO_TRUST, now: NOW });
  expect(view.verdict).toBe('inconclusive');
  expect(ids(view, 'unknown')).toEqual(['policy', 'issuer', 'image', 'owners']);
  expect(view.run?.inputs.map(input => input.owner.pinnedAs)).toEqual([undefined, undefined]);
  expect(view.run?.inputs.map(input => input.owner.key)).toEqual(made.trust.owners.map(owner => owner.thumbprint));
});

test('the token’s claims are listed by path, and a name with dots cannot pass for another path', async () => {
  const view = await verify(made);
  const claims = new Map(view.token?.claims.map(({ path, value }) => [path, value]));
  expect(claims.get('submods.container.image_digest')).toBe(made.trust.images[0]?.image);
  const payload = inBase64(new TextEncoder().encode('{"submods.container.image_digest":"x"}')).replace(/=+$/, '');
  const forged = await verify(made, { ...made.report, tokens: [`${payload}.${payload}.AA`] });
  expect(forged.verdict).toBe('failed');
  expect(forged.token?.claims.map(claim => claim.path)).toEqual(['"submods.container.image_digest"']);
});

const notReports: [string, string][] = [
  ['an empty file', ''],
  ['what is not base64', '{"v":1}'],
  ['a picture', inBase64(Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]))],
  ['cut-off JSON', asFile('{"v":1,"statement":"')],
  ['another JSON', asFile('{"cells":[]}')],
  ['null', asFile('null')],
  ['a report with a second key', asFile('{"v":1,"v":1}')],
  ['a prototype', asFile('{"__proto__":{"v":1},"v":1}')],
  ['a thousand brackets', asFile('['.repeat(100_000))],
  ['a megabyte of text', asFile(JSON.stringify('x'.repeat(1_000_000)))]
];

test.each(notReports)('%s has failed, and says what is wrong', async (_name, content) => {
  const view = await verifyDocument(parseContent(content), { trust: NO_TRUST, now: NOW });
  expect(view.verdict).toBe('failed');
  expect(view.unreadable).toBeTruthy();
  expect(view.run).toBeUndefined();
});

test('the job that a report names is found without verifying it; nonsense names none', async () => {
  const named = (report: unknown): unknown => jobNamedBy(parseContent(asFile(report)));
  const broken: Report = { ...made.report, statement: 'eyJ9' };
  expect(named(made.report)).toBe(made.job);
  expect([named(broken), named('nonsense'), named({ statement: btoa('{"predicate":{"job":"x"}}') })]).toEqual([undefined, undefined, undefined]);
});
