import { useEffect, useRef, type JSX } from 'react';
import { TERMINAL_STATES } from '@cloister/protocol';
import { Copyable } from '../components/parts/copyable';
import { Facts } from '../components/parts/facts';
import { stateInWords } from '../words/job-words';
import { shortDigest } from '../words/quantities';
import { Section } from './section';
import type { ISubmitContext } from './submit-context';
import type { ISubmitState } from './submit-state';

export interface ISubmittedViewProps {
  readonly context: ISubmitContext;
  readonly state: ISubmitState;
  /** The button that was pressed is gone: who uses a keyboard goes on here. */
  readonly takesFocus: boolean;
}

/** The job that came of the panel, live. */
export function SubmittedView({ context, state: { job, own }, takesFocus }: ISubmittedViewProps): JSX.Element | null {
  const { model, trans, showJob } = context;
  const focus = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (takesFocus) focus.current?.focus();
  }, [takesFocus]);
  if (job === undefined) return null;
  const ended = own !== undefined && TERMINAL_STATES.has(own.view.state);
  return (
    <div ref={focus} tabIndex={-1} className="jp-Cloister-submit-done">
      <Section title={trans.__('Submitted')}>
        <Facts
          facts={[
            { name: trans.__('Job'), value: <Copyable value={job} shown={shortDigest(job)} name={trans.__('job')} trans={trans} /> },
            { name: trans.__('Now'), value: <span role="status">{own === undefined ? trans.__('Submitted, waiting for news') : stateInWords(own, trans)}</span> }
          ]}
        />
        {ended ? <p>{trans.__('The job has ended. The list of jobs says how, and what came out of it.')}</p> : <p>{trans.__('You can close this tab, or JupyterLab: the job goes on.')}</p>}
        <div className="jp-Cloister-actions">
          {showJob !== undefined && (
            <button type="button" className="jp-Cloister-button jp-mod-accent" onClick={() => showJob(job)}>
              {trans.__('Show job')}
            </button>
          )}
          <button type="button" className="jp-Cloister-button" onClick={() => void model.startAnew()}>
            {trans.__('Submit another')}
          </button>
        </div>
      </Section>
    </div>
  );
}
