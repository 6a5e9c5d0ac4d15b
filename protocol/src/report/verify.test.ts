import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestSigner, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { digestOf, digestOfJson } from '../bytes/digest.js';
import { fromBase64, toBase64 } from '../bytes/base64url.js';
import { jcsBytes } from '../bytes/jcs.js';
import { toUtf8 } from '../bytes/text.js';
import type { Digest } from '../objects/primitives.js';
import type { RunPredicate } from '../objects/report.js';
import type { AppraisalPolicy, Trust } from '../objects/trust.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { verifyReport, type ReportResult, type VerifyReportOptions } from './verify.js';
import { createAppraisal } from '../policy/appraisal.js';

let verifier: TestVerifier;
let world: TestWorld;
let other: TestWorld;
let good: TestReport;
let trust: Trust;
let policy: AppraisalPolicy;
const NOW = new Date('2026-06-01T12:00:00.000Z');
const YEARS_LATER = new Date('2046-06-01T12:00:00.000Z');

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'], rule: { maxOutputBytes: 1000 } });
  other = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
  good = await createTestReport(world, verifier);
  trust = {
    v: 1,
    owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
    verifiers: [verifier.pinned],
    images: [{ image: world.image, source: 'built here' }]
  };
  policy = createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], hardware: ['SIMULATED'], attributes: 'any', projects: 'any', envOverrides: 'any' });
});

const verify = (report: unknown, over: Partial<VerifyReportOptions> = {}): Promise<ReportResult> => verifyReport(report, { trust, policy, now: YEARS_LATER, ...over });
const ids = (result: ReportResult, status: string): string[] => result.checks.filter(check => check.status === status).map(check => check.id);
const digests = (files: ReadonlyMap<string, Uint8Array>): Map<string, Digest> => new Map([...files].map(([name, bytes]) => [name, digestOf(bytes)]));

test.each(['oidc', 'pki'] as const)('a true report by the simulator is simulated, also twenty years later (%s)', async kind => {
  const made = await createTestReport(world, verifier, { kind });
  const result = await verify(made.report, { outputs: { sealed: digests(made.sealed), opened: { index: made.index, files: digests(made.opened) } }, expect: { job: world.manifest.digest, attempt: 1 } });
  expect(ids(result, 'fail')).toEqual([]);
  expect(result.checks.every(check => check.status === 'pass')).toBe(true);
  expect(result.verdict).toBe('simulated');
});

describe('inconclusive, never green, where the reader lacks something', () => {
  test('no policy', async () => {
    const result = await verifyReport(good.report, { trust, now: NOW });
    expect(result.verdict).toBe('inconclusive');
    expect(ids(result, 'unknown')).toEqual(['policy']);
  });

  test.each<[string, () => Partial<VerifyReportOptions>, string]>([
    ['no reference values', () => ({ trust: { ...trust, images: [] } }), 'image'],
    ['an owner not pinned', () => ({ trust: { ...trust, owners: trust.owners.slice(0, 1) } }), 'owners'],
    ['the verifier not pinned', () => ({ trust: { ...trust, verifiers: [] } }), 'issuer'],
    ['the verifier’s key not in the archive', () => ({ trust: { ...trust, verifiers: [{ ...verifier.pinned, jwks: [] }] } }), 'key']
  ])('%s', async (_, over, check) => {
    const result = await verify(good.report, over());
    expect(result.verdict).toBe('inconclusive');
    expect(ids(result, 'unknown')).toContain(check);
  });
});

