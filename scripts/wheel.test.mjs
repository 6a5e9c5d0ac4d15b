// The wheel, as a stranger gets it: installed into an environment that knows nothing of this checkout, started without
// that environment being activated, and asked through jupyter-server-proxy with Jupyter's login on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { buildWheel } from './build-wheel.mjs';
import { launchJupyter } from './jupyter/launch.mjs';
import { commandOf, isAlive, processesWith, until } from './jupyter/processes.mjs';

const CHECKOUT = dirname(dirname(fileURLToPath(import.meta.url)));
const WebSocket = createRequire(join(CHECKOUT, 'package.json'))('ws');
const WAIT_MS = 30_000;

const root = realpathSync(mkdtempSync(join(tmpdir(), 'cloister-wheel-')));
const home = join(root, 'home');
const workspace = join(root, 'work');
const python = join(root, '.venv/bin/python');
// Nobody activated that environment: its programs are not on the PATH. Node is where it is on this machine.
const env = { HOME: join(root, 'user'), PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, LANG: 'C.UTF-8' };
let jupyter;

before(async () => {
  for (const folder of [home, workspace, env.HOME]) mkdirSync(folder, { mode: 0o700 });
  const wheel = await buildWheel({ out: join(root, 'dist') });
  must(join(CHECKOUT, '.venv/bin/python'), ['-m', 'venv', join(root, '.venv')]);
  const pip = ['-m', 'pip', '--disable-pip-version-check', 'install', '--quiet', '--no-compile', '--no-deps', '--only-binary', ':all:'];
  must(python, [...pip, '--require-hashes', '-r', join(CHECKOUT, 'python/requirements-jupyter.lock')], { ...process.env, PYTHONPATH: '' });
  must(python, [...pip, '--no-index', wheel]);
});

after(async () => {
  await jupyter?.stop();
  rmSync(root, { recursive: true, force: true });
});

test('everything that the wheel depends on is in the lock, in a version that it accepts', () => {
  assert.match(must(python, ['-m', 'pip', '--disable-pip-version-check', 'check']), /No broken requirements/);
});

test('JupyterLab lists the extension, and Jupyter Server the proxy, both OK', () => {
  const plain = text => text.replaceAll(/\x1b\[[0-9;]*m/g, '');
  assert.match(plain(must(python, ['-m', 'jupyter', 'labextension', 'list'])), /cloister v\S+ enabled OK \(python, cloister\)/);
  assert.match(plain(must(python, ['-m', 'jupyter', 'server', 'extension', 'list'])), /jupyter_server_proxy \S+ OK/);
});

test('`import cloister` in a notebook loads nothing of Jupyter', () => {
  const loaded = must(python, ['-c', 'import sys, cloister; print(cloister.__file__); print([m for m in sys.modules if "jupyter" in m])']);
  assert.match(loaded, new RegExp(`^${root}/\\.venv/.*\\n\\[\\]`));
});

test('the agent answers through the proxy to whoever is logged in, and to nobody else', async () => {
  jupyter = await launchJupyter({ root, home, workspace, port: 0, baseUrl: '/user/ann/', env: { ...env, JPY_API_TOKEN: 'hub-secret', JUPYTERHUB_API_TOKEN: 'hub-secret' } });
  const anonymous = await ask({});
  assert.equal(anonymous.status, 302);
  assert.match(anonymous.headers.get('location'), /^\/user\/ann\/login/);
  const known = await ask({ Authorization: `token ${jupyter.token}`, 'X-Cloister-Client': 'test' });
  // There is no trust in a new home: the agent itself says so, and what to do.
  assert.match(known.headers.get('content-type'), /^application\/problem\+json/);
  assert.equal((await known.json()).type, 'urn:cloister:error:trust_missing');
});

test('the proxy’s secret reaches the agent with WebSockets too, a forged one is replaced', async () => {
  const origin = new URL(jupyter.baseUrl).origin;
  const forged = { Authorization: `token ${jupyter.token}`, Origin: origin, 'X-Cloister-Proxy-Secret': 'forged' };
  const first = await firstMessage(forged);
  assert.equal(JSON.parse(first).kind, 'hello');
  await assert.rejects(firstMessage({ Origin: origin }), /403/);
});

test('no token of Jupyter or of a Hub is in the agent’s environment, and none in its command', () => {
  const pid = agentPid();
  const names = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').map(entry => entry.split('=')[0]);
  assert.deepEqual(names.filter(name => /^(JUPYTERHUB_|JPY_|JUPYTER_TOKEN|CLOISTER_JUPYTER_PID)/.test(name)), []);
  assert.ok(names.includes('CLOISTER_PROXY_SECRET'));
  const command = commandOf(pid);
  assert.equal(command.length, 3);
  assert.match(command[2], /^\S{1,107}$/);
  assert.ok(command[1].startsWith(join(root, '.venv')));
});

test('an agent that was killed is started again', async () => {
  const before = agentPid();
  process.kill(before, 'SIGKILL');
  const back = await until(WAIT_MS, async () => (await ask({ Authorization: `token ${jupyter.token}`, 'X-Cloister-Client': 'test' })).headers.get('content-type')?.startsWith('application/problem+json'));
  assert.ok(back);
  assert.notEqual(agentPid(), before);
});

test('where Jupyter is killed, its agent ends', async () => {
  const agent = agentPid();
  process.kill(jupyter.pid, 'SIGKILL');
  assert.ok(await until(WAIT_MS, () => !isAlive(agent)));
});

test('files of the workspace take the place of no module', async () => {
  await jupyter.stop();
  for (const name of ['ctypes.py', 'cloister.py', 'jupyterlab.py', 'subprocess.py']) {
    writeFileSync(join(workspace, name), `open(${JSON.stringify(join(root, 'hijacked'))}, 'w')\n`);
  }
  jupyter = await launchJupyter({ root, home, workspace, port: 0, env });
  const answer = await ask({ Authorization: `token ${jupyter.token}`, 'X-Cloister-Client': 'test' });
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  assert.equal(existsSync(join(root, 'hijacked')), false);
});

const ask = headers => fetch(`${jupyter.baseUrl}cloister/v1/agent`, { headers, redirect: 'manual' });

function agentPid() {
  const pids = processesWith('CLOISTER_HOME', home).filter(pid => commandOf(pid)[1]?.endsWith('agent.mjs'));
  assert.equal(pids.length, 1);
  return pids[0];
}

function firstMessage(headers) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${jupyter.baseUrl.replace('http', 'ws')}cloister/v1/events`, { headers });
    socket.once('message', data => {
      resolve(String(data));
      socket.terminate();
    });
    socket.once('error', reject);
    socket.once('close', code => reject(new Error(`closed: ${code}`)));
  });
}

/** What a program printed on both streams; it must end well. */
function must(command, args, environment = env) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: workspace, env: environment, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return `${stdout}${stderr}`;
}
