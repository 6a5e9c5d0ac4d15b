import { AppError, SERVER_ROUTES, callRoute, type ClientDeps, type Digest, type Report } from '@cloister/protocol';
import { readInLargePieces } from '@cloister/sealing';
import type { AttemptName } from '../order.js';
import { withRetries, type RetryOptions } from '../retry.js';

/** Where an attempt's results go: outputs, then report, then the pointer to them. Each is created once. */
export interface Publisher {
  readonly output: (number: number, file: { readonly path: string; readonly digest: Digest; readonly size: number }) => Promise<void>;
  readonly index: (bytes: Uint8Array<ArrayBuffer>, digest: Digest) => Promise<void>;
  readonly report: (report: Report) => Promise<void>;
}

export function createPublisher(server: ClientDeps, { job, attempt }: AttemptName, options: RetryOptions): Publisher {
  const { signal } = options;
  return {
    output: (output, { path, digest, size }) =>
      created(options, () => callRoute(server, SERVER_ROUTES.putOutput, { params: { job, attempt, output }, body: readInLargePieces(path), stream: { digest, size }, signal })),
    index: (bytes, digest) =>
      created(options, () => callRoute(server, SERVER_ROUTES.putIndex, { params: { job, attempt }, body: whole(bytes), stream: { digest, size: bytes.length }, signal })),
    report: async body => {
      const { report } = await withRetries(() => callRoute(server, SERVER_ROUTES.putReport, { params: { job, attempt }, body, signal }), options);
      await withRetries(() => callRoute(server, SERVER_ROUTES.publishAttempt, { params: { job, attempt }, body: { report }, signal }), options);
    }
  };
}

/** After a lost answer the thing may be there already: only this attempt's key can have put it. At a first try it must not be. */
async function created(options: RetryOptions, put: () => Promise<unknown>): Promise<void> {
  let tries = 0;
  await withRetries(async () => {
    tries += 1;
    try {
      await put();
    } catch (error) {
      const ours = tries > 1 && error instanceof AppError && error.code === 'already_exists';
      if (!ours) throw error;
    }
  }, options);
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
  return undefined;
}
