import { useEffect, useState, type JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { hasEnded } from '../model/jobs-rows';
import type { IOwnJob } from '../model/own-job';
import type { IJobs } from '../tokens';
import { nameOf, stateInWords } from '../words/job-words';

/** Tells screen readers what happens to jobs, but not each cell. */
export function Announcements({ jobs, trans }: { readonly jobs: IJobs; readonly trans: TranslationBundle }): JSX.Element {
  const [words, setWords] = useState('');
  useEffect(() => {
    const tell = (_: IJobs, own: IOwnJob): void => {
      if (hasEnded(own) || own.view.state === 'waiting') setWords(trans.__('%1: %2', nameOf(own, trans), stateInWords(own, trans)));
    };
    jobs.advanced.connect(tell);
    return () => void jobs.advanced.disconnect(tell);
  }, [jobs, trans]);
  return (
    <div className="jp-Cloister-visuallyHidden" aria-live="polite">
      {words}
    </div>
  );
}
