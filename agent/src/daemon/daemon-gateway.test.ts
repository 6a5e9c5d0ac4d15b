import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SERVER_ROUTES, callRoute, type Transport } from '@cloister/protocol';
import { answers, systemClock } from '@cloister/kit';
import { codeOf, errorOf } from '../testing/refusals.js';
import { createDaemonGateway, type DaemonGateway } from './daemon-gateway.js';

/** Listens as a daemon does, says so, and keeps a list of its own starts. */
const DAEMON = `
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
const home = process.argv[3];
appendFileSync(home + '/starts', process.pid + '\\n');
mkdirSync(home + '/run', { recursive: true, mode: 0o700 });
const socket = home + '/run/gateway.sock';
rmSync(socket, { force: true });
const server = createServer((request, response) => response.setHeader('content-type', 'application/json').end('{"status":"ok","checks":{}}'));
server.listen(socket, () => console.log('listening ' + socket));
process.once('SIGTERM', () => { server.close(() => process.exit(0)); server.closeAllConnections(); });
`;

let home: string;
let program: string;
let gateway: DaemonGateway;
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'cl-daemon-'));
  home = join(root, 'home');
  program = join(root, 'daemon.mjs');
  await mkdir(home, { mode: 0o700 });
  await writeFile(program, DAEMON);
  gateway = open(program);
});
afterEach(async () => {
  gateway.close();
  await end('SIGKILL');
  await rm(join(home, '..'), { recursive: true, force: true });
});

const open = (path: string | undefined): DaemonGateway => createDaemonGateway({ home, program: path, clock: systemClock, note: () => undefined });
const ask = async (transport: Transport = gateway.transport): Promise<string> => (await callRoute({ transport, baseUrl: 'http://server.cloister.localhost' }, SERVER_ROUTES.health, {})).status;
const starts = async (): Promise<number[]> => (await readFile(join(home, 'starts'), 'utf8').catch(() => '')).trim().split('\n').filter(line => line !== '').map(Number);

/** Ends the daemon that started last, and waits until it is gone. */
async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const pid = (await starts()).at(-1);
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
  await expect.poll(() => answers(join(home, 'run/gateway.sock'))).toBe(false);
}

test('nothing is started before something is asked, and many who ask at once start one daemon', async () => {
  expect(await starts()).toEqual([]);
  expect(await Promise.all(Array.from({ length: 8 }, async () => ask()))).toEqual(Array.from({ length: 8 }, () => 'ok'));
  expect(await starts()).toHaveLength(1);
});

test('a daemon that broke down is started again by the next request, also by one that nobody asked for', async () => {
  await ask();
  await end('SIGKILL');
  expect(await ask()).toBe('ok');
  await end('SIGKILL');
  expect(await ask(gateway.background)).toBe('ok');
  expect(await starts()).toHaveLength(3);
});

test('a daemon that was told to end stays so until somebody asks for something', async () => {
  await ask();
  await end('SIGTERM');
  const error = await errorOf(ask(gateway.background));
  expect([error.code, error.detail]).toEqual(['daemon_unreachable', 'the Cloister daemon of this machine has ended']);
  expect(await starts()).toHaveLength(1);
  expect(await ask()).toBe('ok');
  expect(await ask(gateway.background)).toBe('ok');
  expect(await starts()).toHaveLength(2);
});

test.each([undefined, '/nowhere/daemon.mjs'])('without its program (%s) it says how to start it, and tries anew once it runs', async path => {
  const blind = open(path);
  const error = await errorOf(ask(blind.transport));
  expect([error.code, error.hint]).toEqual(['daemon_unreachable', expect.stringContaining('CLOISTER_DAEMON')]);
  await ask();
  expect(await ask(blind.transport)).toBe('ok');
  blind.close();
});

test('a daemon that does not come up says why, and does not stand in the way of a later try', async () => {
  await writeFile(program, 'console.error("no room left (storage_full)"); process.exit(1);');
  expect((await errorOf(ask())).detail).toContain('no room left');
  await writeFile(program, DAEMON);
  expect(await codeOf(ask())).toBe('no error');
});
