import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { AGENT_ROUTES, callRoute, type ClientDeps } from '@cloister/protocol';
import { answers, createTransport } from '@cloister/kit';
import { PAGE_HEADERS, PROXY_SECRET, codeOf } from './testing/index.js';

let folder: string;
let program: string;
let home: string;
let closers: (() => void)[];
beforeAll(async () => {
  // Away from the checkout, as the Python package carries it: one file, and nothing beside it.
  folder = await mkdtemp(join(tmpdir(), 'cl-agent-'));
  program = join(folder, 'agent.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))], outfile: program, bundle: true, platform: 'node', format: 'esm', target: 'node20',
    conditions: ['@cloister/source'], logLevel: 'error', external: ['bufferutil', 'utf-8-validate'],
    banner: { js: "import { createRequire as nodeRequire } from 'node:module';\nconst require = nodeRequire(import.meta.url);" }
  });
}, 60_000);
afterAll(async () => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  closers = [];
  home = await mkdtemp(join(folder, 'h'));
  await mkdir(join(home, 'work'));
});
afterEach(() => {
  for (const close of closers) close();
});

interface Running {
  readonly child: ChildProcess;
  readonly stderr: Promise<string>;
  readonly code: Promise<number | null>;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = { CLOISTER_PROXY_SECRET: PROXY_SECRET }): Running {
  const child = spawn(process.execPath, [program, ...args], { cwd: home, env: { PATH: '/usr/bin:/bin', CLOISTER_HOME: join(home, 'state'), CLOISTER_WORKSPACE: join(home, 'work'), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  closers.push(() => child.kill('SIGKILL'));
  const code = once(child, 'exit').then(() => child.exitCode);
  return { child, code, stderr: text(child.stderr) };
}

function pageOf(socketPath: string): ClientDeps {
  const { transport, close } = createTransport({ sockets: { 'agent.test': socketPath } });
  closers.push(close);
  return { transport, baseUrl: 'http://agent.test', headers: PAGE_HEADERS };
}

async function up(): Promise<Running & { readonly page: ClientDeps }> {
  const socketPath = join(home, 'agent.sock');
  const running = start([socketPath]);
  await expect.poll(() => answers(socketPath), { timeout: 15_000 }).toBe(true);
  return { ...running, page: pageOf(socketPath) };
}

test('it is up without state, daemon or network, and says what is missing when it is asked for it', async () => {
  const { page, child, code, stderr } = await up();
  expect(await callRoute(page, AGENT_ROUTES.root, {})).toEqual({ status: 'ok', checks: {} });
  expect(await codeOf(callRoute(page, AGENT_ROUTES.describeAgent, {}))).toBe('trust_missing');
  expect(await codeOf(callRoute(page, AGENT_ROUTES.listOwnJobs, { query: { name: 'a-query-that-nobody-logs' } }))).toBe('no error');
  expect(await codeOf(callRoute(page, AGENT_ROUTES.listOwnJobs, { query: { cursor: 'a-query-that-nobody-logs' } }))).toBe('daemon_unreachable');
  child.kill('SIGTERM');
  expect(await code).toBe(1);
  const log = await stderr;
  expect(log).toContain('listOwnJobs');
  expect(log).not.toContain('nobody-logs');
  expect(log).not.toContain(PROXY_SECRET);
});

test('what is told of Jupyter’s own keys does not reach the daemon that it starts', async () => {
  const daemon = join(home, 'daemon.mjs');
  await writeFile(daemon, `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(home, 'environment'))}, JSON.stringify(process.env)); console.error('no'); process.exit(1);`);
  const socketPath = join(home, 'agent.sock');
  start([socketPath], { CLOISTER_PROXY_SECRET: PROXY_SECRET, CLOISTER_DAEMON: daemon, JUPYTERHUB_API_TOKEN: 'hub-key', JPY_API_TOKEN: 'old-key', JUPYTER_TOKEN: 'lab-key' });
  await expect.poll(() => answers(socketPath), { timeout: 15_000 }).toBe(true);
  expect(await codeOf(callRoute(pageOf(socketPath), AGENT_ROUTES.listOwnJobs, { query: {} }))).toBe('daemon_unreachable');
  const environment = await readFile(join(home, 'environment'), 'utf8');
  expect(environment).toContain('CLOISTER_HOME');
  expect(environment).not.toMatch(/hub-key|old-key|lab-key|CLOISTER_PROXY_SECRET/);
});

test('a socket that a killed agent left is taken over', async () => {
  const first = await up();
  first.child.kill('SIGKILL');
  await first.code;
  const second = await up();
  expect(await callRoute(second.page, AGENT_ROUTES.root, {})).toMatchObject({ status: 'ok' });
});

test.each([
  ['no socket', [], 'usage'],
  ['a socket path that Linux would cut off', [`/tmp/${'x'.repeat(110)}.sock`], 'config_invalid']
])('%s: a sentence, and no exit code 0', async (_, args, code) => {
  const { stderr, code: exit } = start(args);
  expect(await exit).toBe(1);
  expect(await stderr).toContain(`(${code})`);
  expect((await stderr).trim().split('\n')).toHaveLength(2);
});

test.each([['no secret', {}], ['a secret that can be guessed', { CLOISTER_PROXY_SECRET: 'secret' }]])('%s: it does not start', async (_, env) => {
  const { code } = start([join(home, 'agent.sock')], env);
  expect(await code).toBe(1);
  expect(await answers(join(home, 'agent.sock'))).toBe(false);
});

test('a socket at which somebody answers is not taken', async () => {
  const socketPath = join(home, 'agent.sock');
  const other = createServer().listen(socketPath);
  await once(other, 'listening');
  const { code, stderr } = start([socketPath]);
  expect(await code).toBe(1);
  expect(await stderr).toContain('(already_exists)');
  other.close();
});
