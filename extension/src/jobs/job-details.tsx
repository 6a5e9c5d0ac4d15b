import { useState, type JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { retryMayHelp } from '@cloister/protocol';
import { CommandIDs } from '../commands/ids';
import { Copyable } from '../components/parts/copyable';
import { Facts, type IFact } from '../components/parts/facts';
import { hasEnded } from '../model/jobs-rows';
import type { IOwnJob } from '../model/own-job';
import { ShownText } from '../components/parts/shown-text';
import { formatTime, shortDigest } from '../words/quantities';
import { FolderLink } from './folder-link';
import { useJobContext } from './job-context';
import { JobReason } from './job-reason';
import { isOpenOutcome, type OpenOutcome } from './open-outcome';
import { OutcomeMessage } from './outcome-message';

/** All about one job: why it stands where it stands, what can be done, and its facts. */
export function JobDetails({ own }: { readonly own: IOwnJob }): JSX.Element {
  const { trans, showPurpose } = useJobContext();
  const [outcome, setOutcome] = useState<OpenOutcome>();
  return (
    <div className="jp-Cloister-jobs-details">
      <JobReason own={own} />
      <Word own={own} trans={trans} />
      <JobActions own={own} onOutcome={setOutcome} />
      {/* There from the start, so that screen readers notice what comes into it. */}
      <div aria-live="polite">{outcome !== undefined && <OutcomeMessage outcome={outcome} />}</div>
      <Facts facts={factsOf(own, showPurpose, trans)} />
    </div>
  );
}

/** What an end is worth before anything was verified. */
function Word({ own, trans }: { readonly own: IOwnJob; readonly trans: TranslationBundle }): JSX.Element | null {
  const { view, results } = own;
  if (!hasEnded(own)) return null;
  if (view.report === undefined) return view.state === 'succeeded' || view.state === 'cancelled' ? null : <p>{trans.__('It ended without a report, so there are no outputs to open.')}</p>;
  if (results !== undefined) return null;
  return <p>{trans.__('So says the operator. Its report tells whether that is true: it is verified before any output is opened.')}</p>;
}

interface IJobActionsProps {
  readonly own: IOwnJob;
  readonly onOutcome: (outcome: OpenOutcome | undefined) => void;
}

function JobActions({ own, onOutcome }: IJobActionsProps): JSX.Element {
  const { trans, can, run } = useJobContext();
  const [busy, setBusy] = useState<string>();
  const { job, report } = own.view;
  const ended = hasEnded(own);
  const start = (command: string): void => {
    setBusy(command);
    if (command === CommandIDs.openOutputs) onOutcome(undefined);
    void run(command, { job, quiet: true })
      // A command tells what went wrong itself.
      .then(result => isOpenOutcome(result) && onOutcome(result), () => undefined)
      .finally(() => setBusy(undefined));
  };
  const button = (command: string, label: string, accent = false): JSX.Element | null =>
    can(command) ? (
      <button type="button" className={`jp-Cloister-button ${accent ? 'jp-mod-accent' : ''}`} disabled={busy !== undefined} aria-busy={busy === command} onClick={() => start(command)}>
        {label}
      </button>
    ) : null;
  const opening = busy === CommandIDs.openOutputs;
  const fresh = own.results === undefined;
  const openLabel = fresh ? trans.__('Verify and open outputs') : trans.__('Open outputs');
  return (
    <div className="jp-Cloister-actions">
      {report !== undefined && button(CommandIDs.openOutputs, opening ? trans.__('Verifying…') : openLabel, fresh)}
      {report !== undefined && button(CommandIDs.openReport, trans.__('Report'))}
      {own.notebook !== undefined && button(CommandIDs.openNotebook, trans.__('Open notebook'))}
      {retryMayHelp(own.view) && own.notebook !== undefined && button(CommandIDs.retryJob, trans.__('Retry'))}
      {!ended && button(CommandIDs.cancelJob, trans.__('Cancel'))}
      {ended && button(CommandIDs.deleteJob, trans.__('Delete…'))}
    </div>
  );
}

function factsOf(own: IOwnJob, showPurpose: boolean, trans: TranslationBundle): IFact[] {
  const { view, notebook, purpose = '', inputs = [], results } = own;
  const text = (value: string): JSX.Element => <ShownText text={value} trans={trans} />;
  const fact = (name: string, value: JSX.Element | string | undefined): IFact[] => (value === undefined ? [] : [{ name, value }]);
  return [
    ...fact(trans.__('Outputs'), results === undefined ? undefined : <FolderLink path={results} />),
    ...fact(trans.__('Notebook'), notebook === undefined ? undefined : text(notebook)),
    ...fact(trans.__('Purpose'), !showPurpose || purpose === '' ? undefined : text(purpose)),
    ...fact(trans.__('Data'), inputs.length === 0 ? undefined : text(inputs.join(', '))),
    ...fact(trans.__('Submitted'), formatTime(view.createdAt)),
    ...fact(hasEnded(own) ? trans.__('Ended') : trans.__('Last change'), formatTime(view.updatedAt)),
    ...fact(trans.__('Attempt'), view.attempt === 0 ? trans.__('not started yet') : String(view.attempt)),
    ...fact(trans.__('Job'), <Copyable value={view.job} shown={shortDigest(view.job)} name={trans.__('the job’s id')} trans={trans} />)
  ];
}
