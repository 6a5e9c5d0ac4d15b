import type { RowChange } from './jobs-panel.js';

/**
 * Milliseconds from each change of a job to its row.
 * @param begun when each job changed, in order, by what its row calls it
 * @throws where a row changed more or fewer times than its job did: then nobody knows which change was which
 */
export function delaysOf(changes: readonly RowChange[], begun: ReadonlyMap<string, readonly number[]>): number[] {
  return [...begun].flatMap(([name, times]) => {
    const seen = changes.filter(change => change.name === name);
    if (seen.length !== times.length) throw new Error(`${name} changed ${times.length} times, its row ${seen.length} times: ${seen.map(({ said }) => said).join(', ')}`);
    return seen.map(({ at }, which) => at - (times[which] ?? Number.NaN));
  });
}
