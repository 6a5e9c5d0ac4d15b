import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type Verdict } from '@cloister/protocol';
import { Message, ProblemMessage } from '../components/parts/message';
import { notProven, verdictMeaning } from '../words/verdict-words';
import { ByYourself } from './by-yourself';
import { Questions, CheckItem } from './questions';
import { overallVerdict, type IComparison, type IReportState } from './report-state';
import { Inputs, Outputs, Times } from './run-contents';
import { TokenDetails } from './token-details';
import { VerdictBanner } from './verdict-banner';
import { Witnesses } from './witnesses';

export interface IReportPageProps {
  readonly state: IReportState;
  readonly workspace?: string;
  readonly trans: TranslationBundle;
  readonly onCheckAgain: () => void;
  readonly onDownload: () => void;
}

/** An attestation report for people: the verdict, what it means, the questions, the contents, and how to check it elsewhere. */
export function ReportPage(props: IReportPageProps): JSX.Element {
  const { state, workspace, trans, onCheckAgain, onDownload } = props;
  const nothingYet = state.view === undefined && state.obstacle === undefined;
  const outputs = state.comparison?.folder;
  return (
    <article className={`jp-Cloister-report-page jp-mod-${overallVerdict(state)}`} aria-label={trans.__('Attestation report %1', visibleLine(state.path))} aria-busy={state.checking}>
      {nothingYet ? (
        <p role="status" className="jp-Cloister-report-waiting">
          {trans.__('Checking the report…')}
        </p>
      ) : (
        <>
          <VerdictBanner state={state} trans={trans} onCheckAgain={onCheckAgain} />
          <Troubles state={state} trans={trans} />
          <Meaning state={state} trans={trans} />
          <Contents state={state} trans={trans} />
        </>
      )}
      <ByYourself
        path={state.path}
        trans={trans}
        onDownload={onDownload}
        {...(outputs === undefined ? {} : { outputs })}
        {...(workspace === undefined ? {} : { workspace })}
      />
    </article>
  );
}

interface IPartProps {
  readonly state: IReportState;
  readonly trans: TranslationBundle;
}

/** What stands in the way of an answer, and what the agent saw in the folder. */
function Troubles({ state, trans }: IPartProps): JSX.Element {
  const { obstacle, trust, view, comparison } = state;
  return (
    <>
      {obstacle !== undefined && <ProblemMessage problem={obstacle} tone="caution" />}
      {trust?.kind === 'none' && (
        <Message tone="caution" title={trans.__('No trust settings could be read, so this page knows nobody whose word would count.')}>
          <p>{trust.problem.title}</p>
          <p>{trust.problem.hint}</p>
        </Message>
      )}
      {view?.unreadable !== undefined && (
        <Message tone="bad" title={trans.__('This file cannot be read as an attestation report: %1', visibleLine(view.unreadable))}>
          <p>{trans.__('It may have been damaged or cut off on the way, or changed. Ask whoever sent it for the original file.')}</p>
        </Message>
      )}
      {comparison !== undefined && <Comparison comparison={comparison} verdict={overallVerdict(state)} trans={trans} />}
    </>
  );
}

function Comparison({ comparison, verdict, trans }: { readonly comparison: IComparison; readonly verdict: Verdict; readonly trans: TranslationBundle }): JSX.Element {
  const folder = visibleLine(comparison.folder === '' ? '.' : comparison.folder);
  switch (comparison.kind) {
    case 'running':
      return <Message tone="neutral" title={trans.__('The agent compares the files in %1…', folder)} />;
    case 'failed':
      return (
        <Message tone="caution" title={trans.__('The files in %1 could not be compared with the report.', folder)}>
          <p>{comparison.problem.title}</p>
          <p>{comparison.problem.hint}</p>
        </Message>
      );
    case 'done':
      return (
        <Message tone={comparisonTone(comparison, verdict)} title={trans.__('The agent also compared the files in this folder: %1', folder)}>
          <p>{comparisonWords(comparison, trans)}</p>
          {comparison.outputs.status !== 'pass' && (
            <ul className="jp-Cloister-checks">
              <CheckItem check={comparison.outputs} trans={trans} />
            </ul>
          )}
        </Message>
      );
  }
}

type DoneComparison = Extract<IComparison, { kind: 'done' }>;

/** Green only where both say so: the agent read the report's file anew, and it may be another by now. */
function comparisonTone({ verdict, outputs }: DoneComparison, onPage: Verdict): 'good' | 'bad' | 'caution' | 'neutral' {
  if (verdict === 'failed' || outputs.status === 'fail') return 'bad';
  if (outputs.status !== 'pass') return 'caution';
  return verdict === 'verified' && onPage === 'verified' ? 'good' : 'neutral';
}

function comparisonWords({ verdict, outputs }: DoneComparison, trans: TranslationBundle): string {
  switch (outputs.status) {
    case 'pass':
      return verdict === 'failed' ? trans.__('They are the ones of this report, but the agent found something else that contradicts. Check again.') : trans.__('They are exactly the ones that came out of this run.');
    case 'fail':
      return trans.__('They are not the ones that came out of this run. Do not rely on them; open the outputs again from the job.');
    case 'unknown':
    case 'skipped':
    case 'simulated':
      return trans.__('They could not be compared.');
  }
}

function Meaning({ state, trans }: IPartProps): JSX.Element {
  const { obstacle } = state;
  const meaning = obstacle === undefined ? verdictMeaning(overallVerdict(state), trans) : trans.__('Nothing was checked. The report may be good or bad; nobody can say from this page.');
  return (
    <div className="jp-Cloister-meaning">
      <section aria-label={trans.__('What this means')}>
        <h2>{trans.__('What this means')}</h2>
        <p>{meaning}</p>
      </section>
      <section aria-label={trans.__('What it does not prove')}>
        <h2>{trans.__('What it does not prove')}</h2>
        <p>{trans.__('Even a verified report does not prove')}</p>
        <ul>
          {notProven(trans).map(item => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      </section>
    </div>
  );
}

/** Of a file that is no report all questions but one were never asked: the message says what is wrong with it. */
function Contents({ state: { view }, trans }: IPartProps): JSX.Element | null {
  if (view === undefined || view.unreadable !== undefined) return null;
  const { checks, run, token } = view;
  return (
    <>
      <Questions checks={checks} trans={trans} />
      {run !== undefined && (
        <>
          <Inputs run={run} trans={trans} />
          <Outputs run={run} trans={trans} />
          <Times run={run} token={token} trans={trans} />
          <Witnesses run={run} status={checks.find(check => check.id === 'witnesses')?.status} trans={trans} />
        </>
      )}
      {token !== undefined && <TokenDetails token={token} trans={trans} />}
    </>
  );
}
