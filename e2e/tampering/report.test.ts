import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyReportFile, type OpenedResults } from '@cloister/agent';
import { Report, digestOf, fromBase64, jcs, parseJson, toBase64, toUtf8, type Digest, type ReportResult, type Trust } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../harness/jobs.js';
import { jobBlobs } from '../harness/operator-files.js';
import { flip, refusal } from '../harness/refusals.js';
import { createWorld, type World } from '../harness/world.js';

let world: World;
let job: Digest;
let results: OpenedResults;
let others: OpenedResults;
let report: Report;
let reportOfOther: Report;
let stranger: Trust['owners'][number];

beforeAll(async () => {
  world = await createWorld();
  const [mine, other] = await Promise.all([run(world), run(world)]);
  ({ job } = mine.view);
  results = mine.results;
  others = other.results;
  report = readReport(results.report);
  reportOfOther = readReport(others.report);
  stranger = { thumbprint: (await createTestSigner()).thumbprint, name: 'hospital' };
});
afterAll(async () => world.close());

const readReport = (path: string): Report => Report.parse(parseJson(readFileSync(path)));

interface Verifying {
  readonly report?: unknown;
  readonly trust?: Trust;
  readonly outputs?: string;
}

/** Verifies from files, as anybody would. A copy counts for the report in the outputs' folder where its bytes are the same. */
async function verify(given: Verifying = {}): Promise<ReportResult> {
  const path = join(world.root, `${Math.random().toString(36).slice(2)}.attestation.json`);
  writeFileSync(path, given.report === undefined ? readFileSync(results.report) : JSON.stringify(given.report));
  return verifyReportFile(path, { trust: given.trust ?? world.trust, policy: world.appraisal, now: new Date(), outputs: given.outputs ?? results.folder });
}

const failedChecks = ({ checks }: ReportResult): string[] => checks.filter(check => check.status === 'fail').map(check => check.id);

/** One letter of a part (0 header, 1 payload, 2 signature) of a compact JWS. */
function changeJws(jws: string, part: 0 | 1 | 2): string {
  const parts = jws.split('.');
  const text = parts[part] ?? '';
  const at = Math.floor(text.length / 2);
  parts[part] = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  return parts.join('.');
}

function changeStatement(change: (text: string) => string): Report {
  const text = new TextDecoder().decode(fromBase64(report.statement));
  const changed = change(text);
  expect(changed).not.toBe(text);
  return { ...report, statement: toBase64(toUtf8(changed)) };
}

const withFirst = <T>(list: readonly T[], change: (first: T) => T): T[] => list.map((item, at) => (at === 0 ? change(item) : item));
const CompactJws = (text: string): Report['manifest'] => Report.shape.manifest.parse(text);

test('untouched, it verifies', async () => {
  expect((await verify()).verdict).toBe('simulated');
});

