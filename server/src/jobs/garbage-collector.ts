import type { Clock, Logger } from '@cloister/kit';
import type { BlobStore, Garbage } from '../blobs/port.js';
import type { FileRecord, ServerStore } from '../store/port.js';

/** A bundle that was stored and not submitted is kept so long. */
const UNUSED_BUNDLE_MS = 24 * 3600 * 1000;
const EVENTS_KEPT_MS = 30 * 24 * 3600 * 1000;
const SWEEP_EVERY_MS = 10 * 60 * 1000;
const BATCH = 100;

export interface GarbageCollector {
  /** Deletes what the outbox lists. Repeating it is harmless. */
  readonly collect: () => Promise<void>;
  /** Now and then: finds what nobody needs any more. */
  readonly sweep: () => Promise<void>;
  /** Writes down that a file is stored whole, unless it is being deleted this moment; then false. */
  readonly claim: (file: FileRecord) => Promise<boolean>;
}

interface GarbageDeps {
  readonly store: ServerStore;
  readonly blobs: BlobStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

export function createGarbageCollector({ store, blobs, clock, logger }: GarbageDeps): GarbageCollector {
  const inTurn = createTurns();
  let swept = 0;
  const collectOne = async (garbage: Garbage): Promise<void> => {
    if (await store.files.isGarbage(garbage)) await blobs.delete(garbage);
    await store.files.collected(garbage);
  };
  return {
    collect: async () => {
      for (const garbage of await store.files.garbage(BATCH)) {
        try {
          await inTurn(async () => collectOne(garbage));
        } catch (error) {
          // It stays listed, and the next round tries again.
          logger.warn({ err: error }, 'a blob could not be deleted');
        }
      }
    },
    sweep: async () => {
      const now = clock.now().getTime();
      if (now - swept < SWEEP_EVERY_MS) return;
      swept = now;
      await store.files.retireUnusedBundles(new Date(now - UNUSED_BUNDLE_MS));
      await store.events.prune(new Date(now - EVENTS_KEPT_MS));
    },
    claim: async file =>
      inTurn(async () => {
        if ((await blobs.open({ kind: file.kind, digest: file.digest })) === undefined) return false;
        await store.files.add(file, clock.now());
        return true;
      })
  };
}

/** One after another: between asking whether a blob is needed and deleting it, nobody may begin to need it. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async work => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
