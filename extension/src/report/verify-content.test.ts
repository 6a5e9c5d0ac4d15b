import { beforeAll, expect, test } from 'vitest';
import { HARDWARE_CHECKS, type Report } from '@cloister/protocol';
import { groupChecks } from './check-groups';
import type { IReportView } from './report-view';
import { NOW, asFile, inBase64, makeReport, type IMadeReport } from './testing/made-report';
import { NO_TRUST, jobNamedBy, parseContent, verifyDocument } from './verify-content';

let made: IMadeReport;
let simulation: IMadeReport;

beforeAll(async () => {
  [made, simulation] = await Promise.all([makeReport(), makeReport('simulator')]);
});

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

test('every check of a report, readable or not, is in exactly one group, and none needs “other”', async () => {
  const views = [await verify(made), await verify(made, { ...made.report, tokens: ['a.b.c'] }), await verify(made, 'nonsense'), await verify(simulation)];
  for (const { checks } of views) {
    const groups = groupChecks(checks);
    expect(groups.flatMap(group => group.checks.map(check => check.id)).sort()).toEqual(checks.map(check => check.id).sort());
    expect(groups.map(group => group.question)).not.toContain('other');
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
