import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/apputils';
import { problemOfState } from '../../model/problem';
import type { IAgent } from '../../tokens';
import { ProblemMessage } from './message';

export interface IAgentTroubleProps {
  readonly agent: IAgent;
  readonly trans: TranslationBundle;
}

/** What stands between this page and the agent, or the agent and its services, with the fix; nothing while all is well. */
export function AgentTrouble({ agent, trans }: IAgentTroubleProps): JSX.Element {
  return <UseSignal signal={agent.stateChanged}>{() => <Trouble agent={agent} trans={trans} />}</UseSignal>;
}

function Trouble({ agent, trans }: IAgentTroubleProps): JSX.Element | null {
  const { state, trouble, loginUrl } = agent;
  if (state === 'connecting') return null;
  if (state === 'ready') return trouble === undefined ? null : <ProblemMessage tone="caution" problem={trouble} />;
  const again = (
    <button type="button" className="jp-Cloister-button" onClick={() => agent.reconnect()}>
      {trans.__('Try again')}
    </button>
  );
  const login = (
    <a className="jp-Cloister-button jp-mod-accent" href={loginUrl}>
      {trans.__('Log in')}
    </a>
  );
  return <ProblemMessage tone="caution" problem={problemOfState(state, trans)} actions={state === 'signed-out' ? login : again} />;
}
