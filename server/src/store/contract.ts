import { createId, digestOf, toBase64Url, Thumbprint, CompactJws, type Digest } from '@cloister/protocol';
import { describe, expect, test } from 'vitest';
import type { AttemptRecord, JobRecord } from '../jobs/job.js';
import { transition, type JobInput } from '../jobs/transitions.js';
import type { NewJob, ServerStore, Submission } from './port.js';

const NOW = new Date('2026-03-01T12:00:00.000Z');
const later = (ms: number): Date => new Date(NOW.getTime() + ms);
const digest = (text: string): Digest => digestOf(new TextEncoder().encode(text));
const party = (text: string): Thumbprint => Thumbprint.parse(toBase64Url(Buffer.from(digest(text).slice(7), 'hex')));
const ANALYST = party('analyst');
const JWS = CompactJws.parse('e30.e30.c2ln');

export interface OpenStore {
  readonly store: ServerStore;
  /** How often a transaction with an event was committed. */
  readonly commits: () => number;
}

/** What every server store promises. Equal places share one database. */
export function describeServerStore(name: string, open: (place: string) => Promise<OpenStore>): void {
  let places = 0;
  const fresh = async (): Promise<OpenStore> => open(`place-${(places += 1)}`);

  describe(`${name}: jobs`, () => {
    test('a submission writes job, open work, event and key together', async () => {
      const { store, commits } = await fresh();
      const result = await submit(store, 'a', { idempotency: { key: 'k', bodyDigest: digest('body') } });
      expect(result.kind).toBe('created');
      expect(await store.jobs.live()).toEqual([
        { job: await store.jobs.find(digest('a')), work: { kind: 'start', notBefore: NOW, tries: 0 } }
      ]);
      expect(await store.events.after(ANALYST, 0, 10)).toMatchObject([{ job: digest('a'), state: 'queued', attempt: 0, version: 0 }]);
      expect(await store.jobs.manifest(digest('a'))).toBe(JWS);
      expect(commits()).toBe(1);
    });

    test('a submission without its bundle leaves nothing', async () => {
      const { store } = await fresh();
      const job = newJob('a');
      expect((await store.jobs.submit({ job, maxLiveJobs: 9, now: NOW })).kind).toBe('bundle_missing');
      expect(await store.jobs.find(job.job)).toBeUndefined();
      expect(await store.events.after(ANALYST, 0, 10)).toEqual([]);
    });

    test('the same manifest is the same job, and a key goes with one body only', async () => {
      const { store } = await fresh();
      const key = { key: 'k', bodyDigest: digest('body') };
      expect((await submit(store, 'a', { idempotency: key })).kind).toBe('created');
      expect((await submit(store, 'a', { idempotency: key })).kind).toBe('same');
      expect((await submit(store, 'a')).kind).toBe('same');
      expect((await submit(store, 'b', { idempotency: { ...key, bodyDigest: digest('other') } })).kind).toBe('conflict');
      expect(await store.jobs.find(digest('b'))).toBeUndefined();
      expect((await store.events.after(ANALYST, 0, 10)).length).toBe(1);
    });

    test('fifty equal submissions at once make one job', async () => {
      const { store } = await fresh();
      const results = await Promise.all(Array.from({ length: 50 }, () => submit(store, 'a')));
      expect(results.filter(result => result.kind === 'created')).toHaveLength(1);
      expect(results.filter(result => result.kind === 'same')).toHaveLength(49);
    });

    test('an analyst has a limit of live jobs', async () => {
      const { store } = await fresh();
      await submit(store, 'a', { maxLiveJobs: 2 });
      await submit(store, 'b', { maxLiveJobs: 2 });
      expect((await submit(store, 'c', { maxLiveJobs: 2 })).kind).toBe('too_many');
      await apply(store, 'a', { kind: 'cancel' });
      expect((await submit(store, 'c', { maxLiveJobs: 2 })).kind).toBe('created');
    });

    test('of many changes of one version one is made', async () => {
      const { store, commits } = await fresh();
      const job = await submitted(store, 'a');
      const to = transition(job, { kind: 'begin' }, NOW);
      const begun = attemptOf(job.job, 1);
      const results = await Promise.all(Array.from({ length: 20 }, async () => (to === undefined ? undefined : store.jobs.change(job, to, { now: NOW, begun }))));
      expect(results.filter(result => result !== undefined)).toHaveLength(1);
      expect(commits()).toBe(2);
      expect(await store.attempts.find(job.job, 1)).toEqual(begun);
    });

    test('an end is an end, and attempts only grow, whatever a program asks for', async () => {
      const { store } = await fresh();
      await submitted(store, 'a');
      const begun = await apply(store, 'a', { kind: 'begin' }, attemptOf(digest('a'), 1));
      await expect(store.jobs.change(begun, { state: 'queued', attempt: 0 }, { now: NOW })).rejects.toThrow();
      const ended = await apply(store, 'a', { kind: 'cancel' });
      await expect(store.jobs.change(ended, { state: 'running', attempt: 1 }, { now: NOW })).rejects.toThrow();
      expect(await store.jobs.find(digest('a'))).toEqual(ended);
    });

    test('open work is put off, done, and replaced by the next change', async () => {
      const { store } = await fresh();
      await submitted(store, 'a');
      await store.jobs.postpone(digest('a'), { kind: 'start', notBefore: later(500), tries: 3 });
      expect((await store.jobs.live())[0]?.work).toEqual({ kind: 'start', notBefore: later(500), tries: 3 });
      await apply(store, 'a', { kind: 'begin' }, attemptOf(digest('a'), 1));
      expect((await store.jobs.live())[0]?.work).toEqual({ kind: 'launch', notBefore: NOW, tries: 0 });
      await store.jobs.recordLaunched(digest('a'), 2);
      expect((await store.jobs.live())[0]?.work?.kind).toBe('launch');
      await store.jobs.recordLaunched(digest('a'), 1);
      expect((await store.jobs.live())[0]?.work).toBeUndefined();
    });

    test('pages are newest first, and a page goes on where the last one ended', async () => {
      const { store } = await fresh();
      for (let at = 0; at < 7; at += 1) await submit(store, `job ${at}`, { now: later(at < 4 ? 0 : at) });
      await submit(store, 'of another', { analyst: party('another') });
      const seen: JobRecord[] = [];
      for (let last: JobRecord | undefined; ; last = seen.at(-1)) {
        const after = last === undefined ? {} : { after: { createdAt: last.createdAt.getTime(), job: last.job } };
        const page = await store.jobs.list({ analyst: ANALYST, limit: 3, ...after });
        seen.push(...page);
        if (page.length < 3) break;
      }
      expect(seen).toHaveLength(7);
      expect(new Set(seen.map(job => job.job)).size).toBe(7);
      expect(seen.map(job => job.createdAt.getTime())).toEqual([6, 5, 4, 0, 0, 0, 0].map(ms => NOW.getTime() + ms));
      expect(await store.jobs.list({ analyst: ANALYST, state: 'running', limit: 3 })).toEqual([]);
    });

    test('a job that ended is forgotten with everything, and its bundle when no other job uses it', async () => {
      const { store } = await fresh();
      await submit(store, 'a', { bundle: digest('shared') });
      await submit(store, 'b', { bundle: digest('shared') });
      expect(await store.jobs.remove(digest('a'))).toBe(false);
      for (const job of ['a', 'b']) await apply(store, job, { kind: 'cancel' });
      expect(await store.jobs.remove(digest('a'))).toBe(true);
      expect(await store.jobs.find(digest('a'))).toBeUndefined();
      expect((await store.events.after(ANALYST, 0, 10)).every(event => event.job === digest('b'))).toBe(true);
      expect(await store.files.garbage(10)).toEqual([{ kind: 'job', job: digest('a') }]);
      expect((await submit(store, 'a', { bundle: digest('shared') })).kind).toBe('being_deleted');
      await store.files.collected({ kind: 'job', job: digest('a') });
      expect(await store.jobs.remove(digest('b'))).toBe(true);
      expect(await store.files.garbage(10)).toEqual([{ kind: 'job', job: digest('b') }, { kind: 'bundle', digest: digest('shared') }]);
      expect(await store.files.find('bundle', digest('shared'))).toBeUndefined();
    });

    test('everything is there after the store is opened again', async () => {
      const first = await open('again');
      await submit(first.store, 'a');
      const secret = await first.store.secrets.get('cursor');
      await first.store.close();
      const { store } = await open('again');
      expect((await store.jobs.live()).map(live => live.job.job)).toEqual([digest('a')]);
      expect(await store.secrets.get('cursor')).toBe(secret);
      expect(await store.secrets.get('server')).not.toBe(secret);
    });
  });

  describe(`${name}: attempts`, () => {
    test('an attempt is bound to one key for ever', async () => {
      const { store } = await withAttempt(fresh);
      const [ours, theirs] = [{ key: party('key'), image: digest('image') }, { key: party('other'), image: digest('image') }];
      const results = await Promise.all([store.attempts.bind(digest('a'), 1, ours), store.attempts.bind(digest('a'), 1, ours), store.attempts.bind(digest('a'), 1, theirs)]);
      expect(results).toEqual(['bound', 'same', 'other']);
      expect(await store.attempts.bind(digest('a'), 2, ours)).toBe('other');
      expect((await store.attempts.find(digest('a'), 1))?.key).toBe(ours.key);
    });

    test('outputs and the report are written once', async () => {
      const { store } = await withAttempt(fresh);
      const output = { name: 'output/10', digest: digest('o'), size: 1 };
      expect(await store.attempts.addOutput(digest('a'), 1, { name: 'index', digest: digest('i'), size: 2 })).toBe('added');
      expect(await store.attempts.addOutput(digest('a'), 1, output)).toBe('added');
      expect(await store.attempts.addOutput(digest('a'), 1, { ...output, name: 'output/9' })).toBe('added');
      expect(await store.attempts.addOutput(digest('a'), 1, output)).toBe('same');
      expect(await store.attempts.addOutput(digest('a'), 1, { ...output, digest: digest('x') })).toBe('other');
      expect(await store.attempts.addOutput(digest('a'), 2, output)).toBe('gone');
      expect((await store.attempts.outputs(digest('a'), 1)).map(subject => subject.name)).toEqual(['output/9', 'output/10', 'index']);
      const report = { digest: digest('r'), outcome: { status: 'failed', code: 'cell_failed' } } as const;
      expect(await store.attempts.addReport(digest('a'), 1, report)).toBe('added');
      expect(await store.attempts.addReport(digest('a'), 1, report)).toBe('same');
      expect(await store.attempts.addReport(digest('a'), 1, { ...report, digest: digest('x') })).toBe('other');
      expect(await store.attempts.report(digest('a'), 1)).toEqual(report);
    });

    test('the last word of a runner that gave up is kept beside the job', async () => {
      const { store } = await withAttempt(fresh);
      await store.attempts.claimFailure(digest('a'), 1, { code: 'unavailable', denials: [] });
      await store.attempts.claimFailure(digest('a'), 1, { code: 'release_denied', denials: [JWS] });
      expect((await store.jobs.live())[0]?.claim).toEqual({ code: 'release_denied', denials: [JWS] });
    });
  });

  describe(`${name}: catalog and files`, () => {
    test('the newest version of each asset is listed, older ones can still be found', async () => {
      const { store } = await fresh();
      const asset = (owner: string, name: string, version: number) =>
        ({ asset: digest(`${owner}/${name}/${version}`), owner: party(owner), name, version, descriptor: JWS }) as const;
      const all = [asset('x', 'one', 1), asset('x', 'one', 2), asset('x', 'two', 1), asset('y', 'one', 5)];
      for (const item of all) expect(await store.catalog.add(item, NOW)).toBe('added');
      expect(await store.catalog.add(asset('x', 'one', 2), NOW)).toBe('same');
      expect(await store.catalog.add({ ...asset('x', 'one', 2), asset: digest('changed') }, NOW)).toBe('other');
      const names = async (page: Partial<Parameters<typeof store.catalog.list>[0]>): Promise<string[]> =>
        (await store.catalog.list({ limit: 10, ...page })).map(item => `${item.name} ${item.version}`);
      expect((await names({})).sort()).toEqual(['one 2', 'one 5', 'two 1']);
      expect(await names({ owner: party('x') })).toEqual(['one 2', 'two 1']);
      expect(await names({ owner: party('x'), after: { owner: party('x'), name: 'one' } })).toEqual(['two 1']);
      expect((await store.catalog.find(digest('x/one/1')))?.owner).toBe(party('x'));
    });

    test('bundles that no job uses go when nobody stores them again', async () => {
      const { store } = await fresh();
      const bundle = (name: string) => ({ kind: 'bundle', digest: digest(name), size: 5, by: ANALYST }) as const;
      await submit(store, 'a', { bundle: digest('used') });
      await store.files.add(bundle('old'), NOW);
      await store.files.add(bundle('renewed'), NOW);
      expect(await store.files.unusedBundleBytes(ANALYST)).toBe(10);
      await store.files.add(bundle('renewed'), later(1000));
      await store.files.retireUnusedBundles(later(500));
      expect(await store.files.garbage(10)).toEqual([{ kind: 'bundle', digest: digest('old') }]);
      expect(await store.files.isGarbage({ kind: 'bundle', digest: digest('old') })).toBe(true);
      await store.files.add(bundle('old'), later(2000));
      expect(await store.files.garbage(10)).toEqual([]);
      expect(await store.files.isGarbage({ kind: 'bundle', digest: digest('old') })).toBe(false);
      expect(await store.files.find('bundle', digest('used'))).toBeDefined();
    });
  });

  describe(`${name}: events and proofs`, () => {
    test('events of one analyst come in order, numbers are never used again', async () => {
      const { store } = await fresh();
      await submit(store, 'a');
      await submit(store, 'of another', { analyst: party('another') });
      await apply(store, 'a', { kind: 'cancel' });
      const events = await store.events.after(ANALYST, 0, 10);
      expect(events.map(event => event.state)).toEqual(['queued', 'cancelled']);
      expect(await store.events.after(ANALYST, events[0]?.seq ?? 0, 10)).toEqual(events.slice(1));
      const last = await store.events.last();
      await store.events.prune(later(1));
      expect(await store.events.after(ANALYST, 0, 10)).toEqual([]);
      await submit(store, 'b');
      expect((await store.events.after(ANALYST, 0, 10))[0]?.seq).toBeGreaterThan(last);
    });

    test('a proof is taken once, also by fifty at once, until nobody could use it any more', async () => {
      const { store } = await fresh();
      const results = await Promise.all(Array.from({ length: 50 }, () => store.proofs.remember('one', later(1000), NOW)));
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await store.proofs.remember('two', later(1000), NOW)).toBe(true);
      expect(await store.proofs.remember('one', later(60_000), later(500))).toBe(false);
      expect(await store.proofs.remember('one', later(60_000), later(30_000))).toBe(true);
    });

    test('answers a ping', async () => {
      const { store } = await fresh();
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}

interface SubmitOptions extends Partial<Omit<Submission, 'job'>> {
  readonly bundle?: Digest;
  readonly analyst?: Thumbprint;
}

function newJob(name: string, options: SubmitOptions = {}): NewJob {
  return {
    job: digest(name),
    id: createId(NOW),
    analyst: options.analyst ?? ANALYST,
    manifest: JWS,
    bundle: options.bundle ?? digest(`bundle of ${name}`),
    notAfter: later(3_600_000),
    maxAttempts: 2
  };
}

async function submit(store: ServerStore, name: string, options: SubmitOptions = {}) {
  const job = newJob(name, options);
  const { now = NOW, maxLiveJobs = 1000, idempotency } = options;
  await store.files.add({ kind: 'bundle', digest: job.bundle, size: 3, by: job.analyst }, now);
  return store.jobs.submit({ job, now, maxLiveJobs, ...(idempotency === undefined ? {} : { idempotency }) });
}

async function submitted(store: ServerStore, name: string): Promise<JobRecord> {
  const result = await submit(store, name);
  if (!('job' in result)) throw new Error(result.kind);
  return result.job;
}

function attemptOf(job: Digest, attempt: number): AttemptRecord {
  return { job, attempt, requestId: '0190163d-8694-7391-8d3c-000000000001', maxRunSeconds: 60, createdAt: NOW };
}

async function apply(store: ServerStore, name: string, input: JobInput, begun?: AttemptRecord): Promise<JobRecord> {
  const job = await store.jobs.find(digest(name));
  const to = job === undefined ? undefined : transition(job, input, NOW);
  const changed = job === undefined || to === undefined ? undefined : await store.jobs.change(job, to, { now: NOW, ...(begun === undefined ? {} : { begun }) });
  if (changed === undefined) throw new Error(`${name} did not take ${input.kind}`);
  return changed;
}

async function withAttempt(fresh: () => Promise<OpenStore>): Promise<OpenStore> {
  const opened = await fresh();
  await submitted(opened.store, 'a');
  await apply(opened.store, 'a', { kind: 'begin' }, attemptOf(digest('a'), 1));
  return opened;
}
