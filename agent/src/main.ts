import { realpath } from 'node:fs/promises';
import { AppError } from '@cloister/protocol';
import { createLogger, listen } from '@cloister/kit';
import { openAgent } from './app.js';
import { readAgentEnvironment } from './config.js';
import { createAgentApp } from './http/create-agent-app.js';

/**
 * The agent as a process: `node main.js SOCKET`, started by jupyter-server-proxy in the folder that JupyterLab shows.
 * It ends with a code other than 0 in every case, since the proxy never restarts what ended well.
 */
async function main(): Promise<void> {
  const { home, proxySecret } = readAgentEnvironment();
  const [socketPath] = process.argv.slice(2);
  if (socketPath === undefined || proxySecret === undefined) {
    throw new AppError('usage', 'the agent is started by Jupyter, with a socket and CLOISTER_PROXY_SECRET');
  }
  const logger = createLogger({ service: 'agent', level: 'info', destination: 'stderr' });
  const { agent, close } = await openAgent(home);
  const app = await createAgentApp({ agent, proxySecret, logger, workspace: await realpath(process.cwd()) });
  const listening = await listen(app, { socketPath });
  const stop = (): void => {
    void listening.close(2000).finally(() => {
      close();
      process.exit(1);
    });
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof AppError ? `${error.message}\n${error.hint}\n` : 'the agent could not start\n');
  process.exit(1);
});
