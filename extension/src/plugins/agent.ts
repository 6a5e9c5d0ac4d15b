import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { AgentClient } from '../api/client';
import { Agent } from '../model/agent';
import { IAgent } from '../tokens';
import { DOMAIN } from '../translation';

/** The line to the agent, which all other plugins share. */
export const agentPlugin: JupyterFrontEndPlugin<IAgent> = {
  id: 'cloister:agent',
  description: 'Reaches the Cloister agent beside Jupyter Server, and listens to its events.',
  autoStart: true,
  provides: IAgent,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null): IAgent => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    return new Agent(new AgentClient(app.serviceManager.serverSettings), trans);
  }
};
