import { useId, type JSX } from 'react';
import { Section } from './section';
import type { ISubmitContext } from './submit-context';
import { LONGEST_PURPOSE, PURPOSE_COUNTED_FROM, purposeProblem, timeProblem, type ISubmitValues } from './submit-values';

export interface IRunSectionProps {
  readonly context: ISubmitContext;
  readonly values: ISubmitValues;
}

/** How long the notebook may run, and what it is for. */
export function RunSection(props: IRunSectionProps): JSX.Element {
  const { trans } = props.context;
  return (
    <Section title={trans.__('Run')}>
      <TimeLimit {...props} />
      <Purpose {...props} />
    </Section>
  );
}

function TimeLimit({ context: { model, trans }, values }: IRunSectionProps): JSX.Element {
  const id = useId();
  const problem = timeProblem(values, trans);
  return (
    <div className="jp-Cloister-submit-field">
      <label htmlFor={id}>{trans.__('Time limit')}</label>
      <div className="jp-Cloister-actions">
        <input
          id={id}
          type="text"
          inputMode="decimal"
          autoComplete="off"
          className="jp-Cloister-submit-input jp-mod-short"
          value={values.time}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-problem`}
          onChange={({ target }) => model.change({ time: target.value })}
        />
        <select
          className="jp-Cloister-submit-input jp-mod-short"
          aria-label={trans.__('Unit of the time limit')}
          value={values.unit}
          onChange={({ target }) => model.change({ unit: target.value === 'hours' ? 'hours' : 'minutes' })}
        >
          <option value="minutes">{trans.__('minutes')}</option>
          <option value="hours">{trans.__('hours')}</option>
        </select>
      </div>
      <p id={`${id}-problem`} role="status" className={problem === undefined ? 'jp-Cloister-faint' : 'jp-Cloister-submit-problem'}>
        {problem ?? trans.__('The notebook is stopped when it runs longer.')}
      </p>
    </div>
  );
}

function Purpose({ context: { model, trans }, values }: IRunSectionProps): JSX.Element {
  const id = useId();
  const { length } = values.purpose;
  const problem = purposeProblem(values, trans);
  const words = problem ?? trans.__('Owners who approve code read it. It travels sealed: the operator cannot.');
  return (
    <div className="jp-Cloister-submit-field">
      <label htmlFor={id}>{trans.__('Purpose')}</label>
      <textarea
        id={id}
        rows={3}
        className="jp-Cloister-submit-input"
        value={values.purpose}
        placeholder={trans.__('For example: waiting times by age group, for the yearly report')}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-problem`}
        onChange={({ target }) => model.change({ purpose: target.value })}
      />
      <p id={`${id}-problem`} role="status" className={problem === undefined ? 'jp-Cloister-faint' : 'jp-Cloister-submit-problem'}>
        {words} {length >= PURPOSE_COUNTED_FROM && problem === undefined && trans.__('%1 characters left.', LONGEST_PURPOSE - length)}
      </p>
    </div>
  );
}
