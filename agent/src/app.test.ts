import { readFileSync, readdirSync, statSync } from 'node:fs';
import { access, chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  AppError,
  DESCRIPTOR,
  WrappedCode,
  decodeBundle,
  digestOf,
  fromBase64Url,
  openBytes,
  parseJcs,
  requireBundleAgrees,
  signObject,
  toUtf8,
  type CheckReply,
  type Digest,
  type JobView
} from '@cloister/protocol';
import { createTestRule } from '@cloister/protocol/testing';
import type { DraftRequest } from './job/draft-job.js';
import { readKeys } from './keys/analyst-keys.js';
import { stateFolderOf } from './state-folder.js';
import { createWorkbench, MOCK, notebookOf, READS_BOTH, type Workbench } from './testing/workbench.js';

let bench: Workbench;
let notebook: string;
beforeEach(async () => {
  bench = await createWorkbench();
  notebook = await bench.put('study.ipynb', READS_BOTH);
});
afterEach(async () => bench.close());

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );
const errorOf = async (work: Promise<unknown>): Promise<AppError> =>
  work.then(
    () => {
      throw new Error('no error');
    },
    (error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    }
  );

async function submit(request: Partial<DraftRequest> = {}, key?: string): Promise<JobView> {
  const plan = await bench.agent.plan({ notebook, ...request });
  const known = key === undefined ? undefined : await bench.agent.findSubmission(key, plan);
  if (known !== undefined) return bench.agent.resend(known);
  return bench.agent.submit({ plan, draft: await bench.agent.draft(plan) }, key === undefined ? {} : { idempotencyKey: key });
}

