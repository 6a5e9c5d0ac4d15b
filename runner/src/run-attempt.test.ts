import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, DESCRIPTOR, MANIFEST, REPORT_AUDIENCE, Statement, fromBase64, parseJcs, parseSession, parseToken, signObject, toTime } from '@cloister/protocol';
import type { TestWorld } from '@cloister/protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { runAttempt } from './run-attempt.js';
import { denialBy } from './testing/fake-broker.js';
import { nestBeyondPathMax } from './testing/over-long-paths.js';
import { failedChecks, openResults } from './testing/open-results.js';
import { createRig, hastyClock, mintedTokens, type Rig, type RigOptions } from './testing/rig.js';

const open: Rig[] = [];

async function rigged(options: RigOptions = {}): Promise<Rig> {
  const rig = await createRig(options);
  open.push(rig);
  return rig;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(rig => rig.close()));
});

const TWO_OWNERS = { owners: ['hospital', 'registry'] };

function predicateOf(rig: Rig): Statement['predicate'] {
  return Statement.parse(parseJcs(fromBase64(rig.server.report?.statement ?? ''))).predicate;
}

test('a run with inputs of two owners ends with a report that verifies, down to the opened files', async () => {
  const rig = await rigged({ world: TWO_OWNERS, sandbox: { outputs: { 'roc.png': 'picture', 'deep/er/metrics.json': '{"auc":0.9}' } } });
  expect(await rig.run()).toEqual({ published: true });
  expect(rig.sandboxRuns).toEqual([
    { inputs: { 'hospital/table': 'id,value\n1,hospital\n', 'registry/table': 'id,value\n1,registry\n' }, timeoutMs: 120_000 }
  ]);
  const { verified, text, index } = await openResults(rig);
  expect(failedChecks(verified)).toEqual([]);
  expect(verified.verdict).toBe('simulated');
  expect(text('outputs/deep/er/metrics.json')).toBe('{"auc":0.9}');
  expect(index.outputs.map(({ path, kind, mediaType }) => ({ path, kind, mediaType }))).toEqual([
    { path: 'notebook.ipynb', kind: 'notebook', mediaType: 'application/x-ipynb+json' },
    { path: 'outputs/deep/er/metrics.json', kind: 'file', mediaType: 'application/json' },
    { path: 'outputs/roc.png', kind: 'file', mediaType: 'image/png' }
  ]);
});

test('what is published comes in the order outputs, index, report, pointer; and nothing stays on disk', async () => {
  const rig = await rigged({ sandbox: { outputs: { a: '1' } } });
  await rig.run();
  expect(rig.server.order).toEqual(['admitted', 'output/0', 'output/1', 'index', 'report', 'published']);
  expect(await rig.left()).toEqual([]);
});

test('the server learns states and counts, and no name, text or key', async () => {
  const rig = await rigged({ sandbox: { outputs: { 'secret-name.txt': 'secret text' }, outcome: { status: 'failed', code: 'cell_failed', traceback: 'secret trace' } } });
  await rig.run();
  const [first] = rig.server.progress;
  expect(first?.state).toBe('running');
  expect(rig.server.progress.at(-1)?.state).toBe('sealing');
  expect(rig.server.progress.at(-1)?.cells?.done).toBeGreaterThan(0);
  const seen = Buffer.concat(rig.server.seen).toString('latin1') + rig.logged.join('\n');
  for (const secret of ['secret-name', 'secret text', 'secret trace', 'AGE-SECRET-KEY']) expect(seen).not.toContain(secret);
});

test('a failed notebook gives its traceback, the partial outputs and a report that says failed', async () => {
  const rig = await rigged({ sandbox: { outputs: { 'part.txt': 'half' }, outcome: { status: 'failed', code: 'cell_failed', traceback: 'ZeroDivisionError: division by zero' } } });
  expect(await rig.run()).toEqual({ published: true });
  const { text, verified, index } = await openResults(rig);
  expect(verified.verdict).toBe('simulated');
  expect(predicateOf(rig).outcome).toEqual({ status: 'failed', code: 'cell_failed' });
  expect(index.outputs.map(({ path }) => path)).toEqual(['notebook.ipynb', 'traceback.txt', 'outputs/part.txt']);
  expect(text('traceback.txt')).toContain('ZeroDivisionError: division by zero');
});

test('the report is attested by PKI, and by OIDC from a launcher that refuses PKI', async () => {
  const types: string[] = [];
  const rig = await rigged({
    deps: (_, { world, verifier }) => ({
      tokens: async request => {
        types.push(request.type);
        if (request.type === 'PKI') throw new AppError('attestation_rejected', 'the launcher refused');
        return mintedTokens(world, verifier)(request);
      }
    })
  });
  expect(await rig.run()).toEqual({ published: true });
  expect(types).toEqual(['OIDC', 'PKI', 'OIDC']);
  expect(parseToken(rig.server.report?.tokens[0] ?? '').claims['aud']).toBe(REPORT_AUDIENCE);
});

