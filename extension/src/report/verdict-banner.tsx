import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type Verdict } from '@cloister/protocol';
import { Copyable } from '../components/parts/copyable';
import { Facts, type IFact } from '../components/parts/facts';
import { formatTime, shortDigest } from '../words/quantities';
import { verdictReason, verdictWord } from '../words/verdict-words';
import { verifierWords } from '../words/verifier-words';
import { overallVerdict, type IReportState, type ITrustSource } from './report-state';
import type { IReportView, IRunView } from './report-view';
import { ShownText } from '../components/parts/shown-text';
import { VerdictIcon } from './status-icon';

/** Green is for `verified` alone. */
const TONES: Readonly<Record<Verdict, 'good' | 'bad' | 'caution'>> = { verified: 'good', failed: 'bad', inconclusive: 'caution', simulated: 'caution' };

export interface IVerdictBannerProps {
  readonly state: IReportState;
  readonly trans: TranslationBundle;
  readonly onCheckAgain: () => void;
}

/** One verdict in words, and when, about what and by whose word. */
export function VerdictBanner({ state, trans, onCheckAgain }: IVerdictBannerProps): JSX.Element {
  const verdict = overallVerdict(state);
  return (
    <header className={`jp-Cloister-verdict jp-mod-${TONES[verdict]}`}>
      <VerdictIcon verdict={verdict} />
      <div className="jp-Cloister-verdict-words" role="status">
        <h1>{verdictWord(verdict, trans)}</h1>
        <p>{reasonOf(state, trans)}</p>
      </div>
      <button type="button" className="jp-Cloister-button jp-Cloister-noPrint" disabled={state.checking} onClick={onCheckAgain}>
        {state.checking ? trans.__('Checking…') : trans.__('Check again')}
      </button>
      <div className="jp-Cloister-verdict-facts">
        {state.view?.run !== undefined && isOnlySaid(verdict) && <p className="jp-Cloister-faint">{trans.__('The report says this of itself; it is not confirmed:')}</p>}
        <Facts facts={factsOf(state, trans)} />
      </div>
    </header>
  );
}

function isOnlySaid(verdict: Verdict): boolean {
  return verdict === 'failed' || verdict === 'inconclusive';
}

function reasonOf(state: IReportState, trans: TranslationBundle): string {
  const { view, comparison } = state;
  if (view?.unreadable !== undefined) return trans.__('This file is not an attestation report that can be read.');
  if (comparison?.kind === 'done' && view !== undefined && view.verdict !== 'failed' && overallVerdict(state) === 'failed') {
    return trans.__('The files beside the report are not the ones that it is about.');
  }
  return verdictReason(overallVerdict(state), trans);
}

function factsOf({ view, checkedAt, trust }: IReportState, trans: TranslationBundle): IFact[] {
  return [
    ...(view?.run === undefined ? [] : runFacts(view.run, trans)),
    ...verifierFact(view, trans),
    ...(view === undefined || checkedAt === undefined ? [] : [{ name: trans.__('Checked'), value: trans.__('%1, in this browser', formatTime(checkedAt.toISOString())) }]),
    ...(trust === undefined ? [] : [{ name: trans.__('Trust used'), value: trustWords(trust, trans) }])
  ];
}

function runFacts(run: IRunView, trans: TranslationBundle): IFact[] {
  const { done, total } = run.cells;
  const outcome =
    run.outcome === 'succeeded'
      ? trans.__('The notebook ran to its end, %1 of %2 cells.', done, total)
      : trans.__('The notebook failed after %1 of %2 cells: %3', done, total, visibleLine(run.failure ?? ''));
  return [
    {
      name: trans.__('Job'),
      value: (
        <>
          <Copyable value={run.job} shown={shortDigest(run.job)} name={trans.__('the job’s digest')} trans={trans} /> {trans.__('attempt %1', run.attempt)}
        </>
      )
    },
    { name: trans.__('Notebook code'), value: <Copyable value={run.code} shown={shortDigest(run.code)} name={trans.__('the code’s digest')} trans={trans} /> },
    { name: trans.__('Outcome'), value: outcome },
    { name: trans.__('Ran'), value: formatTime(run.started) }
  ];
}

function verifierFact(view: IReportView | undefined, trans: TranslationBundle): IFact[] {
  const issuer = view?.token?.issuer;
  if (issuer === undefined) return [];
  return [
    {
      name: trans.__('Verifier'),
      value: (
        <>
          {verifierWords(view?.token?.signer?.kind, trans)}
          <br />
          <span className="jp-Cloister-faint">
            <ShownText text={issuer} trans={trans} />
          </span>
        </>
      )
    }
  ];
}

function trustWords(trust: ITrustSource, trans: TranslationBundle): JSX.Element {
  if (trust.kind === 'none') return <>{trans.__('None: no trust settings could be read.')}</>;
  const counts = [
    trans._n('%1 owner', '%1 owners', trust.owners),
    trans._n('%1 verifier', '%1 verifiers', trust.verifiers),
    trans._n('%1 runner image', '%1 runner images', trust.images)
  ].join(', ');
  return (
    <>
      {trust.hasPolicy ? trans.__('Your own: %1', counts) : trans.__('Your own: %1, and no demands on the runner', counts)}
      <br />
      <span className="jp-Cloister-faint">
        <ShownText text={trust.where} trans={trans} code />
      </span>
    </>
  );
}