describe('submitting', () => {
  test('sends a signed manifest and a bundle that only the analyst and the first input’s broker can open', async () => {
    const { job } = await submit({ purpose: 'a study', timeoutSeconds: 60 });
    const stored = bench.operator.jobs.get(job);
    if (stored === undefined) throw new Error('not stored');
    const { payload } = stored.manifest;
    const [hospital] = bench.owners;
    if (hospital === undefined) throw new Error('no owner');
    expect(payload.inputs.map(input => input.name)).toEqual(['hospital/table', 'registry/table']);
    expect(payload.outputs.recipients).toEqual([bench.agent.recipient]);
    expect(payload.code.custodians.map(custodian => custodian.broker)).toEqual([hospital.broker.thumbprint]);
    expect(payload.code.runner.images).toEqual([bench.image]);
    const wrapped = WrappedCode.parse(parseJcs(await openBytes(fromBase64Url(payload.code.custodians[0]?.wrapped ?? ''), hospital.bundle.identity)));
    expect(wrapped).toMatchObject({ analyst: bench.agent.analyst, bundle: payload.code.bundle });
    const { identity } = await readKeys(stateFolderOf(bench.home).keys);
    const bundle = decodeBundle(await openBytes(bench.operator.bundles.get(payload.code.bundle) ?? new Uint8Array(), identity));
    requireBundleAgrees(bundle, payload.code);
    expect(bundle.header).toMatchObject({ entry: 'study.ipynb', purpose: 'a study', timeoutSeconds: 60 });
  });

  test('keeps manifest, bundle and listing, for the user alone', async () => {
    const { job } = await submit();
    const folder = join(stateFolderOf(bench.home).jobs, job.slice('sha256:'.length));
    expect(readdirSync(folder).sort()).toEqual(['bundle.age', 'manifest.jws', 'record.json']);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect((await bench.agent.records())[0]).toMatchObject({ job, notebook, files: [{ path: 'study.ipynb', why: 'the notebook that runs' }] });
  });

  test('asks every broker before it sends anything, and sends nothing where one would deny', async () => {
    bench.operator.brokers.set('registry', manifest => ({
      decision: 'deny',
      assets: [{ asset: manifest.payload.inputs[1]?.asset, decision: 'deny', denials: [{ code: 'uses_exhausted', rule: 'study', expected: 3, actual: 3 }] }]
    }));
    const error = await errorOf(submit());
    expect(error.code).toBe('asset_denied');
    expect(error.detail).toBe('registry/table: all uses that the owner allows are used (rule study): expected 3, got 3');
    expect(bench.operator.calls.filter(call => !call.startsWith('checkManifest'))).toEqual([]);
    expect(bench.operator.calls).toContain('checkManifest hospital');
    expect(await bench.agent.records()).toEqual([]);
  });

  test('makes the brokers that must approve the code its custodians', async () => {
    bench.operator.brokers.set('registry', (manifest, caller): CheckReply => ({
      decision: 'wait',
      ...(caller === bench.agent.analyst
        ? { assets: [{ asset: manifest.payload.inputs[1]?.asset, decision: 'wait', rule: createTestRule({ code: 'approved' }), denials: [{ code: 'approval_missing' }] }] }
        : {})
    }));
    const plan = await bench.agent.plan({ notebook });
    const draft = await bench.agent.draft(plan);
    expect(draft.custodians.map(custodian => custodian.owner)).toEqual(['registry']);
    expect(draft.decisions.map(decision => decision.decision)).toContain('wait');
  });

  test.each([
    ['a notebook without inputs', 'x = 1', {}, 'no_custodian'],
    ['an asset that nobody publishes', 'import cloister\ncloister.read_csv("hospital/tabel")', {}, 'asset_unknown'],
    ['a custodian who publishes nothing', 'x = 1', { custodians: ['nobody'] }, 'no_custodian'],
    ['a time limit of nothing', 'x = 1', { timeoutSeconds: 0 }, 'usage']
  ])('refuses %s: nothing is sent', async (_, source, request, code) => {
    await bench.put('study.ipynb', notebookOf(source));
    expect(await codeOf(submit(request))).toBe(code);
    expect(bench.operator.calls).toEqual([]);
  });

  test('takes a named custodian for a notebook without inputs, and says what was probably meant by a wrong name', async () => {
    await bench.put('study.ipynb', notebookOf('x = 1'));
    const { job } = await submit({ custodians: ['registry'] });
    expect(bench.operator.jobs.get(job)?.manifest.payload.code.custodians).toHaveLength(1);
    await bench.put('study.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/tabel")'));
    expect((await errorOf(submit())).hint).toContain('hospital/table');
  });

  test('the same idempotency key is the same job, and another notebook under it is refused', async () => {
    const first = await submit({}, 'key-1');
    const second = await submit({}, 'key-1');
    expect(second.job).toBe(first.job);
    expect(bench.operator.jobs.size).toBe(1);
    expect(await bench.agent.records()).toHaveLength(1);
    await bench.put('study.ipynb', notebookOf('import cloister\ncloister.read_csv("hospital/table")'));
    expect(await codeOf(submit({}, 'key-1'))).toBe('idempotency_conflict');
    expect(bench.operator.jobs.size).toBe(1);
  });

  test('without an appraisal policy no runner is trusted with the code', async () => {
    await writeFile(stateFolderOf(bench.home).appraisal, '{"verifiers":[]}');
    expect(await codeOf(submit())).toBe('config_invalid');
    const { rm } = await import('node:fs/promises');
    await rm(stateFolderOf(bench.home).appraisal);
    expect(await codeOf(submit())).toBe('trust_missing');
    expect(bench.operator.calls).toEqual([]);
  });
});

