import { pinBroker } from '@cloister/broker/owner';
import { RELEASE_AUDIENCE, sessionNonce, type Digest, type JobView } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instancesOf, runnerOf, tokenFrom, type InstanceFiles } from '../harness/instances.js';
import { denialsOf, draft, ended, submit } from '../harness/jobs.js';
import { slowCells } from '../harness/notebooks.js';
import { readOperatorDatabase } from '../harness/operator-files.js';
import { MEASUREMENTS, createWorld, type World } from '../harness/world.js';
import { eventually, until } from '../harness/poll.js';
import { signalProcess } from '../harness/processes.js';
import { refusal } from '../harness/refusals.js';
import { challengeBy, deniedBy, freshKeys, openRelease, releaseBy, releaseWith, sessionOf, type StandInBroker } from '../harness/stand-in-runner.js';

const READ_ONE = ['import cloister\nprint(len(cloister.path("hospital/measurements").read_text()))'];
const READ_SCARCE = ['import cloister\nprint(len(cloister.path("hospital/scarce").read_text()))'];

let world: World;
let broker: StandInBroker;
/** A running instance of some job: whoever works on its machine gets tokens, which is why simulated ones prove nothing. */
let machine: InstanceFiles;
let busy: Digest;
/** Two jobs that went for one use at the same moment; they end while the other tests run. */
let race: Promise<JobView[]>;
let racers: Digest[];
let scarce: Digest;

beforeAll(async () => {
  world = await createWorld();
  const { hospital, transport } = world;
  const { description } = await pinBroker(hospital.owner, { url: hospital.url, transport });
  broker = { client: { transport, baseUrl: hospital.url }, thumbprint: description.broker };
  scarce = await hospital.publish({ ...MEASUREMENTS, name: 'scarce' });
  await hospital.allow('scarce', [world.rule({ uses: 1 })]);
  const drafts = await Promise.all([draft(world, { cells: READ_SCARCE }), draft(world, { cells: READ_SCARCE })]);
  racers = (await Promise.all(drafts.map(async drafted => world.agent.submit(drafted)))).map(view => view.job);
  race = Promise.all(racers.map(async job => ended(world, job, 200_000)));
  race.catch(() => undefined);
  busy = (await submit(world, { cells: slowCells(300) })).job;
  await eventually('a machine', () => readOperatorDatabase(world.home, database => database.job(busy)?.state === 'running'));
  machine = await until('its TEE socket', () => instancesOf(world.home, busy)[0]);
});
afterAll(async () => world.close());

/** A job that is never sent to the server: the brokers learn of it from a runner of our own. */
async function unsentJob(): Promise<{ job: Digest; manifest: Parameters<typeof challengeBy>[1] }> {
  const { manifest } = (await draft(world, { cells: READ_ONE })).draft;
  return { job: manifest.digest, manifest: manifest.jws };
}

test('one challenge used by fifty at once gives one release', async () => {
  const { job, manifest } = await unsentJob();
  const challenge = await challengeBy(broker, manifest, 1);
  const fifty = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const keys = await freshKeys();
      const session = sessionOf(broker, { job, attempt: 1, challenge, keys });
      return { keys, session, token: await tokenFrom(machine, RELEASE_AUDIENCE, sessionNonce(session)) };
    })
  );
  const answers = await Promise.all(
    fifty.map(async ({ session, token, keys }) => {
      const asking = releaseWith(broker, session, token);
      return asking.then(async sealed => ({ sealed, session, token, opened: await openRelease(sealed, keys) }), async () => (await refusal(asking)).code);
    })
  );
  const released = answers.filter(answer => typeof answer !== 'string');
  expect(released).toHaveLength(1);
  expect([...new Set(answers.filter(answer => typeof answer === 'string'))].sort()).toEqual(['challenge_unknown']);
  expect(await world.hospital.releases(job)).toHaveLength(1);
  const [winner] = released;
  expect(winner?.opened.shares.map(share => ('asset' in share ? 'asset' : 'bundle')).sort()).toEqual(['asset', 'bundle']);
  // Equal session bytes get the stored reply, and nothing is released anew.
  expect(await releaseWith(broker, winner?.session ?? '', winner?.token ?? '')).toBe(winner?.sealed);
  expect(await world.hospital.releases(job)).toHaveLength(1);
});

test('an attempt that has keys gets none for other keys, ever', async () => {
  const { job, manifest } = await unsentJob();
  const ask = async (keys: Awaited<ReturnType<typeof freshKeys>>) => releaseBy(broker, sessionOf(broker, { job, attempt: 1, challenge: await challengeBy(broker, manifest, 1), keys }), machine);
  const keys = await freshKeys();
  await ask(keys);
  expect((await refusal(ask(await freshKeys()))).code).toBe('recipient_changed');
  // The same keys in a new session, as where another broker's challenge was lost, are served again.
  await ask(keys);
  expect((await world.hospital.releases(job)).map(({ attempt }) => attempt)).toEqual([1, 1]);
});

