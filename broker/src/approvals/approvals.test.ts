import { APPROVAL, BROKER_ROUTES, callRoute, digestOf, signObject, toTime, toUtf8, type Approval, type Manifest } from '@cloister/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { challenge, createWorld, makeJob, putRules, runAttempt, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf, denialIn } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => {
  world = await createWorld();
  await putRules(world, [{ code: 'approved' }]);
});
afterEach(async () => world.close());

async function sign(manifest: Manifest, change: Partial<Approval> = {}): Promise<string> {
  const { digest: code, environment, parameters } = manifest.code;
  const notAfter = toTime(new Date(world.clock.now().getTime() + 60_000));
  const approval: Approval = { v: 1, code, environment, parameters, inputs: manifest.inputs.map(input => input.asset), analyst: manifest.analyst, notAfter, decision: 'approved', reason: 'read it', ...change };
  return (await signObject(APPROVAL, approval, world.owner.signer)).jws;
}

const put = async (approval: string) => callRoute(world.client, BROKER_ROUTES.putApproval, { body: { approval: approval } });

test('an approved code is released, and nothing before', async () => {
  const job = await makeJob(world);
  expect(await denialIn(world, challenge(world, job))).toMatchObject({ code: 'approval_missing', reasons: ['approval_missing'] });
  await put(await sign(job.payload));
  await runAttempt(world, job);
});

const other = digestOf(toUtf8('other'));
const OTHERS: readonly { readonly name: string; readonly change: Partial<Approval> }[] = [
  { name: 'code', change: { code: other } },
  { name: 'environment', change: { environment: other } },
  { name: 'parameters', change: { parameters: 'A'.repeat(43) } },
  { name: 'set of inputs', change: { inputs: [other] } }
];
test.each(OTHERS)('an approval of another $name counts for nothing', async ({ change }) => {
  const job = await makeJob(world);
  await put(await sign(job.payload, change));
  expect(await codeOf(challenge(world, job))).toBe('approval_missing');
});

test('an approval of the same code for another analyst counts for nothing', async () => {
  const job = await makeJob(world);
  await put(await sign(job.payload, { analyst: world.owner.signer.thumbprint }));
  expect(await codeOf(challenge(world, job))).toBe('approval_missing');
});

test('an approval runs out', async () => {
  const job = await makeJob(world);
  await put(await sign(job.payload));
  world.clock.advance(60_000);
  expect(await codeOf(challenge(world, job))).toBe('approval_missing');
});

test('a refusal takes an approval back, and the old approval cannot be put in force again by who kept a copy', async () => {
  const job = await makeJob(world);
  const approval = await sign(job.payload);
  await put(approval);
  await put(await sign(job.payload, { decision: 'refused' }));
  await put(approval);
  expect((await denialIn(world, challenge(world, job))).reasons).toEqual(['approval_refused']);
});

test('only the owner approves', async () => {
  const job = await makeJob(world);
  const { payload } = await signObject(APPROVAL, { v: 1, code: job.payload.code.digest, environment: 'image', parameters: job.payload.code.parameters, inputs: [world.asset], analyst: world.analyst.thumbprint, notAfter: job.payload.notAfter, decision: 'approved', reason: '' }, world.analyst);
  expect(await codeOf(put((await signObject(APPROVAL, payload, world.analyst)).jws))).toBe('wrong_signer');
});