describe('the catalog', () => {
  test('shows what pinned owners signed, and says of the rest why it is not used', async () => {
    const [hospital] = bench.owners;
    if (hospital === undefined) throw new Error('no owner');
    const { catalog } = bench.operator;
    const { createTestOwner, createTestSigner } = await import('@cloister/protocol/testing');
    const stranger = await createTestOwner('stranger', { analyst: await createTestSigner(), image: bench.image });
    const other = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, name: 'forged' }, stranger.owner);
    catalog.push({ asset: stranger.descriptor.digest, owner: stranger.owner.thumbprint, descriptor: stranger.descriptor.jws });
    catalog.push({ asset: other.digest, owner: hospital.owner.thumbprint, descriptor: other.jws });
    catalog.push({ asset: digestOf(toUtf8('else')), owner: hospital.owner.thumbprint, descriptor: hospital.descriptor.jws });
    const { assets, unverified } = await bench.agent.catalog();
    expect(assets.map(asset => asset.name)).toEqual(['hospital/table', 'registry/table']);
    expect(unverified.map(entry => entry.why)).toEqual([
      expect.stringContaining('is not in your trust file'),
      expect.stringContaining('signed by'),
      'the catalog says something else than its owner signed'
    ]);
  });

  test('takes the newest version, and neither of two that contradict each other', async () => {
    const [hospital, registry] = bench.owners;
    if (hospital === undefined || registry === undefined) throw new Error('no owner');
    const newer = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, version: 2 }, hospital.owner);
    const double = await signObject(DESCRIPTOR, { ...registry.descriptor.payload, size: 1 }, registry.owner);
    bench.operator.catalog.push({ asset: newer.digest, owner: hospital.owner.thumbprint, descriptor: newer.jws });
    bench.operator.catalog.push({ asset: double.digest, owner: registry.owner.thumbprint, descriptor: double.jws });
    const { assets, unverified } = await bench.agent.catalog();
    expect(assets.map(asset => asset.asset)).toEqual([newer.digest]);
    expect(unverified).toHaveLength(2);
  });

  test('fetches mocks once, and leaves another file alone unless told otherwise', async () => {
    const fetch = async (replace = false) => (await bench.agent.fetchMocks({ folder: bench.workspace, names: ['hospital/table'], replace })).map(mock => mock.state);
    const path = join(bench.workspace, 'mocks/hospital/table.csv');
    expect(await fetch()).toEqual(['fetched']);
    expect(await readFile(path)).toEqual(Buffer.from(MOCK));
    expect(await fetch()).toEqual(['current']);
    await writeFile(path, 'my own');
    expect(await fetch()).toEqual(['differs']);
    expect(await readFile(path, 'utf8')).toBe('my own');
    expect(await fetch(true)).toEqual(['fetched']);
    expect(await readFile(path)).toEqual(Buffer.from(MOCK));
  });

  test.each([
    ['changed', toUtf8('id,value\n1,3\n')],
    ['longer', toUtf8('id,value\n1,2\n9,9\n')]
  ])('refuses a mock that is %s, and leaves no file', async (_, served) => {
    bench.operator.files.set(digestOf(MOCK), served);
    expect(await codeOf(bench.agent.fetchMocks({ folder: bench.workspace }))).toBe('digest_mismatch');
    expect(readdirSync(join(bench.workspace, 'mocks/hospital'))).toEqual([]);
  });

  test('does not write through a link in the place of mocks/', async () => {
    await symlink('/tmp', join(bench.workspace, 'mocks'));
    expect(await codeOf(bench.agent.fetchMocks({ folder: bench.workspace }))).toBe('workspace_unsafe');
  });
});

