import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAgentEnvironment } from './config.js';
import { AGENT_VERSION } from './version.js';
import { readFile } from 'node:fs/promises';

const SECRETS = ['CLOISTER_PROXY_SECRET', 'JUPYTERHUB_API_TOKEN', 'JPY_API_TOKEN', 'JUPYTER_TOKEN'];
let before: NodeJS.ProcessEnv;
beforeEach(() => (before = { ...process.env }));
afterEach(() => {
  process.env = before;
});

test('secrets leave the environment, so that no child gets them', () => {
  for (const name of SECRETS) process.env[name] = 'x'.repeat(40);
  expect(readAgentEnvironment().proxySecret).toBe('x'.repeat(40));
  expect(SECRETS.filter(name => name in process.env)).toEqual([]);
});

test('a secret that can be guessed is none, and does not stay either', () => {
  process.env['CLOISTER_PROXY_SECRET'] = 'short';
  expect(() => readAgentEnvironment()).toThrow('config_invalid');
  expect(process.env['CLOISTER_PROXY_SECRET']).toBeUndefined();
});

test('places are absolute, and an empty one is none', () => {
  Object.assign(process.env, { CLOISTER_HOME: '', CLOISTER_WORKSPACE: 'work', CLOISTER_DAEMON: '/opt/daemon.mjs' });
  expect(readAgentEnvironment()).toMatchObject({ home: join(homedir(), '.cloister'), workspace: join(process.cwd(), 'work'), daemonProgram: '/opt/daemon.mjs' });
});

test('the version is the package’s', async () => {
  expect(JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))).toMatchObject({ version: AGENT_VERSION });
});
