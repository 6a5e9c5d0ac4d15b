import { TERMINAL_STATES, type Digest, type JobEvent } from '@cloister/protocol';
import type { IOwnJob } from './own-job';

/** Whether nothing follows any more. */
export function hasEnded({ view }: IOwnJob): boolean {
  return TERMINAL_STATES.has(view.state);
}

/**
 * A job after an event. The same object where the event is older than what is known: events and replies cross on their
 * way, and a job never goes back. Report, outputs and denials come with its end, so there are none to keep.
 */
export function advance(known: IOwnJob, event: JobEvent): IOwnJob {
  if (event.version <= known.view.version) return known;
  const { job, id, createdAt } = known.view;
  const { state, attempt, version, time, code, cells } = event;
  const view = { job, id, createdAt, state, attempt, version, updatedAt: time, ...(code === undefined ? {} : { code }), ...(cells === undefined ? {} : { cells }) };
  return { ...known, view };
}

/**
 * What is known of a job after a reply about it. An older reply still tells what this machine remembers; and a list says
 * less than a reply about one job does, so what that one said of the same version stays.
 */
export function reconcile(known: IOwnJob | undefined, told: IOwnJob): IOwnJob {
  if (known === undefined || told.view.version > known.view.version) return told;
  if (told.view.version < known.view.version) return { ...told, view: known.view, denials: known.denials };
  return { ...told, view: { ...known.view, ...told.view }, denials: told.denials.length === 0 ? known.denials : told.denials };
}

/** Rows with one of them exchanged for its newer self; the same array where it is not among them. */
export function withChanged(rows: readonly IOwnJob[], changed: IOwnJob): readonly IOwnJob[] {
  const at = rows.findIndex(row => row.view.job === changed.view.job);
  return at === -1 ? rows : rows.with(at, changed);
}

/** Rows without one of them. */
export function without(rows: readonly IOwnJob[], job: Digest): readonly IOwnJob[] {
  return rows.some(row => row.view.job === job) ? rows.filter(row => row.view.job !== job) : rows;
}

/**
 * The first page with a job that it does not show yet, by age: a new one comes on top, and so do several that were fetched
 * out of order. One that is older than all of the page belongs to a later page, and changes nothing.
 */
export function withNewest(rows: readonly IOwnJob[], job: IOwnJob): readonly IOwnJob[] {
  if (rows.length === 0) return [job];
  if (rows.some(row => row.view.job === job.view.job)) return rows;
  const older = rows.findIndex(row => row.view.createdAt <= job.view.createdAt);
  return older === -1 ? rows : rows.toSpliced(older, 0, job);
}
