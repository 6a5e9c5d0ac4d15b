import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IJobPage } from '../model/own-job';
import type { IJobs } from '../tokens';

export interface IPagerProps {
  readonly page: IJobPage;
  readonly jobs: IJobs;
  readonly trans: TranslationBundle;
}

/** To newer and older jobs; nothing where all are on one page. */
export function Pager({ page, jobs, trans }: IPagerProps): JSX.Element | null {
  if (page.number === 1 && !page.hasNext) return null;
  const busy = page.status === 'loading';
  return (
    <nav className="jp-Cloister-jobs-pager" aria-label={trans.__('Pages of jobs')}>
      <button type="button" className="jp-Cloister-button" disabled={busy || page.number === 1} onClick={() => void jobs.previousPage()}>
        {trans.__('Newer')}
      </button>
      <span aria-live="polite">{trans.__('Page %1', page.number)}</span>
      <button type="button" className="jp-Cloister-button" disabled={busy || !page.hasNext} onClick={() => void jobs.nextPage()}>
        {trans.__('Older')}
      </button>
    </nav>
  );
}
