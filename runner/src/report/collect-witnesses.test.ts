import { ANY_SIGNER, AppError, WITNESS, compareUtf8, digestOf, digestOfJson, fromBase64, toTime, toUtf8, verifyObject, type Verified, type Witness } from '@cloister/protocol';
import { afterEach, expect, test } from 'vitest';
import type { BrokerLies } from '../testing/fake-broker.js';
import { openResults } from '../testing/open-results.js';
import { createRig, type Rig, type RigOptions } from '../testing/rig.js';

const open: Rig[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(rig => rig.close()));
});

async function rigged(brokers: NonNullable<RigOptions['brokers']> = {}, deps?: RigOptions['deps']): Promise<Rig> {
  const rig = await createRig({ world: { owners: ['hospital', 'registry'] }, brokers, ...(deps === undefined ? {} : { deps }) });
  open.push(rig);
  return rig;
}

async function witnessesIn({ server }: Rig): Promise<Verified<Witness>[]> {
  return Promise.all((server.report?.witnesses ?? []).map(async jws => verifyObject(WITNESS, jws, ANY_SIGNER)));
}

async function signersIn(rig: Rig): Promise<(string | undefined)[]> {
  const names = new Map(rig.world.owners.map(({ broker, name }) => [broker.thumbprint, name]));
  return (await witnessesIn(rig)).map(({ signer }) => names.get(signer));
}

test('every broker of the session countersigns before the server gets the report, sorted by broker', async () => {
  const rig = await rigged();
  expect(await rig.run()).toEqual({ published: true });
  const sorted = [...rig.world.owners].sort((a, b) => compareUtf8(a.broker.thumbprint, b.broker.thumbprint)).map(({ name }) => name);
  expect(await signersIn(rig)).toEqual(sorted);
  const { verified } = await openResults(rig);
  expect(verified.checks.find(({ id }) => id === 'witnesses')?.status).toBe('pass');
  const statement = digestOf(fromBase64(rig.server.report?.statement ?? ''));
  expect((await witnessesIn(rig)).map(({ payload }) => payload)).toMatchObject([{ statement, attempt: 1 }, { statement, attempt: 1 }]);
});

test('what a broker is shown holds no witness, output or key, and the log says only counts', async () => {
  const rig = await rigged();
  await rig.run();
  const shown = rig.brokers['hospital']?.reports ?? [];
  expect(shown.map(({ witnesses }) => witnesses)).toEqual([[]]);
  expect(JSON.stringify(shown)).not.toMatch(/AGE-SECRET-KEY|id,value/);
  expect(rig.logged).toContain(JSON.stringify({ event: 'witnessed', witnesses: 2, brokers: 2 }));
});

const LIES: readonly { readonly name: string; readonly lies: BrokerLies }[] = [
  { name: 'refuses', lies: { atReport: () => { throw new AppError('statement_conflict', 'another one'); } } },
  { name: 'fails each time', lies: { atReport: () => { throw new AppError('unavailable', 'restarting'); } } },
  { name: 'witnesses another statement', lies: { witness: () => ({ statement: digestOf(toUtf8('other')) }) } },
  { name: 'witnesses another job', lies: { witness: () => ({ job: digestOfJson('other') }) } },
  { name: 'witnesses another attempt', lies: { witness: () => ({ attempt: 2 }) } },
  { name: 'witnesses another session', lies: { witness: () => ({ session: 'A'.repeat(43) }) } },
  { name: 'dates its witness before the run', lies: { witness: (honest: Witness) => ({ time: toTime(new Date(Date.parse(honest.time) - 3_600_000)) }) } }
];

test.each(LIES)('a broker that $name is no witness, and the job does not fail', async ({ lies }) => {
  const rig = await rigged({ hospital: lies });
  expect(await rig.run()).toEqual({ published: true });
  expect(await signersIn(rig)).toEqual(['registry']);
  expect((await openResults(rig)).verified.verdict).toBe('simulated');
});

test('a witness by another key than the broker’s is left out', async () => {
  const rig: Rig = await rigged({}, ({ transport }) => ({
    transport: async request => transport(request.url.endsWith('/v1/reports') ? { ...request, url: request.url.replace('hospital.', 'registry.') } : request)
  }));
  expect(await rig.run()).toEqual({ published: true });
  expect(await signersIn(rig)).toEqual(['registry']);
});

test('a broker that failed once is asked again', async () => {
  const rig = await rigged({ hospital: { atReport: times => { if (times === 1) throw new AppError('unavailable', 'restarting'); } } });
  await rig.run();
  expect((await signersIn(rig)).sort()).toEqual(['hospital', 'registry']);
});

test('brokers that never answer are waited for only so long, all at once', async () => {
  const asked: string[] = [];
  const rig: Rig = await rigged({}, ({ transport }) => ({
    witnessMs: 50,
    transport: async request => {
      if (!request.url.endsWith('/v1/reports')) return transport(request);
      asked.push(request.url);
      return new Promise((_, reject) => request.signal?.addEventListener('abort', () => reject(new AppError('unavailable', 'given up'))));
    }
  }));
  expect(await rig.run()).toEqual({ published: true });
  expect(asked).toHaveLength(2);
  expect(rig.server.report?.witnesses).toEqual([]);
});

test('without any witness the report is published and verifies', async () => {
  const silent: BrokerLies = { atReport: () => { throw new AppError('not_found', 'an older broker'); } };
  const rig = await rigged({ hospital: silent, registry: silent });
  expect(await rig.run()).toEqual({ published: true });
  expect(rig.server.report?.witnesses).toEqual([]);
  expect(rig.logged).toContain(JSON.stringify({ event: 'witnessed', witnesses: 0, brokers: 2 }));
});
