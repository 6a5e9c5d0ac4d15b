import { median } from './statistics.js';

export interface Pair<T, U> {
  readonly ours: T;
  readonly peer: U;
}

export interface Sides<T, U> {
  readonly ours: (run: number) => Promise<T>;
  readonly peer: (run: number) => Promise<U>;
}

/** Both sides in turns, each first every other time: so a load that comes or goes meets both alike. */
export async function takeTurns<T, U>(pairs: number, { ours, peer }: Sides<T, U>): Promise<Pair<T, U>[]> {
  const taken: Pair<T, U>[] = [];
  for (let run = 0; run < pairs; run += 1) {
    if (run % 2 === 0) {
      const first = await ours(run);
      taken.push({ ours: first, peer: await peer(run) });
    } else {
      const first = await peer(run);
      taken.push({ ours: await ours(run), peer: first });
    }
  }
  return taken;
}

export interface Compared {
  readonly ours: number;
  readonly peer: number;
  readonly ratio: number;
  readonly runs: number;
}

/** Medians of both sides, and the median of the pairs' ratios. */
export function compare(pairs: readonly Pair<number, number>[]): Compared {
  return {
    ours: median(pairs.map(({ ours }) => ours)),
    peer: median(pairs.map(({ peer }) => peer)),
    ratio: median(pairs.map(({ ours, peer }) => ours / peer)),
    runs: pairs.length
  };
}
