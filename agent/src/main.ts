import { AppError } from '@cloister/protocol';
import { createLogger, listen, systemClock, type Logger } from '@cloister/kit';
import { createAgent, type Agent } from './app.js';
import { readAgentEnvironment } from './config.js';
import { createDaemonGateway, type DaemonGateway } from './daemon/daemon-gateway.js';
import { createAgentApp } from './http/create-agent-app.js';

/** Linux cuts a longer path off without a word, and the socket would lie outside of its private directory. */
const MAX_SOCKET_PATH_BYTES = 107;
const CLOSE_MS = 2000;

/**
 * The agent as a process: `node main.js SOCKET`, started by jupyter-server-proxy. It listens before it looks at its state or
 * its daemon, since the proxy waits for it. It ends with a code other than 0 in every case: the proxy never restarts what
 * ended well.
 */
async function main(): Promise<void> {
  const { home, proxySecret, workspace, daemonProgram } = readAgentEnvironment();
  const [socketPath] = process.argv.slice(2);
  if (socketPath === undefined || proxySecret === undefined) {
    throw new AppError('usage', 'the agent is started by Jupyter, with a socket and CLOISTER_PROXY_SECRET', { hint: 'Start JupyterLab; it starts the agent.' });
  }
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES) {
    throw new AppError('config_invalid', `the socket path is over ${MAX_SOCKET_PATH_BYTES} bytes: ${socketPath}`, { hint: 'Set TMPDIR to a folder with a shorter path before Jupyter starts.' });
  }
  const logger = createLogger({ service: 'agent', level: 'info', destination: 'stderr' });
  const gateway = createDaemonGateway({ home, program: daemonProgram, clock: systemClock, note: text => logger.info(text) });
  const { app, upgrade, close } = await createAgentApp({ agent: openOnce(home, gateway, logger), proxySecret, logger, workspace });
  const listening = await listen(app, { socketPath }, { upgrade });
  const stop = (): void => {
    close();
    void listening.close(CLOSE_MS).finally(() => {
      gateway.close();
      process.exit(1);
    });
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

/** The agent, opened when it is first needed. Where that fails it is told to who asked, and tried again with the next. */
function openOnce(home: string, gateway: DaemonGateway, logger: Logger): () => Promise<Agent> {
  const { transport, background } = gateway;
  let opened: Promise<Agent> | undefined;
  const open = async (): Promise<Agent> => {
    const { server } = await gateway.settings();
    return createAgent({ home, transport, background, serverUrl: server, clock: systemClock });
  };
  return async () => {
    opened ??= open();
    const opening = opened;
    return opening.catch((error: unknown) => {
      if (opened === opening) opened = undefined;
      logger.warn({ code: error instanceof AppError ? error.code : 'internal' }, 'the agent cannot be opened');
      throw error;
    });
  };
}

process.once('exit', code => {
  if (code === 0) process.exitCode = 1;
});

main().catch((error: unknown) => {
  process.stderr.write(error instanceof AppError ? `${error.detail}\n${error.hint} (${error.code})\n` : 'the agent could not start\n');
  process.exit(1);
});
