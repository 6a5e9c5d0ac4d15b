import { join } from 'node:path';
import { SERVER_ROUTES, callRoute, type Digest } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forgeManifest, rawServer, sendRaw } from '../harness/forge.js';
import { draft, ended, run, submit } from '../harness/jobs.js';
import { slowCells } from '../harness/notebooks.js';
import { filesBelow, jobBlobs, readOperatorDatabase } from '../harness/operator-files.js';
import { eventually } from '../harness/poll.js';
import { refusal } from '../harness/refusals.js';
import { fill, onSmallDisks, seenBy } from '../harness/small-disks.js';
import { createWorld, type World } from '../harness/world.js';

const OUTPUT_MB = 24;
const LARGE_OUTPUT = [
  'import cloister\nfrom pathlib import Path\nrows = cloister.path("hospital/measurements").read_text()',
  `Path("outputs").mkdir(exist_ok=True)\nPath("outputs/large.bin").write_bytes(b"x" * (${OUTPUT_MB} << 20))\nprint(len(rows))`
];

let world: World;
let instances: string;
let blobs: string;

beforeAll(async () => {
  world = await createWorld({ wrap: home => onSmallDisks(home, [{ folder: 'instances', megabytes: 128 }, { folder: 'server/blobs', megabytes: 192 }]) });
  instances = join(world.home, 'instances');
  blobs = join(world.home, 'server/blobs');
});
afterAll(async () => world.close());

const stateOf = (job: Digest): string | undefined => readOperatorDatabase(world.home, database => database.job(job)?.state);

test('where the runner’s disk is full while it seals, the job fails with storage_full; with space again, a retry succeeds', async () => {
  // The output fits, and its sealed copy beside it does not.
  const free = fill(world.daemon(), instances, 128 - OUTPUT_MB - 12);
  let job: Digest;
  try {
    ({ job } = await submit(world, { cells: LARGE_OUTPUT }));
    expect(await ended(world, job)).toMatchObject({ state: 'failed', code: 'storage_full', attempt: 3 });
    expect((await refusal(world.agent.results(job))).code).toBe('not_found');
    const kept = filesBelow(seenBy(world.daemon(), jobBlobs(world.home, job)));
    expect(kept.filter(name => name.endsWith('-report') || name.includes('partial'))).toEqual([]);
    await eventually('end of its scratch', () => filesBelow(seenBy(world.daemon(), instances)).every(name => name === '.filler'), { within: 30_000 });
  } finally {
    free();
  }
  const { view } = await world.agent.retry(job);
  expect(await ended(world, view.job)).toMatchObject({ state: 'succeeded', attempt: 1 });
  const { files } = await world.agent.results(view.job);
  expect(files.find(file => file.path === 'outputs/large.bin')?.size).toBe(OUTPUT_MB << 20);
});

test('where a notebook itself fills the disk, so that nothing can be sealed, the job fails with storage_full', async () => {
  const free = fill(world.daemon(), instances, 128 - 12);
  try {
    const { job } = await sendRaw(world, await forgeManifest(world, await draft(world, { cells: LARGE_OUTPUT }), { maxAttempts: 1 }));
    expect(await ended(world, job)).toMatchObject({ state: 'failed', code: 'storage_full' });
  } finally {
    free();
  }
  expect(await run(world)).toMatchObject({ view: { state: 'succeeded' } });
});

test('where the operator’s disk is full, a submission is refused with storage_full, nothing is stored, and it can be sent again', async () => {
  const free = fill(world.daemon(), blobs, 192 - 60);
  const drafted = await draft(world);
  const { digest: job } = drafted.draft.manifest;
  try {
    const before = filesBelow(seenBy(world.daemon(), join(blobs, 'bundles')));
    const refused = await refusal(world.agent.submit(drafted));
    expect(refused.code).toBe('storage_full');
    expect(refused.hint).not.toBe('');
    expect(stateOf(job)).toBeUndefined();
    expect(filesBelow(seenBy(world.daemon(), join(blobs, 'bundles')))).toEqual(before);
    expect((await refusal(callRoute(await rawServer(world), SERVER_ROUTES.ready, {}))).code).toBe('unavailable');
  } finally {
    free();
  }
  await world.agent.resend(await world.agent.kept(job));
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

test('where the operator’s disk fills up while the job runs, it ends with storage_full and without a report', async () => {
  const forged = await forgeManifest(world, await draft(world, { cells: slowCells(2) }), { maxAttempts: 1 });
  const { job } = await sendRaw(world, forged);
  await eventually('run', () => stateOf(job) === 'running');
  const free = fill(world.daemon(), blobs, 192 - 60);
  try {
    expect(await ended(world, job)).toMatchObject({ state: 'failed', code: 'storage_full', attempt: 1 });
    expect(filesBelow(seenBy(world.daemon(), jobBlobs(world.home, job)))).toEqual([]);
  } finally {
    free();
  }
  expect(await run(world)).toMatchObject({ view: { state: 'succeeded' } });
});