test('one broker that keeps two inputs is asked for one challenge', async () => {
  const rig = await rigged({ world: TWO_OWNERS, change: sharedBroker });
  expect(await rig.run()).toEqual({ published: true });
  expect(rig.brokers['hospital']?.challenges).toHaveLength(1);
  expect(rig.brokers['registry']?.challenges).toHaveLength(0);
  expect((await openResults(rig)).verified.verdict).toBe('simulated');
});

async function sharedBroker(world: TestWorld): Promise<TestWorld> {
  const [hospital, registry] = world.owners;
  if (hospital === undefined || registry === undefined) throw new Error('two owners are needed');
  const [own] = registry.descriptor.payload.custodians;
  const custodian = { ...own, broker: hospital.broker.thumbprint, url: hospital.url };
  const descriptor = await signObject(DESCRIPTOR, { ...registry.descriptor.payload, custodians: [custodian] }, registry.owner);
  const { payload } = world.manifest;
  const inputs = payload.inputs.map(input => (input.asset === registry.descriptor.digest ? { ...input, asset: descriptor.digest } : input));
  const manifest = await signObject(MANIFEST, { ...payload, inputs, code: { ...payload.code, custodians: payload.code.custodians.slice(0, 1) } }, world.analyst);
  return { ...world, owners: [hospital, { ...registry, descriptor }], manifest };
}

test('where no broker of an input keeps the code, the next custodian is asked when the first fails', async () => {
  const rig = await rigged({
    world: { owners: ['hospital', 'broken', 'spare'] },
    change: async world => {
      const { payload } = world.manifest;
      const [, ...custodians] = payload.code.custodians;
      const manifest = await signObject(MANIFEST, { ...payload, inputs: payload.inputs.slice(0, 1), code: { ...payload.code, custodians } }, world.analyst);
      return { ...world, manifest };
    },
    server: { attempt: ({ manifest, descriptors }) => ({ manifest, descriptors: descriptors.slice(0, 1) }) },
    brokers: { broken: { atChallenge: () => { throw new AppError('rolled_back', 'restored'); } } }
  });
  expect(await rig.run()).toEqual({ published: true });
  expect(rig.brokers['spare']?.sessions).toHaveLength(1);
  expect((await openResults(rig)).verified.verdict).toBe('simulated');
});

test('a use that another job has reserved is waited for as long as the broker says', async () => {
  const waits: number[] = [];
  const rig = await rigged({
    brokers: { hospital: { atChallenge: times => { if (times < 3) throw new AppError('use_reserved', 'by another', { members: { retryAfterSeconds: 7 } }); } } },
    deps: () => ({ clock: { ...hastyClock, wait: ms => { waits.push(ms); return hastyClock.wait(ms); } } })
  });
  expect(await rig.run()).toEqual({ published: true });
  expect(waits.slice(0, 2)).toEqual([7000, 7000]);
});

test('a use that stays reserved ends the attempt', async () => {
  const rig = await rigged({ brokers: { hospital: { atChallenge: () => { throw new AppError('use_reserved', 'by another', { members: { retryAfterSeconds: 60 } }); } } } });
  expect(await rig.run()).toEqual({ published: false, code: 'use_reserved' });
  expect(rig.server.failures).toEqual([{ code: 'use_reserved', denials: [] }]);
});

test('brokers are asked in order of their thumbprints', async () => {
  const asked: string[] = [];
  const names = ['a', 'b', 'c', 'd'];
  const rig = await rigged({ world: { owners: names }, brokers: Object.fromEntries(names.map(name => [name, { atChallenge: () => void asked.push(name) }])) });
  await rig.run();
  const sorted = [...rig.world.owners].sort((a, b) => (a.broker.thumbprint < b.broker.thumbprint ? -1 : 1));
  expect(asked).toEqual(sorted.map(({ name }) => name));
});

test('a challenge that a broker lost is asked for anew, under the same keys', async () => {
  const rig = await rigged({ brokers: { hospital: { atRelease: times => { if (times === 1) throw new AppError('challenge_unknown', 'restarted'); } } } });
  expect(await rig.run()).toEqual({ published: true });
  const [lost, kept] = rig.brokers['hospital']?.sessions.map(parseSession) ?? [];
  expect([kept?.recipient, kept?.key]).toEqual([lost?.recipient, lost?.key]);
  expect(kept?.challenges).not.toEqual(lost?.challenges);
  expect((await openResults(rig)).verified.verdict).toBe('simulated');
});

test('a release whose answer was lost is asked for with equal session bytes', async () => {
  const rig = await rigged({ brokers: { hospital: { atRelease: times => { if (times === 1) throw new AppError('unavailable', 'restarting'); } } } });
  expect(await rig.run()).toEqual({ published: true });
  const sessions = rig.brokers['hospital']?.sessions ?? [];
  expect(sessions).toHaveLength(2);
  expect(new Set(sessions).size).toBe(1);
});

test('an output that was stored though the answer was lost is not an error', async () => {
  let lost = false;
  const rig = await rigged({
    server: { put: () => { if (lost) return; lost = true; throw new AppError('unavailable', 'the answer was lost'); } }
  });
  expect(await rig.run()).toEqual({ published: true });
});