const ONE_BYTE: readonly { readonly what: string; readonly lie: () => Report; readonly check: string }[] = [
  { what: 'the manifest', lie: () => ({ ...report, manifest: CompactJws(changeJws(report.manifest, 1)) }), check: 'report_form' },
  { what: 'the manifest’s signature', lie: () => ({ ...report, manifest: CompactJws(changeJws(report.manifest, 2)) }), check: 'report_form' },
  { what: 'a descriptor', lie: () => ({ ...report, descriptors: withFirst(report.descriptors, jws => CompactJws(changeJws(jws, 1))) }), check: 'report_form' },
  { what: 'a receipt', lie: () => ({ ...report, receipts: withFirst(report.receipts, jws => CompactJws(changeJws(jws, 1))) }), check: 'report_form' },
  { what: 'a receipt’s signature', lie: () => ({ ...report, receipts: withFirst(report.receipts, jws => CompactJws(changeJws(jws, 2))) }), check: 'report_form' },
  { what: 'the token’s signature', lie: () => ({ ...report, tokens: [CompactJws(changeJws(report.tokens[0], 2))] }), check: 'signature' },
  { what: 'the outcome in the statement', lie: () => changeStatement(text => text.replace('"outcome":{"status":"succeeded"}', '"outcome":{"code":"cell_failed","status":"failed"}')), check: 'nonce' },
  { what: 'a digit of a subject’s digest', lie: () => changeStatement(text => text.replace(/("sha256":")(.)/, (_, before: string, digit: string) => `${before}${digit === '0' ? '1' : '0'}`)), check: 'nonce' },
  { what: 'the session', lie: () => ({ ...report, session: report.session.replace(/("challenge":")(.)/, (_, before: string, letter: string) => `${before}${letter === 'A' ? 'B' : 'A'}`) }), check: 'session' }
];

test.each(ONE_BYTE)('one byte changed in $what fails the check $check', async ({ lie, check }) => {
  const result = await verify({ report: lie() });
  expect(result.verdict).toBe('failed');
  expect(failedChecks(result)).toContain(check);
});

const MIXED: readonly { readonly what: string; readonly lie: () => Report; readonly check: string }[] = [
  { what: 'manifest', lie: () => ({ ...report, manifest: reportOfOther.manifest }), check: 'job' },
  { what: 'receipts', lie: () => ({ ...report, receipts: reportOfOther.receipts }), check: 'receipts_exact' },
  { what: 'session', lie: () => ({ ...report, session: reportOfOther.session }), check: 'session' },
  { what: 'token', lie: () => ({ ...report, tokens: reportOfOther.tokens }), check: 'nonce' },
  { what: 'statement', lie: () => ({ ...report, statement: reportOfOther.statement }), check: 'nonce' }
];

test.each(MIXED)('the $what of another true report fails the check $check', async ({ lie, check }) => {
  const result = await verify({ report: lie() });
  expect(result.verdict).toBe('failed');
  expect(failedChecks(result)).toContain(check);
});

test('against other reference values it fails, against none it is inconclusive', async () => {
  const { trust } = world;
  const other = await verify({ trust: { ...trust, images: [{ image: digestOf(toUtf8('another image')), source: 'elsewhere' }] } });
  expect(other.verdict).toBe('failed');
  expect(failedChecks(other)).toContain('image');
  const none = await verify({ trust: { ...trust, images: [] } });
  expect(none.verdict).toBe('inconclusive');
});

test('against another owner’s key it is inconclusive, and says whose key is not pinned', async () => {
  const { trust, hospital } = world;
  const result = await verify({ trust: { ...trust, owners: [stranger, ...trust.owners.filter(owner => owner.name !== 'hospital')] } });
  expect(result.verdict).toBe('inconclusive');
  const owners = result.checks.find(check => check.id === 'owners');
  expect(owners?.status).toBe('unknown');
  expect(owners?.hint).toContain(hospital.owner.signer.thumbprint);
});

test('without the verifier’s key it proves nothing', async () => {
  const result = await verify({ trust: { ...world.trust, verifiers: [] } });
  expect(result.verdict).not.toBe('simulated');
  expect(result.checks.find(check => check.id === 'issuer')?.status).not.toBe('pass');
});

test('with another job’s outputs it fails', async () => {
  const result = await verify({ outputs: others.folder });
  expect(result.verdict).toBe('failed');
  expect(failedChecks(result)).toEqual(['opened_outputs']);
});

const FOLDER_LIES: readonly { readonly what: string; readonly lie: (folder: string) => void }[] = [
  { what: 'one byte changed in an opened output', lie: folder => writeFileSync(join(folder, 'outputs/counts.txt'), flip(readFileSync(join(folder, 'outputs/counts.txt')))) },
  { what: 'one byte changed in the executed notebook', lie: folder => writeFileSync(join(folder, 'analysis.ipynb'), flip(readFileSync(join(folder, 'analysis.ipynb')))) },
  { what: 'one byte changed in the index', lie: folder => writeFileSync(join(folder, 'index.json'), flip(readFileSync(join(folder, 'index.json')))) },
  { what: 'an output taken away', lie: folder => rmSync(join(folder, 'outputs/counts.txt')) }
];

test.each(FOLDER_LIES)('$what fails the check opened_outputs', async ({ lie }) => {
  const folder = join(world.root, `opened-${Math.random().toString(36).slice(2)}`);
  cpSync(results.folder, folder, { recursive: true });
  lie(folder);
  const result = await verify({ outputs: folder });
  expect(result.verdict).toBe('failed');
  expect(failedChecks(result)).toEqual(['opened_outputs']);
});

test('what is no report fails, and throws nothing', async () => {
  for (const nonsense of ['', [], { v: 1 }, { ...report, extra: 1 }]) {
    const result = await verify({ report: nonsense });
    expect(result.verdict).toBe('failed');
    expect(failedChecks(result)).toEqual(['report_form']);
  }
});

const OPERATOR_LIES: readonly { readonly what: string; readonly file: (name: string) => boolean; readonly check: string }[] = [
  { what: 'a sealed output', file: name => name === '1-0', check: 'sealed_outputs' },
  { what: 'the sealed index', file: name => name === '1-index', check: 'sealed_outputs' }
];

test.each(OPERATOR_LIES)('one byte changed in $what at the operator: nothing is unsealed', async ({ file, check }) => {
  const into = world.newFolder();
  const [name] = ['1-0', '1-1', '1-index'].filter(file);
  const path = join(jobBlobs(world.home, job), name ?? '');
  const before = readFileSync(path);
  writeFileSync(path, flip(before));
  try {
    const { code, members } = await refusal(world.agent.results(job, { into }));
    expect(code).toBe('output_not_verified');
    expect(members['checks']).toMatchObject([{ id: check, status: 'fail' }]);
  } finally {
    writeFileSync(path, before);
  }
  expect((await world.agent.results(job, { into })).verdict).toBe('simulated');
});

test('a report changed, or exchanged, at the operator is not believed', async () => {
  const path = join(jobBlobs(world.home, job), '1-report');
  const before = readFileSync(path);
  const lies = [jcs({ ...report, manifest: changeJws(report.manifest, 1) }), jcs({ ...reportOfOther })];
  try {
    for (const lie of lies) {
      writeFileSync(path, lie);
      const { code } = await refusal(world.agent.results(job, { into: world.newFolder() }));
      expect(code).toBe('output_not_verified');
    }
  } finally {
    writeFileSync(path, before);
  }
});

test('results are never written over a file that exists', async () => {
  expect((await refusal(world.agent.results(job))).code).toBe('file_exists');
});
