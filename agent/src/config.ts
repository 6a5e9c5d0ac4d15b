import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError } from '@cloister/protocol';

/** What the environment says to an agent. Read once, here. */
export interface AgentEnvironment {
  /** Directory of all state: $CLOISTER_HOME, else ~/.cloister. */
  readonly home: string;
  /** What jupyter-server-proxy adds to every request; absent under the command line. */
  readonly proxySecret: string | undefined;
}

export function readAgentEnvironment(): AgentEnvironment {
  const home = process.env['CLOISTER_HOME'];
  const proxySecret = process.env['CLOISTER_PROXY_SECRET'];
  // Children have no business with it.
  delete process.env['CLOISTER_PROXY_SECRET'];
  if (proxySecret !== undefined && proxySecret.length < 32) throw new AppError('config_invalid', 'CLOISTER_PROXY_SECRET is too short to be a secret');
  return { home: home === undefined || home === '' ? join(homedir(), '.cloister') : resolve(home), proxySecret };
}
