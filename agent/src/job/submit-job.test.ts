import { readdirSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError, WrappedCode, decodeBundle, fromBase64Url, openBytes, parseJcs, requireBundleAgrees, type CheckReply, type JobView } from '@cloister/protocol';
import { createTestRule } from '@cloister/protocol/testing';
import { readKeys } from '../keys/analyst-keys.js';
import { stateFolderOf } from '../state-folder.js';
import { codeOf, createWorkbench, errorOf, notebookOf, READS_BOTH, submitNotebook, type Workbench } from '../testing/index.js';
import type { DraftRequest } from './draft-job.js';

let bench: Workbench;
let notebook: string;
beforeEach(async () => {
  bench = await createWorkbench();
  notebook = await bench.put('study.ipynb', READS_BOTH);
});
afterEach(async () => bench.close());

const submit = async (request: Partial<DraftRequest> = {}, key?: string): Promise<JobView> => submitNotebook(bench, { notebook, ...request }, key);

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
    await rm(stateFolderOf(bench.home).appraisal);
    expect(await codeOf(submit())).toBe('trust_missing');
    expect(bench.operator.calls).toEqual([]);
  });

  test('a draft that is denied can be looked at; what cannot be is only the sending', async () => {
    bench.operator.brokers.set('registry', () => ({ decision: 'deny', denials: [{ code: 'manifest_expired' }] }));
    const plan = await bench.agent.plan({ notebook });
    const draft = await bench.agent.draft(plan);
    expect(draft.decisions.map(({ owner, decision }) => [owner, decision])).toEqual([['hospital', 'allow'], ['registry', 'deny']]);
    expect(draft.decisions[1]?.reasons).toEqual(['The job’s manifest has expired']);
    expect(await codeOf(bench.agent.submit({ plan, draft }))).toBe('asset_denied');
    expect(bench.operator.jobs.size).toBe(0);
  });

  test('a broker that does not answer does not hide what the others say, and nothing is sent without it', async () => {
    bench.operator.brokers.set('registry', () => {
      throw new AppError('rolled_back', 'restored from an old backup');
    });
    expect(await codeOf(submit())).toBe('rolled_back');
    bench.operator.brokers.set('registry', () => {
      throw new AppError('unavailable', 'the disk is slow today');
    });
    const plan = await bench.agent.plan({ notebook });
    const draft = await bench.agent.draft(plan);
    expect(draft.decisions.map(({ owner, decision }) => [owner, decision])).toEqual([['hospital', 'allow'], ['registry', 'unreachable']]);
    expect(draft.decisions[1]?.reasons[0]).toContain('the disk is slow today');
    const error = await errorOf(bench.agent.submit({ plan, draft }));
    expect([error.code, error.detail.startsWith('registry: ')]).toEqual(['unavailable', true]);
    expect(await bench.agent.records()).toEqual([]);
  });
});
