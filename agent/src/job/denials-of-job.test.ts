import { afterEach, beforeEach, expect, test } from 'vitest';
import { AGENT_ROUTES, DENIAL, callRoute, signObject, toTime, type DenialReason, type Digest, type Signer } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { createAgentFace, createWorkbench, READS_BOTH, submitNotebook, type AgentFace, type Workbench } from '../testing/index.js';

let bench: Workbench;
let face: AgentFace;
let job: Digest;
beforeEach(async () => {
  bench = await createWorkbench();
  face = await createAgentFace(bench);
  ({ job } = await submitNotebook(bench, { notebook: await bench.put('study.ipynb', READS_BOTH) }));
});
afterEach(async () => {
  await face.close();
  await bench.close();
});

const brokerOf = (name: string): Signer => {
  const found = bench.owners.find(owner => owner.name === name);
  if (found === undefined) throw new Error('no such owner');
  return found.broker;
};
const assetOf = (name: string): Digest => bench.owners.find(owner => owner.name === name)?.descriptor.digest ?? job;

/** The sentences of a job that failed with these denials. */
async function told(...denials: { readonly by: Signer; readonly about?: Digest; readonly reasons: DenialReason[] }[]): Promise<string[]> {
  const signed = await Promise.all(denials.map(async ({ by, about = job, reasons }) => (await signObject(DENIAL, { v: 1, job: about, time: toTime(new Date()), denials: reasons }, by)).jws));
  bench.operator.advance(job, 'failed', { code: 'release_denied', denials: signed });
  return (await callRoute(face.client, AGENT_ROUTES.getOwnJob, { params: { job } })).denials;
}

test('what each broker says against which asset, in words', async () => {
  const sentences = await told(
    { by: brokerOf('hospital'), reasons: [{ asset: assetOf('hospital'), rule: 'study', code: 'uses_exhausted', expected: 3, actual: 3 }, { bundle: assetOf('hospital'), code: 'code' }] },
    { by: brokerOf('registry'), reasons: [{ code: 'rolled_back' }] }
  );
  expect(sentences).toEqual([
    'hospital/table: all uses that the owner allows are used (rule study): expected 3, got 3',
    'hospital, about your code: this exact code is not among those that the owner lists',
    'registry: the broker was restored from an old backup and releases nothing for now'
  ]);
});

test('the word of a stranger, or about another job, is not passed on', async () => {
  const stranger = await createTestSigner();
  const sentences = await told(
    { by: stranger, reasons: [{ code: 'send_money_to_me' }] },
    { by: brokerOf('hospital'), about: assetOf('hospital'), reasons: [{ code: 'uses_exhausted' }] }
  );
  expect(sentences).toEqual(['A denial came that no broker of this job signed. It is not shown']);
});

test('none where nobody denied', async () => {
  expect(await told()).toEqual([]);
});
