import type { JSX } from 'react';
import { visibleLine, type DraftView } from '@cloister/protocol';
import type { ISubmitContext } from './submit-context';

export interface ICustodiansSectionProps {
  readonly context: ISubmitContext;
  /** What was chosen by hand; none leaves it to the agent. */
  readonly chosen: readonly string[];
  readonly draft: DraftView | undefined;
}

/** Whose brokers keep the key of the code until an attested runner asks for it. */
export function CustodiansSection({ context, chosen, draft }: ICustodiansSectionProps): JSX.Element {
  const { trans } = context;
  const now = (draft?.custodians ?? []).map(({ owner }) => visibleLine(owner, 60)).join(', ');
  return (
    <details className="jp-Cloister-submit-section">
      <summary>{now === '' ? trans.__('Who keeps the key of your code') : trans.__('Who keeps the key of your code: %1', now)}</summary>
      <CustodianChoice context={context} chosen={chosen} draft={draft} />
    </details>
  );
}

/** The choice itself; also shown where no draft can be made without it. */
export function CustodianChoice({ context: { model, agent, trans }, chosen, draft }: ICustodiansSectionProps): JSX.Element {
  const owners = [...new Set([...(agent.description?.owners ?? []).map(({ name }) => name), ...(draft?.custodians ?? []).map(({ owner }) => owner), ...chosen])].sort();
  const toggle = (owner: string, on: boolean): void => model.change({ custodians: on ? [...chosen, owner] : chosen.filter(other => other !== owner) });
  return (
    <fieldset className="jp-Cloister-submit-fieldset">
      <legend>{trans.__('Brokers of these owners get the key, and release it only to a runner that you accept. With none chosen, the owners who approve code get it, else the first data set’s owner.')}</legend>
      {owners.map(owner => (
        <label key={owner} className="jp-Cloister-submit-check">
          <input type="checkbox" checked={chosen.includes(owner)} onChange={({ target }) => toggle(owner, target.checked)} />
          {visibleLine(owner, 60)}
        </label>
      ))}
      {owners.length === 0 && <p>{trans.__('No owner is pinned on this machine.')}</p>}
    </fieldset>
  );
}
