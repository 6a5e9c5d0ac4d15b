import type { Thumbprint } from '@cloister/protocol';
import type { LiveJob } from '../store/port.js';

export interface AskLimits {
  /** Jobs whose brokers are asked at the same time. */
  readonly total: number;
  /** Of one analyst. */
  readonly perAnalyst: number;
}

/** Asking costs a connection, and no machine: a broker that is silent must not keep a machine idle. */
export const ASK_LIMITS: AskLimits = { total: 32, perAnalyst: 4 };

/**
 * Whose brokers are asked next, where not all can be: those of the analyst of whom the fewest are under way, and of
 * equal ones the job that was asked for the least often, then the oldest. Pure.
 * @param due oldest first
 * @param underWay the analyst of every job that is being asked for
 */
export function chooseAsks(due: readonly LiveJob[], underWay: readonly Thumbprint[], limits: AskLimits): LiveJob[] {
  const counts = new Map<Thumbprint, number>();
  for (const analyst of underWay) counts.set(analyst, (counts.get(analyst) ?? 0) + 1);
  const count = ({ job }: LiveJob): number => counts.get(job.analyst) ?? 0;
  const waiting = due.toSorted((a, b) => (a.work?.tries ?? 0) - (b.work?.tries ?? 0));
  const chosen: LiveJob[] = [];
  while (underWay.length + chosen.length < limits.total) {
    const least = Math.min(...waiting.map(count));
    const next = waiting.findIndex(entry => count(entry) === least);
    const [entry] = next < 0 || least >= limits.perAnalyst ? [] : waiting.splice(next, 1);
    if (entry === undefined) break;
    counts.set(entry.job.analyst, least + 1);
    chosen.push(entry);
  }
  return chosen;
}
