import { useId, type JSX } from 'react';
import { ProblemMessage } from '../components/parts/message';
import { visibleProblem } from './visible-problem';
import { CustodianChoice } from './custodians-section';
import type { ISubmitContext } from './submit-context';
import type { ISubmitState } from './submit-state';

export interface IFailedDraftProps {
  readonly context: ISubmitContext;
  readonly state: ISubmitState;
}

/** Why nothing could be packaged, with what a person can say here to mend it. */
export function FailedDraft({ context, state: { problem, values } }: IFailedDraftProps): JSX.Element | null {
  const { model, trans } = context;
  const id = useId();
  if (problem === undefined) return null;
  const again = (
    <button type="button" className="jp-Cloister-button" onClick={() => void model.refresh()}>
      {trans.__('Try again')}
    </button>
  );
  return (
    <>
      <ProblemMessage problem={visibleProblem(problem, trans)} actions={again} />
      {(problem.code === 'asset_not_literal' || values.assets !== '') && (
        <div className="jp-Cloister-submit-field">
          <label htmlFor={id}>{trans.__('Data that the notebook reads')}</label>
          <input
            id={id}
            type="text"
            autoComplete="off"
            spellCheck={false}
            className="jp-Cloister-submit-input"
            value={values.assets}
            placeholder={trans.__('hospital/visits, registry/outcomes')}
            aria-describedby={`${id}-help`}
            onChange={({ target }) => model.change({ assets: target.value })}
          />
          <p id={`${id}-help`} className="jp-Cloister-faint">
            {trans.__('Owner, slash, name; with commas between. Then press “Try again”.')}
          </p>
        </div>
      )}
      {problem.code === 'no_custodian' && <CustodianChoice context={context} chosen={values.custodians} draft={undefined} />}
    </>
  );
}
