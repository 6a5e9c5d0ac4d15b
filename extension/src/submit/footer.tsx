import { useId, type JSX } from 'react';
import { ProblemMessage } from '../components/parts/message';
import type { ISubmitContext } from './submit-context';
import { approversOf, blockersOf, type ISubmitState } from './submit-state';
import { visibleProblem } from './visible-problem';

export interface IFooterProps {
  readonly context: ISubmitContext;
  readonly state: ISubmitState;
}

/** The buttons, always in sight, and why Submit cannot be pressed where it cannot. */
export function Footer({ context: { model, trans }, state }: IFooterProps): JSX.Element {
  const id = useId();
  const [reason, ...others] = blockersOf(state, trans);
  const busy = state.phase !== 'ready';
  return (
    <div className="jp-Cloister-submit-footer">
      {state.problem !== undefined && state.draft !== undefined && <ProblemMessage problem={visibleProblem(state.problem, trans)} />}
      <div className="jp-Cloister-submit-footerRow">
        <div id={id} role="status" className="jp-Cloister-submit-why">
          {reason === undefined ? readyWords() : reason}
          {others.map(other => (
            <div key={other}>{other}</div>
          ))}
        </div>
        <button type="button" className="jp-Cloister-button" disabled={busy} onClick={() => void model.refresh()}>
          {trans.__('Refresh')}
        </button>
        <button type="button" className="jp-Cloister-button jp-mod-accent" disabled={reason !== undefined} aria-describedby={id} onClick={() => void model.submit()}>
          {state.phase === 'submitting' ? trans.__('Submitting…') : trans.__('Submit')}
        </button>
      </div>
    </div>
  );

  function readyWords(): string {
    const approvers = state.draft === undefined ? [] : approversOf(state.draft);
    if (approvers.length > 0) return trans.__('The job will wait for approval by %1. You can close this tab after submitting; the job goes on.', approvers.join(', '));
    return trans.__('You can close this tab after submitting; the job goes on.');
  }
}