test.each(['hospital', 'registry'])('a denial by %s ends the attempt with the broker’s signed word', async name => {
  let denial: AppError | undefined;
  const rig: Rig = await rigged({
    world: TWO_OWNERS,
    brokers: {
      [name]: {
        atRelease: async () => {
          const owner = rig.world.owners.find(candidate => candidate.name === name);
          if (owner === undefined) throw new Error('no such owner');
          denial = await denialBy(owner.broker, rig.world);
          throw denial;
        }
      }
    }
  });
  expect(await rig.run()).toEqual({ published: false, code: 'release_denied' });
  expect(rig.server.failures).toEqual([{ code: 'release_denied', denials: [denial?.members['denials']] }]);
  expect(rig.sandboxRuns).toEqual([]);
});

test('a denial that the named broker did not sign is not passed on', async () => {
  const rig: Rig = await rigged({ brokers: { hospital: { atChallenge: async () => { throw await denialBy(rig.world.analyst, rig.world); } } } });
  expect(await rig.run()).toEqual({ published: false, code: 'uses_exhausted' });
  expect(rig.server.failures).toEqual([{ code: 'uses_exhausted', denials: [] }]);
});

test('a cancellation in the progress reply stops the notebook and publishes nothing', async () => {
  const rig = await rigged({
    server: { cancelled: () => true },
    sandbox: { during: run => untilAborted(run.signal) }
  });
  expect(await rig.run()).toEqual({ published: false, code: 'cancelled' });
  expect(rig.server.outputs.size).toBe(0);
  expect(rig.server.failures).toEqual([{ code: 'cancelled', denials: [] }]);
});

test('an attempt that a newer one superseded stops', async () => {
  const rig = await rigged({
    server: { progress: () => { throw new AppError('attempt_stale', 'a newer attempt runs'); } },
    sandbox: { during: run => untilAborted(run.signal) }
  });
  expect(await rig.run()).toEqual({ published: false, code: 'attempt_stale' });
  expect(rig.server.outputs.size).toBe(0);
});

test('a signal to the process ends the attempt as lost, and still says so', async () => {
  const stop = new AbortController();
  const rig = await rigged({
    sandbox: {
      during: run => new Promise(resolve => {
        run.signal.addEventListener('abort', () => resolve());
        stop.abort(new AppError('runner_lost', 'told to end'));
      })
    }
  });
  expect(await rig.run(stop.signal)).toEqual({ published: false, code: 'runner_lost' });
  expect(rig.server.failures).toEqual([{ code: 'runner_lost', denials: [] }]);
  expect(await rig.left()).toEqual([]);
});

test('a fault of the runner is no report about the notebook', async () => {
  const rig = await rigged({ sandbox: { outcome: { status: 'failed', code: 'runner_failed' } } });
  expect(await rig.run()).toEqual({ published: false, code: 'runner_failed' });
  expect(rig.server.report).toBeUndefined();
});

test('folders that nobody may enter are removed too', async () => {
  const rig = await rigged({
    sandbox: {
      during: async run => {
        const locked = join(run.scratch, 'locked');
        await mkdir(locked);
        await writeFile(join(locked, 'file'), 'x');
        await mkdir(join(locked, 'deep'), { mode: 0o000 });
      }
    }
  });
  await rig.run();
  expect(await rig.left()).toEqual([]);
});

test('the notebook’s time ends ten seconds before the owners’ permission does', async () => {
  const now = new Date();
  const rig = await rigged({
    brokers: { hospital: { obligations: { expires: toTime(new Date(now.getTime() + 70_000)) } } },
    deps: () => ({ clock: { ...hastyClock, now: () => now } })
  });
  await rig.run();
  expect(rig.sandboxRuns[0]?.timeoutMs).toBe(60_000);
});

test('a notebook that nests folders beyond the longest path leaves nothing, and its report stays', async () => {
  const rig = await rigged({ sandbox: { during: async run => nestBeyondPathMax(run.scratch) } });
  expect(await rig.run()).toEqual({ published: true });
  expect(await rig.left()).toEqual([]);
});

test('where no scratch can be made the attempt ends with a code, and the server is told', async () => {
  const rig = await rigged();
  expect(await runAttempt({ ...rig.task, scratch: '/nonexistent/scratch' }, rig.deps, new AbortController().signal)).toEqual({ published: false, code: 'runner_failed' });
  expect(rig.server.failures).toEqual([{ code: 'runner_failed', denials: [] }]);
});

test('a notebook that spoils its own run is reported and not run again', async () => {
  const rig = await rigged({ sandbox: { outcome: { status: 'failed', code: 'kernel_misbehaved', traceback: 'no result' } } });
  expect(await rig.run()).toEqual({ published: true });
  expect(predicateOf(rig).outcome).toEqual({ status: 'failed', code: 'kernel_misbehaved' });
  expect(new AppError('kernel_misbehaved', '').retry).toBe(false);
});

/** Also where it was aborted before anybody listened. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve));
}
