/** Reads the start of a stream piece by piece, then gives the rest of it as a stream. */
export interface ByteReader {
  /** The next `count` bytes, fewer only at the end of the stream. */
  readonly take: (count: number) => Promise<Uint8Array>;
  /** Whatever comes next, at least one byte, or undefined at the end. */
  readonly next: () => Promise<Uint8Array | undefined>;
  /** Puts bytes back in front of what comes next. */
  readonly unread: (bytes: Uint8Array) => void;
  readonly rest: () => AsyncGenerator<Uint8Array, undefined>;
  /** Tells the source that nobody reads on, which frees its descriptor or socket. */
  readonly close: () => Promise<void>;
}

export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let waiting: Uint8Array | undefined;
  let ended = false;

  const next = async (): Promise<Uint8Array | undefined> => {
    const kept = waiting;
    waiting = undefined;
    if (kept !== undefined && kept.length > 0) return kept;
    while (!ended) {
      const result = await iterator.next();
      if (result.done === true) ended = true;
      else if (result.value.length > 0) return result.value;
    }
    return undefined;
  };
  const unread = (bytes: Uint8Array): void => {
    waiting = waiting === undefined ? bytes : Buffer.concat([bytes, waiting]);
  };

  return {
    next,
    unread,
    take: async count => {
      let taken = await next();
      while (taken !== undefined && taken.length < count) {
        const more = await next();
        if (more === undefined) return taken;
        taken = Buffer.concat([taken, more]);
      }
      if (taken === undefined) return new Uint8Array();
      unread(taken.subarray(count));
      return taken.subarray(0, count);
    },
    rest: async function* () {
      for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
      return undefined;
    },
    close: async () => {
      if (ended) return;
      ended = true;
      await iterator.return?.();
    }
  };
}
