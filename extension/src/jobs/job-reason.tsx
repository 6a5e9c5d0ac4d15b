import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IOwnJob } from '../model/own-job';
import { hasEnded } from '../model/jobs-rows';
import { ShownText } from '../components/parts/shown-text';
import { endInWords, turnInWords } from '../words/job-end-words';
import { useJobContext } from './job-context';

/** Why a job ended or waits, whose turn it is, and what the brokers said. Nothing where all goes its way. */
export function JobReason({ own }: { readonly own: IOwnJob }): JSX.Element | null {
  const { trans } = useJobContext();
  const { code, state } = own.view;
  if (code === undefined && own.denials.length === 0) return null;
  if (code === undefined) return <Denials denials={own.denials} trans={trans} />;
  const { turn, happened, next } = endInWords(code, trans);
  const stopped = hasEnded(own) && state !== 'cancelled';
  return (
    <div className={`jp-Cloister-jobs-reason ${stopped ? 'jp-mod-bad' : 'jp-mod-neutral'}`}>
      <p className="jp-Cloister-jobs-happened">{happened}</p>
      {isTriedAgain(own) ? (
        <p>{trans.__('Cloister tries again by itself; this is attempt %1.', own.view.attempt)}</p>
      ) : (
        <p>
          <strong>{turnInWords(turn, trans)}</strong> {next}
        </p>
      )}
      <Denials denials={own.denials} trans={trans} />
      <p className="jp-Cloister-faint">
        {trans.__('The operator’s reason:')} <ShownText text={code} trans={trans} code />
      </p>
    </div>
  );
}

/** The attempt before ended for that reason, and another one is under way. */
function isTriedAgain(own: IOwnJob): boolean {
  return !hasEnded(own) && own.view.attempt > 1;
}

function Denials({ denials, trans }: { readonly denials: readonly string[]; readonly trans: TranslationBundle }): JSX.Element | null {
  if (denials.length === 0) return null;
  return (
    <div>
      <p>{trans.__('What the brokers said:')}</p>
      <ul className="jp-Cloister-jobs-denials">
        {denials.map((denial, at) => (
          <li key={at}>
            <ShownText text={denial} trans={trans} />
          </li>
        ))}
      </ul>
    </div>
  );
}
