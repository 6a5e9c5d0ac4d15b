import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type DraftView, type Rule } from '@cloister/protocol';
import { Badge, type Tone } from '../components/parts/badge';
import { ProblemMessage } from '../components/parts/message';
import { policyInWords } from '../words/policy-words';
import { formatBytes } from '../words/quantities';
import { DenialReasons } from './denial-reasons';
import type { ISubmitContext } from './submit-context';
import type { IMockOutcome } from './submit-state';

export interface IAssetCardProps {
  readonly context: ISubmitContext;
  readonly asset: DraftView['assets'][number];
  /** The answer of its broker; undefined where there is none. */
  readonly decision: DraftView['decisions'][number] | undefined;
  readonly mock: IMockOutcome | undefined;
}

type Word = 'allow' | 'wait' | 'deny' | 'none';

/** One data set: whose it is, under which policy, and what its owner says to this job. */
export function AssetCard({ context, asset, decision, mock }: IAssetCardProps): JSX.Element {
  const { trans, agent } = context;
  const answer = decision?.assets.find(({ name }) => name === asset.name);
  const word: Word = decision === undefined || decision.decision === 'unreachable' || answer === undefined ? 'none' : answer.decision;
  const owner = visibleLine(asset.owner, 60);
  return (
    <article className="jp-Cloister-submit-card" aria-label={visibleLine(asset.name, 140)}>
      <div className="jp-Cloister-submit-cardHead">
        <h3>{visibleLine(asset.name, 140)}</h3>
        <Badge tone={toneOf(word)}>{wordOf(word, trans)}</Badge>
      </div>
      <p className="jp-Cloister-faint">
        {trans.__('Owner %1 · version %2 · %3 · %4 sealed', owner, asset.version, visibleLine(asset.mediaType, 80), formatBytes(asset.size))}
      </p>
      {word === 'wait' && <p>{trans.__('You can submit now. The job waits until %1 has approved the code, then goes on by itself.', owner)}</p>}
      {answer !== undefined && word === 'deny' && <DenialReasons answer={answer} owner={asset.owner} analyst={agent.description?.analyst} trans={trans} />}
      {answer?.rule !== undefined && <PolicyTerms rule={answer.rule} owner={owner} version={answer.version} trans={trans} />}
      <Mock context={context} asset={asset} mock={mock} />
    </article>
  );
}

function toneOf(word: Word): Tone {
  // Green is for what a verified report says: a policy that would allow is a promise.
  return word === 'allow' ? 'neutral' : word === 'deny' ? 'bad' : 'caution';
}

function wordOf(word: Word, trans: TranslationBundle): string {
  switch (word) {
    case 'allow':
      return trans.__('Allowed');
    case 'wait':
      return trans.__('Waits for approval');
    case 'deny':
      return trans.__('Would be denied');
    case 'none':
      return trans.__('No answer');
  }
}

interface IPolicyTermsProps {
  readonly rule: Rule;
  readonly owner: string;
  readonly version: number | undefined;
  readonly trans: TranslationBundle;
}

function PolicyTerms({ rule, owner, version, trans }: IPolicyTermsProps): JSX.Element {
  const { terms, machine } = policyInWords(rule, trans);
  return (
    <div>
      <p>{version === undefined ? trans.__('What %1’s policy says:', owner) : trans.__('What %1’s policy says, version %2:', owner, version)}</p>
      <Sentences all={terms} />
      <details>
        <summary>{trans.__('On which machines')}</summary>
        <Sentences all={machine} />
      </details>
    </div>
  );
}

function Sentences({ all }: { readonly all: readonly string[] }): JSX.Element {
  return (
    <ul className="jp-Cloister-submit-list jp-mod-columns">
      {all.map(sentence => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
}

function Mock({ context: { model, trans }, asset, mock }: Pick<IAssetCardProps, 'context' | 'asset' | 'mock'>): JSX.Element {
  if (!asset.hasMock) return <p className="jp-Cloister-faint">{trans.__('The owner offers no mock of it.')}</p>;
  const get = (replace: boolean): void => void model.getMock(asset.name, replace);
  return (
    <div className="jp-Cloister-actions">
      {mock?.state === 'differs' ? (
        <button type="button" className="jp-Cloister-button" onClick={() => get(true)}>
          {trans.__('Replace it by the mock')}
        </button>
      ) : (
        <button type="button" className="jp-Cloister-button" disabled={mock?.state === 'busy'} onClick={() => get(false)}>
          {trans.__('Get mock')}
        </button>
      )}
      <span role="status">{mock === undefined ? trans.__('A stand-in to write the notebook with.') : outcomeWords(mock, trans)}</span>
      {mock?.problem !== undefined && <ProblemMessage problem={mock.problem} />}
    </div>
  );
}

function outcomeWords({ state, path = '' }: IMockOutcome, trans: TranslationBundle): string {
  switch (state) {
    case 'busy':
      return trans.__('Fetching the mock…');
    case 'fetched':
      return trans.__('The mock is in %1.', visibleLine(path, 160));
    case 'current':
      return trans.__('You have it: %1.', visibleLine(path, 160));
    case 'differs':
      return trans.__('Another file is at %1. It was left as it is.', visibleLine(path, 160));
    case 'none':
      return trans.__('The owner offers no mock of it.');
    case 'failed':
      return trans.__('The mock was not fetched.');
  }
}
