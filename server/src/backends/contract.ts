import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Digest } from '@cloister/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { instanceName, type Instance, type LaunchRequest, type TeeBackend } from './port.js';

export interface BackendFixture {
  readonly backend: TeeBackend;
  /** Another backend over the same state, as the next daemon makes it. */
  reopen(): TeeBackend;
  /** Environment, allowed by the image, that makes the workload stay until it is ended, or end at once. */
  environment(workload: 'stays' | 'ends'): Record<string, string>;
  /** From now on the image is another. */
  changeImage(): Promise<void>;
  /** Ends and removes everything. */
  dispose(): Promise<void>;
}

const DEADLINE_MS = 20_000;
const never = new AbortController().signal;
const jobs = { first: job('1'), second: job('2'), likeFirst: Digest.parse(`sha256:${'1'.repeat(63)}0`) };

function job(digit: string): Digest {
  return Digest.parse(`sha256:${digit.repeat(64)}`);
}

/** Asks until the instance is as wanted, and fails after 20 s. */
export async function waitForInstance(backend: TeeBackend, name: string, wanted: (instance: Instance) => boolean): Promise<Instance> {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const instance = await backend.get(name);
    if (instance !== undefined && wanted(instance)) return instance;
    await wait(25);
  }
  throw new Error(`${name} did not become as wanted: ${JSON.stringify(await backend.get(name))}`);
}

/** What every backend must do; a new one passes this before anything uses it. */
export function describeTeeBackend(kind: string, makeFixture: () => Promise<BackendFixture>): void {
  let fixture: BackendFixture;
  let backend: TeeBackend;

  const request = (changes: Partial<LaunchRequest> = {}): LaunchRequest => ({
    name: instanceName(changes.job ?? jobs.first, changes.attempt ?? 1),
    job: jobs.first,
    attempt: 1,
    requestId: randomUUID(),
    env: fixture.environment('stays'),
    labels: { 'cloister-owner': 'here' },
    maxRunSeconds: 120,
    ...changes
  });
  const running = (instance: Instance): boolean => instance.status === 'running';
  const terminated = (instance: Instance): boolean => instance.status === 'terminated';

  describe(`TEE backend ${kind}`, () => {
    beforeEach(async () => {
      fixture = await makeFixture();
      backend = fixture.backend;
    });
    afterEach(() => fixture.dispose());

    describeLaunch();
    describeLifecycle();
  });

  function describeLaunch(): void {
    test('an instance comes up under its name, with its labels and a measured image', async () => {
      const launched = await backend.launch(request(), never);
      expect(launched).toMatchObject({ name: instanceName(jobs.first, 1), labels: { 'cloister-owner': 'here' } });
      const instance = await waitForInstance(backend, launched.name, running);
      expect(Digest.safeParse(instance.imageDigest).success).toBe(true);
      expect(instance.exitCode).toBeUndefined();
    });

    test('the same launch ten times at once, and once more later, makes one instance', async () => {
      const same = request();
      const launched = await Promise.all(Array.from({ length: 10 }, () => backend.launch(same, never)));
      await waitForInstance(backend, same.name, running);
      const again = await backend.launch(same, never);
      expect(new Set([...launched, again].map(instance => instance.launchedAt)).size).toBe(1);
      expect(await backend.list()).toHaveLength(1);
    });

    test.each([
      { what: 'job', changes: { job: jobs.likeFirst } },
      { what: 'attempt', changes: { attempt: 2, name: instanceName(jobs.first, 1) } },
      { what: 'environment', changes: { env: {} } }
    ])('a name that another $what holds is refused', async ({ changes }) => {
      const first = await backend.launch(request(), never);
      await expect(backend.launch(request(changes), never)).rejects.toMatchObject({ code: 'already_exists' });
      expect((await backend.list()).map(instance => instance.launchedAt)).toEqual([first.launchedAt]);
    });

    test('a name that another image holds is refused, and a new attempt has the new image', async () => {
      await backend.launch(request(), never);
      const before = await waitForInstance(backend, instanceName(jobs.first, 1), running);
      await fixture.changeImage();
      await expect(backend.launch(request(), never)).rejects.toMatchObject({ code: 'already_exists' });
      await backend.launch(request({ attempt: 2 }), never);
      const after = await waitForInstance(backend, instanceName(jobs.first, 2), running);
      expect(after.imageDigest).not.toBe(before.imageDigest);
    });

    test.each([
      { what: 'an environment name that the image does not allow', changes: { env: { NODE_OPTIONS: '--inspect' } } },
      { what: 'a label that is none', changes: { labels: { 'Not A Label': 'x' } } },
      { what: 'a run without end', changes: { maxRunSeconds: 1e9 } },
      { what: 'a name with a path in it', changes: { name: '../../job-1111111111111111-a1' } }
    ])('refuses $what and stores nothing', async ({ changes }) => {
      await expect(backend.launch(request(changes), never)).rejects.toMatchObject({ code: 'launch_failed' });
      expect(await backend.list()).toEqual([]);
    });

    test('an aborted launch starts nothing', async () => {
      await expect(backend.launch(request(), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
      expect(await backend.list()).toEqual([]);
    });
  }

  function describeLifecycle(): void {
    test('lists every instance, and gets none under a name that was never launched', async () => {
      await Promise.all([backend.launch(request(), never), backend.launch(request({ job: jobs.second }), never)]);
      const names = (await backend.list()).map(instance => instance.name).sort();
      expect(names).toEqual([instanceName(jobs.first, 1), instanceName(jobs.second, 1)]);
      expect(await backend.get(instanceName(jobs.first, 9))).toBeUndefined();
      expect(await backend.get('../instances')).toBeUndefined();
    });

    test('a workload that ends stays listed until it is deleted', async () => {
      const { name } = await backend.launch(request({ env: fixture.environment('ends') }), never);
      await waitForInstance(backend, name, terminated);
      expect(await backend.list()).toHaveLength(1);
      await backend.delete(name);
      expect(await backend.list()).toEqual([]);
    });

    test('deleting ends what runs; deleting what is missing succeeds; the name is free again', async () => {
      const { name } = await backend.launch(request(), never);
      await waitForInstance(backend, name, running);
      await Promise.all([backend.delete(name), backend.delete(name)]);
      await backend.delete(name);
      await backend.delete('../../etc');
      expect(await backend.get(name)).toBeUndefined();
      await backend.launch(request({ env: fixture.environment('ends') }), never);
      await waitForInstance(backend, name, terminated);
    });

    test('an instance ends by itself when its time is over', async () => {
      const { name } = await backend.launch(request({ maxRunSeconds: 1 }), never);
      await waitForInstance(backend, name, terminated);
    });

    test('the next daemon finds what runs, launches it no second time, and can delete it', async () => {
      const same = request();
      const first = await backend.launch(same, never);
      const next = fixture.reopen();
      expect(await next.list()).toMatchObject([{ name: same.name, launchedAt: first.launchedAt }]);
      expect(await next.launch(same, never)).toMatchObject({ launchedAt: first.launchedAt });
      await next.delete(same.name);
      expect(await backend.list()).toEqual([]);
    });
  }
}