describe('failed, by the check that names the lie', () => {
  const lies: [string, () => TestReportOptions, string[]][] = [
    ['a session of another job', () => ({ session: { job: other.manifest.digest } }), ['job']],
    ['a session of another attempt', () => ({ session: { attempt: 2 } }), ['job']],
    ['a receipt for another session', () => ({ receipt: receipt => ({ ...receipt, session: 'A'.repeat(43) }) }), ['session']],
    ['a receipt for another attempt', () => ({ receipt: receipt => ({ ...receipt, attempt: 2 }) }), ['job']],
    ['keys released to another machine', () => ({ receipt: receipt => ({ ...receipt, instance: 'job-9' }) }), ['same_machine']],
    ['a statement by another machine', () => ({ instance: 'job-9' }), ['same_machine']],
    ['a policy that the broker did not apply', () => ({ predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, policy: digestOfJson('lax') })) }) }), ['receipts']],
    ['a broker that the owner did not name', () => ({ predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, broker: other.owners[0]?.broker.thumbprint ?? input.broker })) }) }), ['receipts']],
    ['other inputs than signed', () => ({ predicate: p => ({ ...p, inputs: p.inputs.slice(0, 1) }) }), ['inputs']],
    ['other code than signed', () => ({ predicate: p => ({ ...p, code: { ...p.code, digest: digestOfJson('other') } }) }), ['code']],
    ['another image than measured', () => ({ predicate: p => ({ ...p, image: digestOfJson('other') }) }), ['statement_image']],
    ['weaker obligations than owed', () => ({ predicate: p => ({ ...p, obligations: { ...p.obligations, maxOutputBytes: 'any' as const } }) }), ['obligations']],
    ['a limit that was not kept', () => ({ predicate: p => ({ ...p, limits: { ...p.limits, maxOutputBytes: 'any' as const } }) }), ['obligations']],
    ['outputs sealed to somebody else', () => ({ predicate: p => ({ ...p, recipients: [other.analystIdentity.recipient] }) }), ['recipients']],
    ['an output without commitment', () => ({ predicate: p => ({ ...p, outputs: p.outputs.slice(1) }) }), ['subjects']],
    ['no index', () => ({ subject: subject => subject.slice(0, -1) }), ['subjects']],
    ['an end before the start', () => ({ predicate: p => ({ ...p, timing: { started: p.timing.ended, ended: p.timing.started } }) }), ['timing']]
  ];
  test.each<[string, (p: RunPredicate, many: number) => RunPredicate, number]>([
    ['inputs', (p, many) => ({ ...p, inputs: p.inputs.slice(0, 1).flatMap(input => Array.from({ length: many }, () => input)) }), 64],
    ['recipients', (p, many) => ({ ...p, recipients: p.recipients.slice(0, 1).flatMap(recipient => Array.from({ length: many }, () => recipient)) }), 8]
  ])('more %s than a manifest may name, which would keep every reader busy', async (_, change, most) => {
    const says = async (many: number): Promise<string[]> => {
      const statement = { ...good.statement, predicate: change(good.statement.predicate, many) };
      return ids(await verify({ ...good.report, statement: toBase64(jcsBytes(statement)) }), 'fail');
    };
    expect(await says(most + 1)).toEqual(['report_form']);
    expect(await says(most)).not.toContain('report_form');
  });

  test('the issuer of a token that no verifier could have, also where nothing is demanded', async () => {
    for (const iss of ['http://evil.example', 'https://EVIL.example', `${SIMULATOR_ISSUER}/`, 'x'.repeat(300), '\u001b[2J']) {
      const evil: TestVerifier = { ...verifier, mint: async options => verifier.mint({ ...options, claims: { iss } }) };
      const { verdict, checks } = await verifyReport((await createTestReport(world, evil)).report, { trust, now: NOW });
      expect([verdict, checks.find(({ id }) => id === 'issuer')?.status], iss).toEqual(['failed', 'fail']);
    }
  });

  test.each(lies)('%s', async (_, options, checks) => {
    const result = await verify((await createTestReport(world, verifier, options())).report);
    expect(ids(result, 'fail')).toEqual(checks);
    expect(result.verdict).toBe('failed');
  });

  test('an input for which no receipt was given', async () => {
    const result = await verify({ ...good.report, receipts: good.report.receipts.slice(0, 1) });
    expect(ids(result, 'fail')).toContain('receipts');
  });

  test('a receipt by a broker that nobody named', async () => {
    const foreign = await createTestReport(other, verifier);
    const result = await verify({ ...good.report, receipts: foreign.report.receipts });
    expect(ids(result, 'fail')).toEqual(['report_form']);
  });

  test('another image than the reader’s own reference values, though the policy would take it', async () => {
    const result = await verify(good.report, { trust: { ...trust, images: [{ image: digestOfJson('mine'), source: 'built here' }] } });
    expect(ids(result, 'fail')).toEqual(['image']);
  });

  test('another owner’s key pinned under the name', async () => {
    const stranger = await createTestSigner();
    const result = await verify(good.report, { trust: { ...trust, owners: [{ name: 'hospital', thumbprint: stranger.thumbprint }] } });
    expect(result.verdict).toBe('inconclusive');
  });

  test('manifest, descriptors, token or statement of another job', async () => {
    const foreign = await createTestReport(other, verifier);
    for (const part of ['manifest', 'descriptors', 'tokens', 'statement', 'session', 'receipts'] as const) {
      const result = await verify({ ...good.report, [part]: foreign.report[part] });
      expect(result.verdict, part).toBe('failed');
    }
  });

  test('a report of somebody’s other job', async () => {
    expect(ids(await verify(good.report, { expect: { job: other.manifest.digest } }), 'fail')).toEqual(['own_job']);
    expect(ids(await verify(good.report, { expect: { job: world.manifest.digest, attempt: 2 } }), 'fail')).toEqual(['own_job']);
  });

  test('outputs: one byte changed, one missing, one more, of another job, renamed', async () => {
    const sealed = digests(good.sealed);
    const opened = digests(good.opened);
    const [first = ''] = opened.keys();
    const change = (map: Map<string, Digest>, key: string): Map<string, Digest> => new Map(map).set(key, digestOf(toUtf8('changed')));
    const without = (map: Map<string, Digest>, key: string): Map<string, Digest> => new Map([...map].filter(([name]) => name !== key));
    for (const bad of [change(sealed, 'output/0'), without(sealed, 'index'), change(sealed, 'output/99')]) {
      expect(ids(await verify(good.report, { outputs: { sealed: bad } }), 'fail')).toEqual(['sealed_outputs']);
    }
    const text = new TextDecoder().decode(good.index);
    const renamed = toUtf8(text.replace('outputs/metrics.json', 'outputs/results.json'));
    for (const bad of [
      { index: good.index, files: change(opened, first) },
      { index: good.index, files: without(opened, first) },
      { index: renamed, files: new Map([...opened].map(([path, digest]) => [path.replace('metrics', 'results'), digest])) },
      { index: (await createTestReport(other, verifier)).index, files: opened },
      { index: toUtf8(` ${text}`), files: opened }
    ]) {
      expect(ids(await verify(good.report, { outputs: { opened: bad } }), 'fail')).toEqual(['opened_outputs']);
    }
  });

  test('every single byte of the statement and of each signed object matters', async () => {
    const flip = (text: string, at: number): string => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const { report } = good;
    const step = (length: number): number[] => Array.from({ length: 40 }, (_, n) => Math.floor((n * length) / 40));
    for (const at of step(report.manifest.length)) expect((await verify({ ...report, manifest: flip(report.manifest, at) })).verdict).toBe('failed');
    const [descriptor = '', ...descriptors] = report.descriptors;
    for (const at of step(descriptor.length)) expect((await verify({ ...report, descriptors: [flip(descriptor, at), ...descriptors] })).verdict).toBe('failed');
    const [receipt = '', ...receipts] = report.receipts;
    for (const at of step(receipt.length)) expect((await verify({ ...report, receipts: [flip(receipt, at), ...receipts] })).verdict).toBe('failed');
    const [token] = report.tokens;
    for (const at of step(token.length)) expect((await verify({ ...report, tokens: [flip(token, at)] })).verdict).not.toMatch(/verified|simulated/);
    const bytes = fromBase64(report.statement);
    for (const at of step(bytes.length)) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect((await verify({ ...report, statement: toBase64(changed) })).verdict).toBe('failed');
    }
  });

  test.each([null, 7, 'x', [], {}, { v: 2 }, { v: 1, statement: '' }])('not a report: %j', async input => {
    const result = await verify(input);
    expect(result.verdict).toBe('failed');
    expect(result.checks.filter(check => check.status === 'pass')).toEqual([]);
  });
});
