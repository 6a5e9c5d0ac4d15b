import { randomBytes } from 'node:crypto';
import { link, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collect } from '@cloister/protocol';
import { answers, createTransport, listen, type Listening, type NodeTransport } from '../index.js';

let directory = '';
let client: NodeTransport;
const open: Listening[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-transport-'));
  client = createTransport({ sockets: { 'cloister.localhost': join(directory, 's') }, headersMs: 300, idleMs: 300 });
});
afterEach(async () => {
  client.close();
  await Promise.all(open.splice(0).map(server => server.close(0)));
  await rm(directory, { recursive: true, force: true });
});

async function serve(app: RequestListener, address: Parameters<typeof listen>[1] = { host: '127.0.0.1', port: 0 }): Promise<string> {
  const server = await listen(app, address);
  open.push(server);
  return server.url ?? '';
}

const get = (url: string, signal?: AbortSignal): ReturnType<NodeTransport['transport']> =>
  client.transport({ method: 'GET', url, headers: {}, ...(signal === undefined ? {} : { signal }) });
const text = async (body: AsyncIterable<Uint8Array>): Promise<string> => Buffer.from(await collect(body, 1 << 24)).toString();

describe('over a unix socket', () => {
  test('hosts of the suffix reach it with their own name, and others do not', async () => {
    await serve((request, response) => response.end(request.headers.host), { socketPath: join(directory, 's') });
    expect(await text((await get('http://hospital.cloister.localhost/x')).body)).toBe('hospital.cloister.localhost');
    expect(await text((await get('http://cloister.localhost/x')).body)).toBe('cloister.localhost');
    const other = await serve((_, response) => response.end('tcp'));
    expect(await text((await get(`${other}/x`)).body)).toBe('tcp');
    await expect(get('http://evilcloister.localhost.invalid/x')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('nobody there is told as the daemon not answering, which one may try again', async () => {
    await expect(get('http://cloister.localhost/x')).rejects.toMatchObject({ code: 'daemon_unreachable', retry: true });
  });

  test('the socket is for its owner only, and a stale one is taken over', async () => {
    const path = join(directory, 's');
    const crashed = createTcpServer().listen(path);
    await once(crashed, 'listening');
    // What a crash leaves: a socket file with nobody behind it.
    await link(path, `${path}.kept`);
    crashed.close();
    await once(crashed, 'close');
    await link(`${path}.kept`, path);
    expect(await answers(path)).toBe(false);
    await serve((_, response) => response.end('new'), { socketPath: path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await text((await get('http://cloister.localhost/')).body)).toBe('new');
  });

  test('a socket that answers, a file that is none, and a path that is too long are refused', async () => {
    const path = join(directory, 's');
    await serve((_, response) => response.end(), { socketPath: path });
    await expect(listen(() => undefined, { socketPath: path })).rejects.toMatchObject({ code: 'already_exists' });
    await writeFile(`${path}.file`, 'precious');
    await expect(listen(() => undefined, { socketPath: `${path}.file` })).rejects.toMatchObject({ code: 'file_exists' });
    await expect(listen(() => undefined, { socketPath: `${path}${'x'.repeat(107)}` })).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

describe('a request', () => {
  test('streams a large body, and its reply streams back', async () => {
    const url = await serve((request, response) => request.pipe(response));
    const body = randomBytes(3_000_000);
    async function* parts(): AsyncGenerator<Uint8Array, undefined> {
      for (let at = 0; at < body.length; at += 100_000) yield body.subarray(at, at + 100_000);
    }
    const reply = await client.transport({ method: 'PUT', url, headers: { 'content-length': String(body.length) }, body: parts() });
    expect(Buffer.from(await collect(reply.body, 1 << 24)).equals(body)).toBe(true);
  });

  test('that is refused early gets the reply, although most of its body was not sent', async () => {
    const url = await serve((_, response) => response.writeHead(413, { connection: 'close' }).end('too large'));
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array, undefined> {
      for (;;) {
        sent += 65_536;
        yield new Uint8Array(65_536);
      }
    }
    const reply = await client.transport({ method: 'PUT', url, headers: {}, body: endless() });
    expect([reply.status, await text(reply.body)]).toEqual([413, 'too large']);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('whose body cannot be read fails with the reason, and the server is not left waiting', async () => {
    const seen = { arrived: false, brokeOff: false };
    const url = await serve(request => {
      seen.arrived = true;
      request.on('error', () => undefined).once('close', () => {
        seen.brokeOff = !request.complete;
      });
      request.resume();
    });
    async function* broken(): AsyncGenerator<Uint8Array, undefined> {
      yield new Uint8Array(10);
      await expect.poll(() => seen.arrived).toBe(true);
      throw new Error('disk');
    }
    const sending = client.transport({ method: 'PUT', url, headers: {}, body: broken() });
    await expect(sending).rejects.toMatchObject({ code: 'internal', cause: { message: 'disk' } });
    await expect.poll(() => seen.brokeOff).toBe(true);
  });

  test('uses the connection of the one before, and leaves nothing on it', async () => {
    const connections = new Set<unknown>();
    const url = await serve((request, response) => {
      connections.add(request.socket);
      response.end('x');
    });
    const warnings: Error[] = [];
    const warned = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', warned);
    for (let n = 0; n < 20; n += 1) await text((await get(url)).body);
    process.off('warning', warned);
    expect([connections.size, warnings]).toEqual([1, []]);
  });

  test('follows no redirect', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    const reply = await get(url);
    expect([reply.status, reply.headers['location']]).toEqual([302, 'http://127.0.0.1:1/']);
    await text(reply.body);
  });

  test('uses no proxy of the environment', async () => {
    const url = await serve((request, response) => response.end(request.url));
    process.env['http_proxy'] = 'http://127.0.0.1:1';
    try {
      expect(await text((await get(`${url}/direct`)).body)).toBe('/direct');
    } finally {
      delete process.env['http_proxy'];
    }
  });

  test.each<[string, RequestListener]>([
    ['says nothing', () => undefined],
    ['stops in the middle', (_, response) => response.writeHead(200, { 'content-length': '10' }).write('abc')],
    ['hangs up in the middle', (_, response) => response.writeHead(200, { 'content-length': '10' }).write('abc', () => response.destroy())],
    ['hangs up at once', (request, response) => (request.resume(), response.destroy())]
  ])('ends with an error when the service %s', async (_, app) => {
    const url = await serve(app);
    const reading = async (): Promise<string> => text((await get(url)).body);
    await expect(reading()).rejects.toMatchObject({ code: 'unavailable', retry: true });
  });

  test('ends when it is aborted, before the reply and within it', async () => {
    const reason = new Error('enough');
    const before = new AbortController();
    const silent = await serve(() => before.abort(reason));
    await expect(get(silent, before.signal)).rejects.toBe(reason);

    const within = new AbortController();
    const half = await serve((_, response) => response.writeHead(200).write('abc'));
    const reply = await get(half, within.signal);
    const reading = async (): Promise<void> => {
      for await (const piece of reply.body) if (piece.length > 0) within.abort(reason);
    };
    await expect(reading()).rejects.toBe(reason);
    await expect(get(half, within.signal)).rejects.toBe(reason);
  });
});

test('closing lets a request finish that has begun, and cuts off one that does not', async () => {
  const waiting: (() => void)[] = [];
  const server = await listen((request, response) => {
    if (request.url === '/slow') waiting.push(() => response.end('done'));
  }, { host: '127.0.0.1', port: 0 });
  const patient = createTransport();
  const slow = patient.transport({ method: 'GET', url: `${server.url ?? ''}/slow`, headers: {} });
  const stuck = patient.transport({ method: 'GET', url: `${server.url ?? ''}/stuck`, headers: {} });
  const refused = expect(stuck).rejects.toMatchObject({ code: 'unavailable' });
  await expect.poll(() => waiting.length).toBe(1);
  const closing = server.close(500);
  waiting[0]?.();
  expect(await text((await slow).body)).toBe('done');
  await Promise.all([closing, refused]);
  patient.close();
});

test('a plain node server that closes early is no different', async () => {
  const server = createServer((_, response) => response.end('x')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await text((await get(`http://127.0.0.1:${port}/`)).body)).toBe('x');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await expect(get(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'unavailable' });
});
