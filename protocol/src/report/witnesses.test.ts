import { beforeAll, describe, expect, test } from 'vitest';
import { createTestReport, createTestSigner, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '../testing/index.js';
import { digestOf, digestOfJson } from '../bytes/digest.js';
import { fromBase64 } from '../bytes/base64url.js';
import type { Check } from '../attestation/check.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { toTime } from '../objects/ids.js';
import type { Report } from '../objects/report.js';
import { WITNESS, type Witness } from '../objects/witness.js';
import { createAppraisal } from '../policy/appraisal.js';
import { peekPayload, signObject } from '../signed/signed-object.js';
import { verifyReport, type ReportResult } from './verify.js';

const NOW = new Date('2026-06-01T12:00:00.000Z');
let verifier: TestVerifier;
let world: TestWorld;
let good: TestReport;

beforeAll(async () => {
  verifier = await createTestVerifier();
  world = await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] });
  good = await createTestReport(world, verifier);
});

const verify = async (report: Report): Promise<ReportResult> =>
  verifyReport(report, {
    trust: {
      v: 1,
      owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
      verifiers: [verifier.pinned],
      images: [{ image: world.image, source: 'built here' }]
    },
    policy: createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [world.image], projects: 'any', attributes: 'any' }),
    now: NOW
  });
const answerOf = ({ checks }: ReportResult): Check | undefined => checks.find(({ id }) => id === 'witnesses');
const failed = ({ checks }: ReportResult): string[] => checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
const made = async (options: TestReportOptions): Promise<Report> => (await createTestReport(world, verifier, options)).report;

test('witnesses by all brokers of the session pass, and the answer says who and when', async () => {
  const result = await verify(good.report);
  expect(result.verdict).toBe('simulated');
  expect(answerOf(result)).toMatchObject({ status: 'pass', actual: world.owners.map(({ broker }) => ({ broker: broker.thumbprint, time: '2026-06-01T12:00:11.000Z' })) });
});

test('one witness suffices: a broker that could not be reached is no reason to doubt', async () => {
  for (const witness of good.report.witnesses) expect(answerOf(await verify({ ...good.report, witnesses: [witness] }))?.status).toBe('pass');
});

test('none is skipped with a word on what that means, and forbids no verdict', async () => {
  const result = await verify(await made({ witnesses: 'none' }));
  expect(answerOf(result)).toMatchObject({ status: 'skipped', hint: expect.stringContaining('second report') as string });
  expect(result.verdict).toBe('simulated');
});

describe('a wrong witness fails', () => {
  const LIES: readonly [string, (honest: Witness) => Witness][] = [
    ['of another statement (RP7)', witness => ({ ...witness, statement: digestOfJson('another') })],
    ['of another job', witness => ({ ...witness, job: digestOfJson('another') })],
    ['of another attempt', witness => ({ ...witness, attempt: 2 })],
    ['of another session', witness => ({ ...witness, session: 'A'.repeat(43) })],
    ['from before the end of the run', witness => ({ ...witness, time: toTime(new Date(NOW.getTime() + 5000 - 60_001)) })]
  ];
  test.each(LIES)('%s', async (_, witness) => {
    const result = await verify(await made({ witness }));
    expect(failed(result)).toEqual(['witnesses']);
    expect(result.verdict).toBe('failed');
  });

  test('among right ones', async () => {
    const [right = '', other = ''] = good.report.witnesses;
    const registry = world.owners[1]?.broker;
    if (registry === undefined) throw new Error('no broker');
    const wrong = (await signObject(WITNESS, { ...peekPayload(WITNESS, other).payload, attempt: 2 }, registry)).jws;
    expect(failed(await verify({ ...good.report, witnesses: [right, wrong] }))).toEqual(['witnesses']);
  });

  test('twice by one broker, also where both are right', async () => {
    const [first = ''] = good.report.witnesses;
    const broker = world.owners[0]?.broker;
    if (broker === undefined) throw new Error('no broker');
    const later = await signObject(WITNESS, { ...peekPayload(WITNESS, first).payload, time: '2026-06-01T13:00:00.000Z' }, broker);
    expect(failed(await verify({ ...good.report, witnesses: [first, first] }))).toEqual(['witnesses']);
    expect(failed(await verify({ ...good.report, witnesses: [first, later.jws] }))).toEqual(['witnesses']);
  });

  test('by a broker that a descriptor names and the session does not', async () => {
    const [only] = good.session.challenges;
    if (only === undefined) throw new Error('no challenge');
    const result = await verify(await made({ session: { challenges: [only] } }));
    expect(failed(result)).toContain('witnesses');
  });
});

test('within the skew of clocks a witness may seem to come before the end', async () => {
  expect(answerOf(await verify(await made({ witness: witness => ({ ...witness, time: toTime(new Date(NOW.getTime() + 5000 - 60_000)) }) })))?.status).toBe('pass');
});

describe('what is no witness of anybody is no report', () => {
  test('by a stranger', async () => {
    const [first = ''] = good.report.witnesses;
    const stranger = await signObject(WITNESS, peekPayload(WITNESS, first).payload, await createTestSigner());
    expect(failed(await verify({ ...good.report, witnesses: [stranger.jws] }))).toEqual(['report_form']);
  });

  test('a receipt in the place of one, a changed byte, too many', async () => {
    const [first = ''] = good.report.witnesses;
    const flipped = `${first.slice(0, -10)}${first.at(-10) === 'A' ? 'B' : 'A'}${first.slice(-9)}`;
    for (const witnesses of [good.report.receipts, [flipped], Array.from({ length: 81 }, () => first)]) {
      expect(failed(await verify({ ...good.report, witnesses }))).toEqual(['report_form']);
    }
  });
});

test('a witness names the exact bytes of the statement', () => {
  for (const jws of good.report.witnesses) expect(peekPayload(WITNESS, jws).payload.statement).toBe(digestOf(fromBase64(good.report.statement)));
});
