import { createServer, request, type IncomingMessage } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGateway, urlOf } from './gateway.js';
import { layoutOf } from './layout.js';
import { createIdleWatch } from './idle.js';

let directory: string;
let socketPath: string;
const gateway = createServer(createGateway(new Map([['hospital', (_, response) => response.end('hospital')], ['server', (_, response) => response.end('server')]])));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gw-'));
  socketPath = join(directory, 's');
  await new Promise<void>(resolve => gateway.listen(socketPath, resolve));
});
afterAll(async () => {
  gateway.close();
  await rm(directory, { recursive: true });
});

async function ask(host: string): Promise<{ status: number | undefined; text: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => request({ socketPath, path: '/', headers: { host } }, resolve).on('error', reject).end());
  let text = '';
  for await (const part of response) text += String(part);
  return { status: response.statusCode, text };
}

test('each application sees the requests of its own host only', async () => {
  expect(await ask('hospital.cloister.localhost')).toEqual({ status: 200, text: 'hospital' });
  expect(await ask('server.cloister.localhost')).toEqual({ status: 200, text: 'server' });
});

test.each(['registry.cloister.localhost', 'hospital', 'hospital.evil.example', 'x.hospital.cloister.localhost', '__proto__.cloister.localhost', '.cloister.localhost'])('nobody answers as %s', async host => {
  const { status, text } = await ask(host);
  expect(status).toBe(404);
  expect(text).toContain('urn:cloister:error:not_found');
});

test('addresses name the host', () => {
  expect(urlOf('hospital')).toBe('http://hospital.cloister.localhost');
});

test('sockets fit their limit also below a long state directory', () => {
  expect(layoutOf('/home/a/.cloister').gateway).toBe('/home/a/.cloister/run/gateway.sock');
  const long = layoutOf(`/${'x'.repeat(200)}`);
  expect(Buffer.byteLength(long.gateway)).toBeLessThan(107);
  expect(long.gateway).not.toBe(layoutOf(`/${'x'.repeat(201)}`).gateway);
});

test('idle means no request for the limit, and nothing that goes on', async () => {
  let now = new Date(0);
  const watch = createIdleWatch(1000, now, () => now);
  const never = async (): Promise<boolean> => false;
  now = new Date(999);
  expect(await watch.isIdle(now, never)).toBe(false);
  now = new Date(1000);
  expect(await watch.isIdle(now, async () => true)).toBe(false);
  expect(await watch.isIdle(now, never)).toBe(false);
  now = new Date(2000);
  watch.touch();
  expect(await watch.isIdle(new Date(2500), never)).toBe(false);
  expect(await watch.isIdle(new Date(3000), never)).toBe(true);
});
