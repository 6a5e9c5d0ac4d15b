import type { BlobStore } from '../blobs/port.js';
import type { ServerStore } from '../store/port.js';

/** State of each part: `ok`, or what is wrong, in words that tell nothing of jobs or paths. */
export type HealthChecks = () => Promise<Record<string, string>>;

interface HealthDeps {
  readonly store: Pick<ServerStore, 'ping'>;
  readonly blobs: Pick<BlobStore, 'ping'>;
  readonly trouble: () => string | undefined;
}

export function createHealthChecks({ store, blobs, trouble }: HealthDeps): HealthChecks {
  return async () => ({
    database: await stateOf(store.ping()),
    blobs: await stateOf(blobs.ping()),
    backend: trouble() ?? 'ok'
  });
}

async function stateOf(ping: Promise<void>): Promise<string> {
  try {
    await ping;
    return 'ok';
  } catch {
    return 'does not answer';
  }
}
