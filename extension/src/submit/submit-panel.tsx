import { useRef, type JSX } from 'react';
import { visibleLine } from '@cloister/protocol';
import { AgentTrouble } from '../components/parts/agent-trouble';
import { Message } from '../components/parts/message';
import { useSignalled } from '../jobs/use-signalled';
import { CustodiansSection } from './custodians-section';
import { DataSection } from './data-section';
import { FailedDraft } from './failed-draft';
import { Footer } from './footer';
import { NotebookNotice } from './notebook-notice';
import { PackageSection } from './package-section';
import { RunSection } from './run-section';
import { SecretsSection } from './secrets-section';
import type { ISubmitContext } from './submit-context';
import type { ISubmitState } from './submit-state';
import { SubmittedView } from './submitted-view';

/** Everything that a person sees before and after she submits one notebook. */
export function SubmitPanel({ context }: { readonly context: ISubmitContext }): JSX.Element {
  const { model, agent, trans } = context;
  const state = useSignalled(model.changed, () => model.state);
  // A restored panel must not take the focus from where a person is.
  const pressed = useRef(false);
  if (state.phase === 'submitting') pressed.current = true;
  const name = visibleLine(model.path.split('/').at(-1) ?? model.path, 120);
  return (
    <div className="jp-Cloister jp-Cloister-submit">
      <div className="jp-Cloister-submit-scroll">
        <div className="jp-Cloister-submit-page">
          <div className="jp-Cloister-submit-head">
            <h1>{trans.__('Submit %1', name)}</h1>
            <p>{trans.__('It runs in a TEE, on data that you may not see. You get back its outputs, and a report that proves what ran.')}</p>
          </div>
          <AgentTrouble agent={agent} trans={trans} />
          {state.phase === 'submitted' ? <SubmittedView context={context} state={state} takesFocus={pressed.current} /> : <Form context={context} state={state} />}
        </div>
      </div>
      {state.phase !== 'submitted' && <Footer context={context} state={state} />}
    </div>
  );
}

interface IFormProps {
  readonly context: ISubmitContext;
  readonly state: ISubmitState;
}

function Form({ context, state }: IFormProps): JSX.Element {
  const { draft, phase } = state;
  const drafting = phase === 'drafting' || phase === 'waiting';
  return (
    <>
      <NotebookNotice context={context} state={state} />
      <div role="status" className="jp-Cloister-submit-progress">
        {drafting && draft !== undefined && context.trans.__('Packaging again and asking the owners…')}
      </div>
      {/* Run stays in its place, so that nobody who types there is interrupted when the draft comes. */}
      <div className="jp-Cloister-submit-sections" aria-busy={drafting}>
        {draft === undefined ? (
          <NoDraft context={context} state={state} drafting={drafting} />
        ) : (
          <>
            <PackageSection draft={draft} trans={context.trans} />
            <SecretsSection context={context} draft={draft} accepted={state.secretsAccepted} />
            <DataSection context={context} draft={draft} mocks={state.mocks} />
          </>
        )}
        <RunSection context={context} values={state.values} />
        {draft !== undefined && <CustodiansSection context={context} chosen={state.values.custodians} draft={draft} />}
      </div>
    </>
  );
}

function NoDraft({ context, state, drafting }: IFormProps & { readonly drafting: boolean }): JSX.Element {
  return drafting ? <Skeleton context={context} /> : <FailedDraft context={context} state={state} />;
}

function Skeleton({ context: { trans } }: Pick<IFormProps, 'context'>): JSX.Element {
  return (
    <Message tone="info" title={trans.__('Packaging and asking the owners…')}>
      <p>{trans.__('Nothing but the job’s terms leaves this machine before you press Submit.')}</p>
      <div className="jp-Cloister-submit-skeleton" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
    </Message>
  );
}
