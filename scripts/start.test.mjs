// `npm start`, as a person types it, on a state directory and a workspace of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { cloisterCommand } from './demo/command.mjs';
import { readStartOptions } from './jupyter/start-options.mjs';
import { commandOf, endAll, processesWith, until } from './jupyter/processes.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const WAIT_MS = 120_000;

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'cloister-start-')));
const home = join(scratch, 'state');
const workspace = join(scratch, 'demo');
const user = join(scratch, 'user');
const cloister = cloisterCommand({ root: ROOT, home });

before(() => {
  mkdirSync(join(user, '.jupyter'), { recursive: true });
  // Any of these would end the tour before it begins.
  writeFileSync(join(user, '.jupyter/jupyter_server_config.py'), "c.ServerApp.base_url = '/mine/'\nc.IdentityProvider.token = 'mine'\nc.ServerApp.sock = '/no/such'\n");
  cpSync(join(ROOT, 'demo'), workspace, { recursive: true, filter: path => !/results|outputs|checkpoints/.test(path) });
});

after(async () => {
  await endAll(ours, { graceMs: 5000 });
  rmSync(scratch, { recursive: true, force: true });
});

test('starts, is reached at the URL that it prints alone, and a second start prints the same URL', async () => {
  const first = npmStart();
  const url = await first.url();
  assert.equal((await fetch(url, { redirect: 'manual' })).status, 200);
  const { origin, searchParams } = new URL(url);
  assert.equal((await fetch(`${origin}/lab`, { redirect: 'manual' })).status, 302);
  const headers = { Authorization: `token ${searchParams.get('token')}`, 'X-Cloister-Client': 'test' };
  const agent = await (await fetch(`${origin}/cloister/v1/agent`, { headers })).json();
  assert.equal(agent.workspace, workspace);
  assert.deepEqual(agent.owners.map(({ name }) => name), ['hospital', 'registry']);
  const kernel = await fetch(`${origin}/api/kernels`, { method: 'POST', headers, body: '{"name":"python3"}' });
  assert.equal(kernel.status, 201);

  const second = npmStart();
  assert.equal(await second.ended, 0);
  assert.match(second.said(), /runs already/);
  assert.ok(second.said().includes(url));

  await first.end('SIGINT');
  assert.deepEqual(ours().map(commandOf), []);
  // npm keeps its own notes; Jupyter writes nothing there.
  assert.deepEqual(readdirSync(user).filter(name => name !== '.npm'), ['.jupyter']);
});

test('a signal ends all of it, also a job at work, which the next start tries again', async () => {
  const start = npmStart();
  await start.url();
  const { job } = await cloister(['submit', join(workspace, 'outcome-model.ipynb')]);
  assert.ok(await until(WAIT_MS, () => runners().length > 0));
  await start.end('SIGTERM');
  assert.deepEqual(ours().map(commandOf), []);
  assert.match(start.said(), /One job was at work/);

  const next = npmStart();
  await next.url();
  let state;
  assert.ok(await until(WAIT_MS, async () => ['succeeded', 'failed', 'lost'].includes((state = (await cloister(['show', job])).state))));
  assert.equal(state, 'succeeded');
  await next.end('SIGHUP');
  assert.deepEqual(ours().map(commandOf), []);
});

test('options are understood, or named', () => {
  assert.deepEqual(readStartOptions(['--port', '9000', '--ip', '0.0.0.0', '--base-url', 'lab/me', '--LabApp.dev_mode=False'], { DISPLAY: ':0' }), {
    help: false,
    built: false,
    jupyter: { port: 9000, ip: '0.0.0.0', baseUrl: '/lab/me/', openBrowser: true, args: ['--LabApp.dev_mode=False'] }
  });
  assert.equal(readStartOptions(['--no-browser'], { DISPLAY: ':0' }).jupyter.openBrowser, false);
  assert.equal(readStartOptions(['--base-url', '/'], {}).jupyter.baseUrl, '/');
  for (const wrong of [['--prot', '1'], ['--port', 'x'], ['--port', '70000'], ['lab']]) {
    assert.throws(() => readStartOptions(wrong, {}), { name: 'SetupError' });
  }
});

function npmStart() {
  const env = { ...process.env, HOME: user, CLOISTER_HOME: home, CLOISTER_WORKSPACE: workspace, npm_config_cache: join(scratch, 'npm'), npm_config_update_notifier: 'false' };
  const child = spawn('npm', ['start', '--silent', '--', '--built', '--no-browser', '--port', '0'], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (text += chunk));
  const ended = new Promise(resolve => child.once('close', (code, signal) => resolve(signal ?? code)));
  const find = () => /ready: (http\S+)/.exec(text)?.[1];
  return {
    /** As a terminal does it: every process of the foreground group gets the signal. npm passes on how its child ended. */
    end: async signal => {
      process.kill(-child.pid, signal);
      assert.ok([0, signal].includes(await ended));
    },
    ended,
    said: () => text,
    url: async () => {
      await until(WAIT_MS, () => find() !== undefined || child.exitCode !== null);
      assert.ok(find(), text);
      return find();
    }
  };
}

/** Every process that works for this state directory: by its environment, or by its arguments where it has none. */
function ours() {
  return [...new Set([...processesWith('CLOISTER_HOME', home), ...runners()])];
}

/** Launchers and what they start are told where they work, and nothing else. */
function runners() {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => commandOf(pid).some(argument => argument.startsWith(join(home, 'instances'))));
}
