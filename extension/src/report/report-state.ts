import type { ShownCheck, Verdict } from '@cloister/protocol';
import type { IProblem } from '../model/problem';
import type { IReportView } from './report-view';

/** Whose trust a report was verified by. */
export type ITrustSource =
  | { readonly kind: 'own'; readonly where: string; readonly owners: number; readonly verifiers: number; readonly images: number; readonly hasPolicy: boolean }
  | { readonly kind: 'none'; readonly problem: IProblem };

/** What the agent, which reads files, says of the folder that the report lies in. */
export type IComparison =
  | { readonly kind: 'running'; readonly folder: string }
  | { readonly kind: 'done'; readonly folder: string; readonly verdict: Verdict; readonly outputs: ShownCheck }
  | { readonly kind: 'failed'; readonly folder: string; readonly problem: IProblem };

/** All that is known of the report in front of the reader. */
export interface IReportState {
  /** Path within JupyterLab's folder. */
  readonly path: string;
  readonly checking: boolean;
  readonly view?: IReportView;
  readonly checkedAt?: Date;
  readonly trust?: ITrustSource;
  /** Why nothing could be checked at all; then there is no view. */
  readonly obstacle?: IProblem;
  readonly comparison?: IComparison;
}

/**
 * The verdict of the page: of the report, unless the agent saw something that contradicts in the folder. A check that did not
 * run is never a yes.
 */
export function overallVerdict({ view, comparison }: IReportState): Verdict {
  if (view === undefined) return 'inconclusive';
  return comparison?.kind === 'done' && comparison.verdict === 'failed' ? 'failed' : view.verdict;
}
