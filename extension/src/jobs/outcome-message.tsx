import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Verdict } from '@cloister/protocol';
import { Badge, type Tone } from '../components/parts/badge';
import { Message } from '../components/parts/message';
import { ShownText } from '../components/parts/shown-text';
import { verdictMeaning, verdictWord } from '../words/verdict-words';
import { FolderLink } from './folder-link';
import { useJobContext } from './job-context';
import type { ICheck, OpenOutcome } from './open-outcome';

/** What became of opening the outputs. Only a verified report is green. */
export function OutcomeMessage({ outcome }: { readonly outcome: OpenOutcome }): JSX.Element {
  const { trans } = useJobContext();
  switch (outcome.kind) {
    case 'opened':
      return (
        <Message tone={toneOf(outcome.verdict)} title={trans._n('Opened %1 file', 'Opened %1 files', outcome.files)}>
          <p>
            <Badge tone={toneOf(outcome.verdict)}>{verdictWord(outcome.verdict, trans)}</Badge>
          </p>
          <p>{verdictMeaning(outcome.verdict, trans)}</p>
          <p>
            {trans.__('The files are in')} <FolderLink path={outcome.folder} />
          </p>
          <p className="jp-Cloister-faint">{trans.__('The executed notebook opens as not trusted: nothing in its outputs runs until you trust it.')}</p>
        </Message>
      );
    case 'reopened':
      return (
        <Message tone="neutral" title={trans.__('These outputs were opened before')}>
          <p>
            {trans.__('The files are in')} <FolderLink path={outcome.folder} />
          </p>
          <p className="jp-Cloister-faint">{trans.__('They may have been changed since. The report in the same folder says what came out of the run.')}</p>
        </Message>
      );
    case 'refused':
      return <Refused outcome={outcome} trans={trans} />;
  }
}

function Refused({ outcome: { problem, checks }, trans }: { readonly outcome: Extract<OpenOutcome, { kind: 'refused' }>; readonly trans: TranslationBundle }): JSX.Element {
  return (
    <Message tone="bad" title={problem.title}>
      {/* What failed stands in the checks, in full. */}
      {problem.detail !== undefined && checks.length === 0 && <ShownText text={problem.detail} trans={trans} />}
      {checks.length > 0 && (
        <ul className="jp-Cloister-jobs-checks">
          {checks.map((check, at) => (
            <FailedCheck key={at} check={check} trans={trans} />
          ))}
        </ul>
      )}
      <p>{problem.hint}</p>
      <p className="jp-Cloister-faint">{trans.__('No file was unsealed.')}</p>
    </Message>
  );
}

function FailedCheck({ check, trans }: { readonly check: ICheck; readonly trans: TranslationBundle }): JSX.Element {
  const { title, status, expected, actual, hint } = check;
  return (
    <li>
      <p>
        <strong>{status === 'fail' ? trans.__('Failed:') : trans.__('Could not check:')}</strong> <ShownText text={title} trans={trans} />
      </p>
      {expected !== undefined && (
        <p>
          {trans.__('Expected:')} <ShownText text={textOf(expected)} trans={trans} code />
        </p>
      )}
      {actual !== undefined && (
        <p>
          {trans.__('Came:')} <ShownText text={textOf(actual)} trans={trans} code />
        </p>
      )}
      {hint !== undefined && <ShownText text={hint} trans={trans} />}
    </li>
  );
}

function textOf(value: ICheck['expected']): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function toneOf(verdict: Verdict): Tone {
  switch (verdict) {
    case 'verified':
      return 'good';
    case 'failed':
      return 'bad';
    case 'simulated':
    case 'inconclusive':
      return 'caution';
  }
}
