import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine } from '@cloister/protocol';

export interface IEmptyListProps {
  /** What was searched for; empty where there are no jobs at all. */
  readonly search: string;
  readonly onShowAll: () => void;
  readonly trans: TranslationBundle;
}

/** No jobs: what the first step is, or how to get back from a search. */
export function EmptyList({ search, onShowAll, trans }: IEmptyListProps): JSX.Element {
  if (search !== '') {
    return (
      <div className="jp-Cloister-jobs-empty" role="status">
        <p>{trans.__('No job sent from this machine has “%1” in its notebook’s name or its purpose.', visibleLine(search, 60))}</p>
        <div className="jp-Cloister-actions">
          <button type="button" className="jp-Cloister-button" onClick={onShowAll}>
            {trans.__('Show all jobs')}
          </button>
        </div>
      </div>
    );
  }
  return (
    <div className="jp-Cloister-jobs-empty">
      <h3>{trans.__('No jobs yet')}</h3>
      <p>{trans.__('A job runs your notebook on data that you may not see, and brings back its outputs with a proof.')}</p>
      <ol>
        <li>{trans.__('Open a notebook, and run it on the mock data.')}</li>
        <li>{trans.__('Press Submit to TEE in its toolbar.')}</li>
        <li>{trans.__('Watch the job here, and open its outputs when it has finished.')}</li>
      </ol>
    </div>
  );
}
