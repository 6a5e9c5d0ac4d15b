// Starts JupyterLab or Notebook for a state directory. All that Jupyter keeps (settings, workspaces, history) lies in
// `<home>/jupyter`, so nothing of the user's own Jupyter is read, changed or able to break this one.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { commandOf, endAll, processesWith, until } from './processes.mjs';

const SERVE = fileURLToPath(new URL('serve.py', import.meta.url));
const READY_MS = 90_000;
const STOP_MS = 10_000;
const GRACE_MS = 4_000;
const REQUEST_MS = 5_000;

/** What another Python, another Jupyter or a Hub left in the environment would change what is started here. */
const FOREIGN = /^(?:PYTHON(?!UNBUFFERED$|DONTWRITEBYTECODE$)|JUPYTER|JPY_|IPYTHON|npm_|INIT_CWD$|__PYVENV|CLOISTER_PROXY_SECRET$)/;

const PAGES = { lab: 'lab/tree/README.ipynb', notebook: 'tree' };

/**
 * Start Jupyter and wait until it answers.
 *
 * @param options.root checkout, set up: its `.venv` is used
 * @param options.home Cloister's state directory, the agent's CLOISTER_HOME; Jupyter's own state lies in `jupyter/` of it
 * @param options.workspace folder that Jupyter shows
 * @param options.port TCP port; by default 8888 or the next that is free. 0 takes any
 * @param options.token by default a new one
 * @param options.baseUrl path that starts and ends with a slash
 * @param options.app `lab` or `notebook`
 * @param options.page what the URL opens, below `baseUrl`
 * @param options.openBrowser whether Jupyter opens a browser by itself
 * @param options.env more environment for Jupyter, its kernels and the agent
 * @param options.args more arguments for Jupyter
 * @returns `url` (opens the page, with the token), `baseUrl` (without), `token`, `port`, `pid`, `log`, `workspaces`,
 *   `exited` (a promise), `stop()`
 */
export async function launchJupyter({ root, home, workspace, ip = '127.0.0.1', port, token = newToken(), baseUrl = '/', app = 'lab', ...rest }) {
  const { page = PAGES[app], openBrowser = false, env = {}, args = [] } = rest;
  const chosen = port ?? (await freePort(8888, ip));
  const number = chosen === 0 ? await freePort(0, ip) : chosen;
  const folders = makeFolders(home);
  const child = start({ root, home, workspace, folders, app, token, env }, [
    `--ServerApp.root_dir=${workspace}`,
    `--ServerApp.ip=${ip}`,
    `--ServerApp.port=${number}`,
    '--ServerApp.port_retries=0',
    `--ServerApp.base_url=${baseUrl}`,
    `--ServerApp.open_browser=${openBrowser ? 'True' : 'False'}`,
    `--${app === 'lab' ? 'LabApp' : 'JupyterNotebookApp'}.default_url=/${page}`,
    // What a system-wide configuration may hold, and a demo cannot live with.
    '--ServerApp.certfile=',
    '--ServerApp.keyfile=',
    '--PasswordIdentityProvider.hashed_password=',
    '--PasswordIdentityProvider.password_required=False',
    // A container's root is no more than its user; the server listens on loopback unless told otherwise.
    ...(process.getuid?.() === 0 ? ['--ServerApp.allow_root=True'] : []),
    ...args
  ]);
  const server = { origin: `http://${ip.includes(':') ? `[${ip}]` : hostOf(ip)}:${number}`, base: baseUrl, token };
  const exited = new Promise(resolve => child.once('close', (code, signal) => resolve(signal ?? code)));
  const stop = once(() => stopJupyter({ child, exited, server, folders, daemon: daemonOf(root) }));
  try {
    await untilReady({ child, server, log: folders.log });
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `${server.origin}${baseUrl}${page}?token=${token}`;
  return { url, baseUrl: `${server.origin}${baseUrl}`, token, port: number, pid: child.pid, log: folders.log, workspaces: folders.workspaces, exited, stop };
}

/** Where Jupyter's servers for this state directory say where they listen: `jpserver-<pid>.json`. */
export const runtimeFolder = home => join(home, 'jupyter', 'runtime');

/** Whether a server answers at `origin` + `base` and takes `token`. */
export async function answersWith({ origin, base, token }) {
  try {
    const response = await ask({ origin, base, token }, 'api/status');
    await response.text();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** The first free port from `first` upwards; any where `first` is 0. */
export async function freePort(first, ip = '127.0.0.1') {
  for (let port = first; port < first + 200; port++) {
    const found = await tryPort(port, ip);
    if (found !== undefined) return found;
  }
  throw new Error(`No port from ${first} to ${first + 199} is free. Name one: npm start -- --port 9000`);
}

function tryPort(port, ip) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', error => (error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(undefined) : reject(error)));
    probe.listen(port, ip, () => {
      const { port: found } = probe.address();
      probe.close(() => resolve(found));
    });
  });
}

