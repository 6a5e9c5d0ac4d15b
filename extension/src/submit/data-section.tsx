import type { JSX } from 'react';
import { visibleLine, type DraftView } from '@cloister/protocol';
import { AssetCard } from './asset-card';
import { DenialReasons } from './denial-reasons';
import { Section } from './section';
import type { ISubmitContext } from './submit-context';
import type { ISubmitState } from './submit-state';

export interface IDataSectionProps {
  readonly context: ISubmitContext;
  readonly draft: DraftView;
  readonly mocks: ISubmitState['mocks'];
}

type Decision = DraftView['decisions'][number];

/** The data that the notebook reads, and what its owners say to this very job. */
export function DataSection({ context, draft, mocks }: IDataSectionProps): JSX.Element {
  const { trans } = context;
  const known = new Set(draft.assets.map(({ name }) => name));
  return (
    <Section title={trans.__('Data')}>
      {draft.assets.length === 0 && (
        <p>{trans.__('This notebook reads no data of any owner. To read some, write cloister.read_csv("owner/name") in a cell, with the name as text.')}</p>
      )}
      {draft.assets.map(asset => (
        <AssetCard key={asset.name} context={context} asset={asset} decision={decisionOf(draft, asset.owner, asset.broker)} mock={mocks[asset.name]} />
      ))}
      {draft.decisions.map(decision => (
        <WholeAnswer key={decision.broker} context={context} decision={decision} besides={known} />
      ))}
    </Section>
  );
}

/** Only an asset's own broker can say anything about it. */
function decisionOf({ decisions }: DraftView, owner: string, url: string): Decision | undefined {
  return decisions.find(decision => decision.owner === owner && decision.url === url);
}

interface IWholeAnswerProps {
  readonly context: ISubmitContext;
  readonly decision: Decision;
  readonly besides: ReadonlySet<string>;
}

/** What a broker says to the job as a whole, or to the code. */
function WholeAnswer({ context: { trans, agent }, decision, besides }: IWholeAnswerProps): JSX.Element | null {
  const { owner, decision: word, reasons } = decision;
  const others = decision.assets.filter(asset => !besides.has(asset.name) && asset.decision !== 'allow');
  const all = [...reasons, ...others.flatMap(asset => asset.reasons)];
  if (word === 'allow' || all.length === 0) return null;
  const name = visibleLine(owner, 60);
  const heading = word === 'unreachable' ? trans.__('%1 gives no answer now', name) : word === 'wait' ? trans.__('%1 has yet to decide about the job', name) : trans.__('%1 would deny the job', name);
  return (
    <div className="jp-Cloister-message jp-mod-caution">
      <h3>{heading}</h3>
      <DenialReasons answer={{ reasons: all, denials: others.flatMap(asset => asset.denials) }} owner={owner} analyst={agent.description?.analyst} trans={trans} />
      {word === 'unreachable' && <p>{trans.__('Nothing can be sent before every owner answered. Press Refresh to ask again; if this stays, tell %1.', name)}</p>}
    </div>
  );
}