test('a lower attempt gets nothing once a higher one has keys: neither a challenge nor a release', async () => {
  const { job, manifest } = await unsentJob();
  const [first, second] = [await challengeBy(broker, manifest, 1), await challengeBy(broker, manifest, 2)];
  await releaseBy(broker, sessionOf(broker, { job, attempt: 2, challenge: second, keys: await freshKeys() }), machine);
  const late = await refusal(releaseBy(broker, sessionOf(broker, { job, attempt: 1, challenge: first, keys: await freshKeys() }), machine));
  expect(deniedBy(late).map(({ code }) => code)).toContain('attempt_superseded');
  const anew = await refusal(challengeBy(broker, manifest, 1));
  expect(deniedBy(anew)).toMatchObject([{ code: 'attempt_superseded', expected: 2, actual: 1 }]);
  expect((await world.hospital.releases(job)).map(({ attempt }) => attempt)).toEqual([2]);
});

test('an attempt beyond those that the manifest allows gets no challenge', async () => {
  const { manifest } = await unsentJob();
  expect(deniedBy(await refusal(challengeBy(broker, manifest, 4)))).toMatchObject([{ code: 'attempts_exhausted', expected: 3, actual: 4 }]);
});

test('a token over another session releases nothing, and consumes nothing', async () => {
  const { job, manifest } = await unsentJob();
  const session = sessionOf(broker, { job, attempt: 1, challenge: await challengeBy(broker, manifest, 1), keys: await freshKeys() });
  const refused = await refusal(releaseBy(broker, session, machine, sessionNonce(`${session} `)));
  expect(refused.code).toBe('attestation_rejected');
  expect(deniedBy(refused).map(({ code }) => code)).toContain('nonce');
  expect(await world.hospital.releases(job)).toEqual([]);
  await releaseBy(broker, session, machine);
  expect(await world.hospital.releases(job)).toHaveLength(1);
});

test('a challenge of one job is of no use to another', async () => {
  const [mine, other] = [await unsentJob(), await unsentJob()];
  const challenge = await challengeBy(broker, other.manifest, 1);
  const refused = await refusal(releaseBy(broker, sessionOf(broker, { job: mine.job, attempt: 1, challenge, keys: await freshKeys() }), machine));
  expect(refused.code).toBe('session_mismatch');
  expect(await world.hospital.releases(mine.job)).toEqual([]);
});

test('a policy stopped between challenge and release releases nothing', async () => {
  const { job, manifest } = await unsentJob();
  const session = sessionOf(broker, { job, attempt: 1, challenge: await challengeBy(broker, manifest, 1), keys: await freshKeys() });
  await world.hospital.stop('measurements');
  try {
    const refused = await refusal(releaseBy(broker, session, machine));
    expect(refused.code).toBe('released_never');
    expect(deniedBy(refused).map(({ code }) => code)).toContain('policy_empty');
    expect(await world.hospital.releases(job)).toEqual([]);
  } finally {
    await world.hospital.allow('measurements', [world.rule()]);
  }
});

test('a policy stopped between submission and release ends the job, and the analyst reads the owner’s signed word', async () => {
  const { job } = await submit(world);
  const runner = await until('runner', () => runnerOf(world.home, job, 1));
  signalProcess(runner, 'SIGSTOP');
  try {
    expect(await world.hospital.releases(job)).toEqual([]);
    await world.hospital.stop('measurements');
  } finally {
    signalProcess(runner, 'SIGCONT');
  }
  try {
    const view = await ended(world, job);
    expect(view).toMatchObject({ state: 'failed', code: 'release_denied', attempt: 1 });
    expect(denialsOf(view).map(({ code }) => code)).toContain('policy_empty');
    for (const owner of [world.hospital, world.registry]) expect(await owner.releases(job)).toEqual([]);
    expect((await world.hospital.ledger()).some(entry => entry.kind === 'denial' && entry.job === job)).toBe(true);
  } finally {
    await world.hospital.allow('measurements', [world.rule()]);
  }
});

test('of two jobs that go for one use at once, one succeeds and the other is denied', async () => {
  const views = await race;
  expect(views.map(({ state }) => state).sort()).toEqual(['failed', 'succeeded']);
  const loser = views.find(({ state }) => state === 'failed');
  expect(['release_denied', 'released_never']).toContain(loser?.code);
  if (loser?.code === 'release_denied') expect(denialsOf(loser).map(({ code }) => code)).toContain('uses_exhausted');
  const released = (await Promise.all(racers.map(async job => world.hospital.releases(job)))).flat();
  expect(released.filter(({ grants }) => grants.some(grant => 'asset' in grant && grant.asset === scarce))).toHaveLength(1);
  // A third one is told before anything is sent.
  expect((await refusal(submit(world, { cells: READ_SCARCE }))).code).toBe('asset_denied');
}, 240_000);