describe('following a job', () => {
  test('gives its state now and every change until it ends', async () => {
    const { job } = await submit();
    const states: string[] = [];
    for await (const view of bench.agent.watch(job, AbortSignal.timeout(20_000))) {
      states.push(view.cells === undefined ? view.state : `${view.state} ${view.cells.done}`);
      if (view.state === 'queued') bench.operator.advance(job, 'launching', { attempt: 1 });
      if (view.state === 'launching') bench.operator.advance(job, 'running', { cells: { done: 1, total: 2 } });
      if (view.state === 'running' && view.cells?.done === 1) bench.operator.advance(job, 'running', { cells: { done: 2, total: 2 } });
      if (view.cells?.done === 2) bench.operator.advance(job, 'failed', { code: 'runner_lost' });
    }
    expect(states).toEqual(['queued', 'launching', 'running 1', 'running 2', 'failed 2']);
  });

  test('resumes after the stream broke off, and misses nothing', async () => {
    const { job } = await submit();
    const states: string[] = [];
    for await (const view of bench.agent.watch(job, AbortSignal.timeout(20_000))) {
      states.push(view.state);
      if (view.state === 'queued') bench.operator.advance(job, 'launching');
      if (view.state === 'launching') {
        bench.operator.dropStreams();
        bench.operator.advance(job, 'running');
      }
      if (view.state === 'running') bench.operator.advance(job, 'cancelled');
    }
    expect(states).toEqual(['queued', 'launching', 'running', 'cancelled']);
    expect(bench.operator.calls).toContain('jobEvents 1');
  });

  test('watching can be broken off without touching the job', async () => {
    const { job } = await submit();
    const stop = new AbortController();
    const watching = (async () => {
      for await (const view of bench.agent.watch(job, stop.signal)) if (view.state === 'queued') stop.abort();
    })();
    expect(await codeOf(watching)).toBe('cancelled');
    expect(bench.operator.jobs.get(job)?.view.state).toBe('queued');
  });

  test('a job is named by its beginning or as the latest, and never guessed', async () => {
    const { job } = await submit();
    expect(await bench.agent.resolve(job)).toBe(job);
    expect(await bench.agent.resolve(job.slice(7, 13))).toBe(job);
    expect(await bench.agent.resolve('latest')).toBe(job);
    expect(await codeOf(bench.agent.resolve('zz'))).toBe('usage');
    const stranger = job.startsWith('sha256:0000') ? 'ffff' : '0000';
    expect(await codeOf(bench.agent.resolve(stranger))).toBe('not_found');
  });

  test('cancel, delete and retry', async () => {
    const { job } = await submit();
    expect(await codeOf(bench.agent.delete(job))).toBe('job_not_finished');
    expect((await bench.agent.cancel(job)).state).toBe('cancelled');
    expect(await codeOf(bench.agent.cancel(job))).toBe('job_finished');
    const { view } = await bench.agent.retry(job);
    expect(view.job).not.toBe(job);
    expect(bench.operator.jobs.get(view.job)?.manifest.payload.code).toEqual(bench.operator.jobs.get(job)?.manifest.payload.code);
    expect((await bench.agent.kept(view.job)).record.retryOf).toBe(job);
    await bench.agent.delete(job);
    expect(await codeOf(bench.agent.kept(job))).toBe('not_found');
    expect((await bench.agent.records()).map(record => record.job)).toEqual([view.job]);
  });

  test('a kept bundle that was changed is not sent again', async () => {
    const { job } = await submit();
    const path = join(stateFolderOf(bench.home).jobs, job.slice(7), 'bundle.age');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    expect(await codeOf(bench.agent.retry(job))).toBe('digest_mismatch');
  });
});

