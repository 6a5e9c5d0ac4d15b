import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, collect, fromUtf8, toUtf8 } from '@cloister/protocol';
import { afterEach, expect, test } from 'vitest';
import { closed } from './testing/route-server.js';
import { createTransport } from './transport.js';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function gateway(listener: RequestListener): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  const server = createServer(listener);
  server.listen(join(folder, 'sock'));
  await once(server, 'listening');
  cleanups.push(async () => {
    await closed(server);
    await rm(folder, { recursive: true });
  });
  return join(folder, 'sock');
}

const get = (url: string, signal?: AbortSignal): { method: string; url: string; headers: Record<string, string>; signal?: AbortSignal } =>
  signal === undefined ? { method: 'GET', url, headers: {} } : { method: 'GET', url, headers: {}, signal };

test('local names go through the gateway, told apart by Host', async () => {
  const socket = await gateway((request, response) => void response.end(`${request.headers.host ?? ''} ${request.url ?? ''}`));
  const reply = await createTransport({ gateway: socket })(get('http://hospital.cloister.localhost/v1/x?y=1'));
  expect(fromUtf8(await collect(reply.body, 100))).toBe('hospital.cloister.localhost /v1/x?y=1');
});

test.each([
  'http://169.254.169.254/computeMetadata/v1/',
  'http://metadata.google.internal/',
  'http://127.0.0.1:1/',
  'http://localhost:1/',
  'http://evil.test/.cloister.localhost',
  'http://a.b.cloister.localhost/',
  'ftp://server.cloister.localhost/'
])('%s is refused before a byte is sent', async url => {
  const asked: string[] = [];
  const socket = await gateway((request, response) => { asked.push(request.url ?? ''); response.end(); });
  await expect(createTransport({ gateway: socket })(get(url))).rejects.toThrow('neither https nor');
  expect(asked).toEqual([]);
});

test('without a gateway local names are refused too', async () => {
  await expect(createTransport({})(get('http://server.cloister.localhost/'))).rejects.toMatchObject({ code: 'unavailable' });
});

test('a redirect is a reply and not followed', async () => {
  let asked = 0;
  const socket = await gateway((_, response) => { asked += 1; response.writeHead(302, { location: 'http://server.cloister.localhost/other' }).end(); });
  const reply = await createTransport({ gateway: socket })(get('http://server.cloister.localhost/'));
  expect({ status: reply.status, asked }).toEqual({ status: 302, asked: 1 });
});

test('a streamed body arrives whole', async () => {
  const socket = await gateway((request, response) => {
    void collect(request, 1 << 24).then(bytes => response.end(String(bytes.length)));
  });
  async function* body(): AsyncGenerator<Uint8Array> { for (let at = 0; at < 40; at += 1) yield new Uint8Array(100_000); }
  const reply = await createTransport({ gateway: socket })({ method: 'PUT', url: 'http://server.cloister.localhost/', headers: { 'content-length': '4000000' }, body: body() });
  expect(fromUtf8(await collect(reply.body, 100))).toBe('4000000');
});

test('a body whose source fails keeps that error', async () => {
  const socket = await gateway((request, response) => void request.on('end', () => response.end()).resume());
  async function* body(): AsyncGenerator<Uint8Array> { yield toUtf8('start'); throw new AppError('storage_full', 'no space left'); }
  const sent = createTransport({ gateway: socket })({ method: 'PUT', url: 'http://server.cloister.localhost/', headers: {}, body: body() });
  await expect(sent).rejects.toMatchObject({ code: 'storage_full' });
});

test('a silent service is given up', async () => {
  const socket = await gateway(() => undefined);
  await expect(createTransport({ gateway: socket, idleMs: 50 })(get('http://server.cloister.localhost/'))).rejects.toMatchObject({ code: 'unavailable' });
});

test('a reply that breaks off is an error and not an end', async () => {
  const socket = await gateway((_, response) => { response.writeHead(200, { 'content-length': '10' }); response.write('half', () => response.destroy()); });
  const reply = await createTransport({ gateway: socket })(get('http://server.cloister.localhost/'));
  await expect(collect(reply.body, 100)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a stop ends a request with the reason for it', async () => {
  const stop = new AbortController();
  const socket = await gateway(() => stop.abort(new AppError('runner_lost', 'told to end')));
  await expect(createTransport({ gateway: socket })(get('http://server.cloister.localhost/', stop.signal))).rejects.toMatchObject({ code: 'runner_lost' });
});

test('a service that is not there is unavailable', async () => {
  await expect(createTransport({ gateway: '/nonexistent/sock' })(get('http://server.cloister.localhost/'))).rejects.toMatchObject({ code: 'unavailable' });
});

/** Writes one piece after the other for as long as anybody listens. */
function dripping(piece: Uint8Array): RequestListener {
  return (_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(piece), 20);
    response.on('close', () => clearInterval(drip));
  };
}

const LIMITS = { idleMs: 60_000, callMs: 300, windowMs: 200, leastPerWindow: 10_000 };

test('a reply to a call that comes in drops is given up, though the peer is never silent', async () => {
  const socket = await gateway(dripping(toUtf8(' ')));
  const reply = await createTransport({ gateway: socket, ...LIMITS })({ ...get('http://server.cloister.localhost/'), headers: { accept: 'application/json' } });
  await expect(collect(reply.body, 1 << 20)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a stream that comes in drops is given up', async () => {
  const socket = await gateway(dripping(toUtf8(' ')));
  const reply = await createTransport({ gateway: socket, ...LIMITS })({ ...get('http://server.cloister.localhost/'), headers: { accept: 'application/octet-stream' } });
  await expect(collect(reply.body, 1 << 20)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a stream may take longer than a call, as long as it moves', async () => {
  const socket = await gateway((_, response) => {
    response.writeHead(200);
    let left = 30;
    const drip = setInterval(() => {
      left -= 1;
      response.write(new Uint8Array(20_000));
      if (left > 0) return;
      clearInterval(drip);
      response.end();
    }, 20);
  });
  const reply = await createTransport({ gateway: socket, ...LIMITS })({ ...get('http://server.cloister.localhost/'), headers: { accept: 'application/octet-stream' } });
  expect((await collect(reply.body, 1 << 20)).length).toBe(600_000);
});

test('a service that takes a body in drops is given up', async () => {
  const socket = await gateway(request => void request.once('data', () => request.pause()));
  async function* body(): AsyncGenerator<Uint8Array> { for (;;) yield new Uint8Array(100_000); }
  const sent = createTransport({ gateway: socket, ...LIMITS })({ method: 'PUT', url: 'http://server.cloister.localhost/', headers: { accept: 'application/json' }, body: body() });
  await expect(sent).rejects.toMatchObject({ code: 'unavailable' });
});
