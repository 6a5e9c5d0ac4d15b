import { createHeader, type AgeRecipient, type Digest } from '@cloister/protocol';
import { encryptPayload } from './payload.js';
import { createTally, type Tally } from './tally.js';

/** What is known once the last byte was sealed. */
export interface Sealed {
  /** Of the whole sealed file, header included. */
  readonly digest: Digest;
  /** Bytes of the whole sealed file. */
  readonly size: number;
  readonly plaintextDigest: Digest;
  readonly plaintextSize: number;
}

export interface SealingStream {
  /** The age header, which a descriptor signs as `wrapped`. */
  readonly header: Uint8Array;
  /** Opens the file without an identity. Secret: it leaves this process only sealed. */
  readonly fileKey: Uint8Array;
  /** The sealed file, header first. To be read once. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** Settles when `stream` ended; rejects where the source failed or the reader gave up. */
  readonly done: Promise<Sealed>;
}

/**
 * Seals a stream as a stock age v1 file. Both digests are taken of the very bytes that pass, so a file that
 * changes while it is read cannot be sealed under the digest of another state.
 */
export async function sealStream(
  source: AsyncIterable<Uint8Array>,
  recipients: readonly AgeRecipient[]
): Promise<SealingStream> {
  const { header, fileKey } = await createHeader(recipients);
  const done = createOutcome<Sealed>();
  // Who reads only `stream` sees its error there; `done` must not then end the process as unhandled.
  done.promise.catch(() => undefined);
  return { header, fileKey, stream: sealing(source, header, fileKey, done), done: done.promise };
}

async function* sealing(
  source: AsyncIterable<Uint8Array>,
  header: Uint8Array,
  fileKey: Uint8Array,
  done: Outcome<Sealed>
): AsyncGenerator<Uint8Array, undefined> {
  const sealed = createTally();
  const plain = createTally();
  try {
    sealed.add(header);
    yield header;
    for await (const bytes of encryptPayload(counted(source, plain), fileKey)) {
      sealed.add(bytes);
      yield bytes;
    }
    done.resolve({
      digest: sealed.digest(),
      size: sealed.size(),
      plaintextDigest: plain.digest(),
      plaintextSize: plain.size()
    });
  } catch (error) {
    done.reject(error);
    throw error;
  } finally {
    // Reached without an end or an error only where the reader left early; then nothing above has settled it.
    done.reject(new Error('the sealed stream was not read to its end'));
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, tally: Tally): AsyncGenerator<Uint8Array, undefined> {
  for await (const bytes of source) {
    tally.add(bytes);
    yield bytes;
  }
}

interface Outcome<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function createOutcome<T>(): Outcome<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
