import type { TranslationBundle } from '@jupyterlab/translation';
import { AppError } from '@cloister/protocol';
import { AgentUnreachable } from '../api/agent-unreachable';

/** What a person is told of anything that went wrong: what happened, what to do, and the code to quote. Never a stack. */
export interface IProblem {
  readonly code: string;
  readonly title: string;
  readonly hint: string;
  /** What exactly, where the title alone does not say. */
  readonly detail?: string;
}

/** Any thrown thing in words. The words of the error table are those of the command line too. */
export function problemOf(error: unknown, trans: TranslationBundle): IProblem {
  if (error instanceof AppError) {
    const detail = error.detail === '' ? {} : { detail: error.detail };
    return { code: error.code, title: error.title, hint: error.hint, ...detail };
  }
  if (error instanceof AgentUnreachable) return problemOfState(error.state, trans);
  return {
    code: 'internal',
    title: trans.__('Something went wrong in this page.'),
    hint: trans.__('Reload the page. Jobs go on meanwhile, and nothing is lost.')
  };
}

/** What stands between this page and the agent, and how to mend it. */
export function problemOfState(state: AgentUnreachable['state'], trans: TranslationBundle): IProblem {
  switch (state) {
    case 'missing':
      return {
        code: 'agent_missing',
        title: trans.__('Jupyter Server does not know Cloister’s agent.'),
        hint: trans.__('Install it where Jupyter Server runs: pip install cloister, then: jupyter server extension enable jupyter_server_proxy. Restart Jupyter.')
      };
    case 'failed':
      return {
        code: 'agent_failed',
        title: trans.__('Cloister’s agent did not start, or it stopped.'),
        hint: trans.__('It is started again by itself. If this stays, the terminal in which Jupyter runs says why; most often Node 20.19 or newer is missing. Jobs go on meanwhile.')
      };
    case 'outdated':
      return {
        code: 'agent_outdated',
        title: trans.__('This page and Cloister’s agent are of different versions.'),
        hint: trans.__('Restart Jupyter, then reload this page. If this stays: pip install --upgrade cloister.')
      };
    case 'signed-out':
      return {
        code: 'signed_out',
        title: trans.__('Your login to Jupyter has expired.'),
        hint: trans.__('Log in again. Jobs go on meanwhile, and what you typed here is kept.')
      };
    case 'offline':
      return {
        code: 'offline',
        title: trans.__('Jupyter Server does not answer.'),
        hint: trans.__('Check that it runs and that you are connected. This page tries again by itself. Jobs go on meanwhile.')
      };
  }
}
