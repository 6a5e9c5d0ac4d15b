import type { Check, Equivocation, Verdict } from '@cloister/protocol';
import type { ReportSubject } from './subject.js';

/**
 * What `cloister verify --json` prints, described for other programs in docs/schemas/verify.v1.json. Members are added and
 * never changed under this name; whoever reads it ignores those it does not know.
 */
export interface VerifyJson {
  readonly schema: 'cloister.verify.v1';
  /** The time that was judged by. */
  readonly now: string;
  readonly reports: readonly VerifiedReportJson[];
  readonly equivocation: readonly Equivocation[];
  /** The exit code: 0 verified, 1 failed, 2 could not check, 3 simulated only. */
  readonly exit: number;
}

export interface VerifiedReportJson {
  readonly path: string;
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  /** Absent where the report cannot be read. */
  readonly subject?: ReportSubject;
}