function makeFolders(home) {
  const top = join(home, 'jupyter');
  const folders = Object.fromEntries(['config', 'data', 'runtime', 'settings', 'workspaces', 'ipython'].map(name => [name, join(top, name)]));
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Nothing is asked of the network by itself, and no question about news stands before the tour.
  const overrides = { '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } };
  mkdirSync(join(folders.config, 'labconfig'), { recursive: true, mode: 0o700 });
  writeFileSync(join(folders.config, 'labconfig', 'default_setting_overrides.json'), `${JSON.stringify(overrides, null, 2)}\n`);
  return { ...folders, log: join(top, 'jupyter.log'), tokenFile: join(folders.runtime, 'token') };
}

/** The token goes by a private file: a command line can be read by everybody on the machine. */
function start({ root, home, workspace, folders, app, token, env }, args) {
  const python = join(root, '.venv/bin/python');
  rmSync(folders.tokenFile, { force: true });
  writeFileSync(folders.tokenFile, token, { mode: 0o600, flag: 'wx' });
  const log = openSync(folders.log, 'w', 0o600);
  try {
    // A session of its own: Ctrl-C in a terminal reaches us alone, and we end things in their order.
    return spawn(python, ['-I', SERVE, String(process.pid), app, ...args], {
      cwd: workspace,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))),
        PATH: [dirname(python), process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter),
        CLOISTER_HOME: home,
        CLOISTER_DAEMON: daemonOf(root),
        CLOISTER_NODE: process.execPath,
        JUPYTER_CONFIG_DIR: folders.config,
        JUPYTER_DATA_DIR: folders.data,
        JUPYTER_RUNTIME_DIR: folders.runtime,
        JUPYTERLAB_SETTINGS_DIR: folders.settings,
        JUPYTERLAB_WORKSPACES_DIR: folders.workspaces,
        IPYTHONDIR: folders.ipython,
        JUPYTER_TOKEN_FILE: folders.tokenFile,
        ...env
      }
    });
  } finally {
    closeSync(log);
  }
}

async function untilReady({ child, server, log }) {
  let failure;
  child.once('error', error => (failure = error.message));
  const ended = () => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
  const answered = await until(READY_MS, async () => ended() || (await answersWith(server)));
  if (answered && !ended()) return;
  const why = ended() ? 'Jupyter did not start' : `Jupyter did not answer within ${READY_MS / 1000} s`;
  throw new Error(`${why}. ${failure ?? `Its last lines (all of them: ${log}):\n${lastLines(log)}`}`);
}

/** First by Jupyter's own way, which ends kernels in order; then whatever it started and left. */
async function stopJupyter({ child, exited, server, folders, daemon }) {
  const gone = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  if (!gone()) {
    await ask(server, 'api/shutdown', 'POST').then(response => response.text()).catch(() => undefined);
    if (!(await until(STOP_MS, gone))) child.kill('SIGTERM');
    if (!(await until(GRACE_MS, gone))) child.kill('SIGKILL');
    await exited;
  }
  // Kernels, terminals, the agent. A daemon that the agent started serves others too, and jobs outlive Jupyter.
  const left = () => processesWith('JUPYTER_RUNTIME_DIR', folders.runtime).filter(pid => !commandOf(pid).includes(daemon));
  await endAll(left, { graceMs: GRACE_MS });
  rmSync(folders.tokenFile, { force: true });
}

function ask({ origin, base, token }, path, method = 'GET') {
  return fetch(`${origin}${base}${path}`, {
    method,
    headers: { Authorization: `token ${token}` },
    redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_MS)
  });
}

function lastLines(log) {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n');
}

/** A server on every address is asked at loopback. */
function hostOf(ip) {
  return ip === '0.0.0.0' || ip === '*' || ip === '' ? '127.0.0.1' : ip;
}

/** The program of this machine's services. */
const daemonOf = root => join(root, 'embedded/lib/main.js');

const newToken = () => randomBytes(24).toString('hex');

function once(work) {
  let result;
  return () => (result ??= work());
}