describe('results', () => {
  const target = (job: Digest): string => join(bench.workspace, 'results', `study-${job.slice(7, 15)}`);
  const nothingUnsealed = async (job: Digest): Promise<void> => {
    await expect(access(target(job))).rejects.toThrow();
    const results = join(bench.workspace, 'results');
    if (await access(results).then(() => true, () => false)) expect(readdirSync(results)).toEqual([]);
  };

  test('are verified, then unsealed beside the notebook, with a report that anyone can check offline', async () => {
    const { job } = await submit();
    await bench.finish(job, { outputs: { 'study.ipynb': toUtf8('{}'), 'outputs/deep/metrics.json': toUtf8('{"auc":1}') } });
    const opened = await bench.agent.results(job);
    expect(opened).toMatchObject({ verdict: 'simulated', outcome: 'succeeded', folder: target(job) });
    expect(readdirSync(target(job)).sort()).toEqual(['index.json', 'outputs', 'study.attestation.json', 'study.ipynb']);
    expect(await readFile(join(target(job), 'outputs/deep/metrics.json'), 'utf8')).toBe('{"auc":1}');
    const again = await bench.agent.verify(opened.report, { outputs: target(job) });
    expect(again.verdict).toBe('simulated');
    expect(again.checks.find(check => check.id === 'opened_outputs')?.status).toBe('pass');
    expect(readdirSync(join(bench.workspace, 'results'))).toEqual([`study-${job.slice(7, 15)}`]);
    expect((await bench.agent.kept(job)).record.results).toBe(target(job));
  });

  test('are never written over what is there', async () => {
    const { job } = await submit();
    await bench.finish(job);
    await mkdir(target(job), { recursive: true });
    await writeFile(join(target(job), 'mine.txt'), 'mine');
    expect(await codeOf(bench.agent.results(job))).toBe('file_exists');
    expect(readdirSync(target(job))).toEqual(['mine.txt']);
    const into = join(bench.workspace, 'elsewhere');
    expect((await bench.agent.results(job, { into })).folder).toBe(into);
  });

  test('an opened file changed by one byte fails the check that names it', async () => {
    const { job } = await submit();
    await bench.finish(job);
    const { report, folder } = await bench.agent.results(job);
    for (const [name, check] of [['notebook.ipynb', 'opened_outputs'], ['index.json', 'opened_outputs']] as const) {
      const path = join(folder, name);
      const bytes = await readFile(path);
      await writeFile(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes[bytes.length - 1] ?? 0 ^ 1, 32])]));
      const result = await bench.agent.verify(report, { outputs: folder });
      expect(result.checks.filter(item => item.status === 'fail').map(item => item.id)).toEqual([check]);
      await writeFile(path, bytes);
    }
    expect((await bench.agent.verify(report, { outputs: folder })).verdict).toBe('simulated');
    await writeFile(join(folder, 'planted.csv'), 'x');
    expect((await bench.agent.verify(report, { outputs: folder })).verdict).toBe('failed');
  });

  const LIES: readonly (readonly [string, string, (job: Digest) => Promise<void> | void])[] = [
    ['a sealed output changed by one byte', 'output_not_verified', job => flip(job, 'output/0')],
    ['a sealed index changed by one byte', 'output_not_verified', job => flip(job, 'index')],
    ['outputs of another job', 'output_not_verified', async job => {
      const stored = bench.operator.jobs.get(job);
      const report = stored?.report;
      const made = await bench.finish(job);
      if (stored === undefined || report === undefined) throw new Error('no job');
      stored.report = report;
      expect(made.report).not.toEqual(report);
    }],
    ['another job’s report', 'output_not_verified', async job => {
      const other = await submit();
      const made = await bench.finish(other.job);
      const stored = bench.operator.jobs.get(job);
      if (stored !== undefined) stored.report = made.report;
    }],
    ['a report changed by one byte', 'output_not_verified', job => {
      const report = bench.operator.jobs.get(job)?.report;
      const token = report?.tokens[0] ?? '';
      if (report !== undefined) report.tokens = [`${token.slice(0, -8)}${token.endsWith('AAAAAAAA') ? 'BAAAAAAA' : 'AAAAAAAA'}`];
    }]
  ];
  test.each(LIES)('of a lying operator are not unsealed: %s', async (_, code, lie) => {
    const { job } = await submit();
    await bench.finish(job);
    await lie(job);
    expect(await codeOf(bench.agent.results(job))).toBe(code);
    await nothingUnsealed(job);
  });

  test('without an appraisal policy nothing is unsealed, and it says what is missing', async () => {
    const { job } = await submit();
    await bench.finish(job);
    const { rm } = await import('node:fs/promises');
    await rm(stateFolderOf(bench.home).appraisal);
    const error = await errorOf(bench.agent.results(job));
    expect(error.code).toBe('output_not_verified');
    expect(error.detail).toContain('inconclusive');
    await nothingUnsealed(job);
  });

  test('a second statement for an attempt is refused, though both are attested', async () => {
    const { job } = await submit();
    await bench.finish(job);
    await bench.agent.results(job);
    await bench.finish(job);
    expect(await codeOf(bench.agent.results(job, { into: join(bench.workspace, 'second') }))).toBe('report_rejected');
  });

  test.each([['index.json'], ['study.attestation.json'], ['INDEX.json']])('an index may not put a file in the place of %s', async path => {
    const { job } = await submit();
    await bench.finish(job, { outputs: { [path]: toUtf8('evil') } });
    expect(await codeOf(bench.agent.results(job))).toBe('output_refused');
    await nothingUnsealed(job);
  });

  test('there are none before the end, and none of a job that ended without a report', async () => {
    const { job } = await submit();
    expect(await codeOf(bench.agent.results(job))).toBe('job_not_finished');
    bench.operator.advance(job, 'failed', { code: 'release_denied' });
    const error = await errorOf(bench.agent.results(job));
    expect([error.code, error.detail]).toEqual(['not_found', 'the job ended as failed (release_denied) without a report']);
  });

  function flip(job: Digest, name: string): void {
    const outputs = bench.operator.jobs.get(job)?.outputs;
    const bytes = Buffer.from(outputs?.get(name) ?? []);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    outputs?.set(name, bytes);
  }
});

test('keys that others can read are not used', async () => {
  await chmod(stateFolderOf(bench.home).keys, 0o644);
  const { createAgent } = await import('./app.js');
  const { systemClock } = await import('@cloister/kit');
  expect(await codeOf(createAgent({ home: bench.home, transport: bench.operator.transport, serverUrl: bench.operator.serverUrl, clock: systemClock }))).toBe('key_unsafe');
});
