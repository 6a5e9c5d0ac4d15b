import { access } from 'node:fs/promises';
import type { JobView, OwnJob } from '@cloister/protocol';
import type { JobRecord } from '../job/job-folder.js';
import { reportIn } from '../results/open-results.js';

export interface OwnJobParts {
  readonly view: JobView;
  /** Undefined for a job that another machine sent. */
  readonly record: JobRecord | undefined;
  readonly denials?: readonly string[];
}

/**
 * A job as a page shows it. Results are named only while they are there: a person may have moved them, and can then open
 * them anew.
 * @param name an absolute path as requests name it
 */
export async function viewOfOwnJob({ view, record, denials = [] }: OwnJobParts, name: (path: string) => string): Promise<OwnJob> {
  if (record === undefined) return { view, denials: [...denials] };
  const { notebook, purpose, inputs, createdAt } = record;
  return {
    view,
    notebook: name(notebook),
    purpose,
    inputs: inputs.map(input => input.name),
    createdAt,
    ...(await openedResults(record, name)),
    denials: [...denials]
  };
}

async function openedResults(record: JobRecord, name: (path: string) => string): Promise<Pick<OwnJob, 'results' | 'report'>> {
  const { results } = record;
  if (results === undefined || !(await isThere(results))) return {};
  const report = reportIn(results, record);
  return { results: name(results), ...((await isThere(report)) ? { report: name(report) } : {}) };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  );
}
