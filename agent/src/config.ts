import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AppError } from '@cloister/protocol';

/** What the environment says to an agent. Read once, here. */
export interface AgentEnvironment {
  /** Directory of all state: $CLOISTER_HOME, else ~/.cloister. */
  readonly home: string;
  /** What jupyter-server-proxy adds to every request; absent under the command line. */
  readonly proxySecret: string | undefined;
  /** The folder that JupyterLab shows: $CLOISTER_WORKSPACE, else the current one. */
  readonly workspace: string;
  /** The daemon's program: $CLOISTER_DAEMON, else the one of this checkout where it is built. */
  readonly daemonProgram: string | undefined;
}

/** Keys to Jupyter itself, which nothing here needs. Whoever starts the agent drops them; this is the second line. */
const JUPYTER_TOKENS = ['JUPYTERHUB_API_TOKEN', 'JPY_API_TOKEN', 'JUPYTER_TOKEN'] as const;

/** Also takes secrets out of the environment: children have no business with them. @throws AppError config_invalid */
export function readAgentEnvironment(): AgentEnvironment {
  const proxySecret = process.env['CLOISTER_PROXY_SECRET'];
  delete process.env['CLOISTER_PROXY_SECRET'];
  for (const name of JUPYTER_TOKENS) Reflect.deleteProperty(process.env, name);
  if (proxySecret !== undefined && proxySecret.length < 32) throw new AppError('config_invalid', 'CLOISTER_PROXY_SECRET is too short to be a secret');
  return {
    home: pathOf('CLOISTER_HOME') ?? join(homedir(), '.cloister'),
    proxySecret,
    workspace: pathOf('CLOISTER_WORKSPACE') ?? process.cwd(),
    daemonProgram: pathOf('CLOISTER_DAEMON') ?? builtDaemon()
  };
}

function pathOf(name: 'CLOISTER_HOME' | 'CLOISTER_WORKSPACE' | 'CLOISTER_DAEMON'): string | undefined {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : resolve(value);
}

/** Only where this is a package of the checkout: a bundle lies among packages of strangers. */
function builtDaemon(): string | undefined {
  if (!existsSync(fileURLToPath(new URL('../package.json', import.meta.url)))) return undefined;
  const program = fileURLToPath(new URL('../../embedded/lib/main.js', import.meta.url));
  return existsSync(program) ? program : undefined;
}
