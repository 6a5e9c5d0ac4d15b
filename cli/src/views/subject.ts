import type { Digest, Outcome, ReportEvidence } from '@cloister/protocol';
import { printableLine } from '../terminal/printable.js';
import { formatTable } from '../terminal/table.js';

/** What a report is about, as it says itself. It is worth what the verdict is worth. */
export interface ReportSubject {
  readonly job: Digest;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly cells: { readonly done: number; readonly total: number };
  readonly started: string;
  readonly ended: string;
  readonly code: Digest;
  readonly image: Digest;
  readonly inputs: readonly { readonly name: string; readonly asset: Digest }[];
  /** Without the index. */
  readonly outputs: number;
}

export function subjectOf({ statement }: ReportEvidence): ReportSubject {
  const { job, attempt, outcome, cells, timing, code, image, inputs } = statement.predicate;
  return {
    job, attempt, outcome, cells, ...timing, code: code.digest, image,
    inputs: inputs.map(({ name, asset }) => ({ name, asset })),
    outputs: statement.subject.length - 1
  };
}

/** When, by whom, on what: the facts that a person wants first. Its lines fit 80 columns with whole digests. */
export function formatSubject(subject: ReportSubject): string {
  const { outcome, cells } = subject;
  const ended = outcome.status === 'succeeded' ? 'succeeded' : `failed (${outcome.code})`;
  return formatTable(
    [
      ['job', subject.job],
      ['ended', `${ended}, attempt ${subject.attempt}, ${cells.done} of ${cells.total} cells`],
      ['time', `${subject.started} to ${subject.ended}`],
      ['code', subject.code],
      ['image', subject.image],
      ['read', subject.inputs.map(input => printableLine(input.name)).join(', ') || 'no inputs'],
      ['wrote', `${subject.outputs} ${subject.outputs === 1 ? 'file' : 'files'} and an index`]
    ],
    { indent: 2 }
  );
}
