import Database from 'better-sqlite3';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLedger } from '../owner/index.js';
import { createWorld, makeJob, putRules, runAttempt, stateDirOf, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

async function edit(sql: string): Promise<void> {
  const database = new Database(join(stateDirOf(world.dir), 'broker.sqlite'));
  database.exec(sql);
  database.close();
}

test('a ledger of several pages is read and verified whole', async () => {
  for (let version = 0; version < 3; version += 1) await putRules(world, [{}]);
  await runAttempt(world, await makeJob(world));
  expect((await readLedger(world.ownerDeps)).map(entry => entry.seq)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('an entry that somebody edited in the database is noticed by the owner', async () => {
  await runAttempt(world, await makeJob(world));
  await world.restart(async () => edit(`update ledger set entry = replace(entry, 'table', 'other') where seq = 1`));
  expect(await codeOf(readLedger(world.ownerDeps))).toBe('ledger_broken');
});

test('a database with entries that do not follow its outside head does not start', async () => {
  const entry = JSON.stringify({ asset: 'table', kind: 'policy', policy: `sha256:${'0'.repeat(64)}`, previous: 'none', seq: 3, time: '2026-01-01T00:00:00.000Z', v: 1, version: 9 });
  await expect(world.restart(async () => edit(`insert into ledger values (3, 'sha256:${'1'.repeat(64)}', '${entry}')`))).rejects.toMatchObject({ code: 'ledger_broken' });
  await world.restart(async () => edit('delete from ledger where seq = 3'));
});
