import { createHash } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { AppError, Digest, Problem, defineRoute, digestFromHex, digestOf } from '@cloister/protocol';
import { bindRoutes, createApp, createLogger, listen, type Handlers, type Listening } from '../index.js';

const JSON_LIMIT = 1000;
const ROUTES = {
  echo: defineRoute({
    id: 'echo', method: 'POST', path: '/v1/echoes/{name}', auth: 'optional', summary: '', headers: ['idempotency-key'],
    params: z.strictObject({ name: z.string().check(z.regex(/^[a-z]+$/)) }),
    query: z.strictObject({ times: z.optional(z.string().check(z.regex(/^[0-9]$/))) }),
    body: { kind: 'json', maxBytes: JSON_LIMIT, schema: z.strictObject({ count: z.int(), tags: z.optional(z.array(z.string())) }) },
    response: { kind: 'json', status: 201, schema: z.strictObject({ said: z.string() }) },
    errors: []
  }),
  readEcho: defineRoute({
    id: 'readEcho', method: 'GET', path: '/v1/echoes/{name}', auth: 'none', summary: '', params: z.strictObject({ name: z.string() }),
    body: { kind: 'none' }, response: { kind: 'json', status: 200, schema: z.strictObject({ said: z.string() }) }, errors: []
  }),
  upload: defineRoute({
    id: 'upload', method: 'PUT', path: '/v1/files', auth: 'analyst', summary: '',
    body: { kind: 'bytes', maxBytes: 5_000_000 },
    response: { kind: 'json', status: 200, schema: z.strictObject({ digest: Digest, caller: z.string() }) }, errors: []
  }),
  download: defineRoute({
    id: 'download', method: 'GET', path: '/v1/files', auth: 'none', summary: '', query: z.strictObject({ fail: z.optional(z.string()), endless: z.optional(z.string()) }),
    body: { kind: 'none' }, response: { kind: 'bytes', status: 200 }, errors: []
  }),
  remove: defineRoute({
    id: 'remove', method: 'DELETE', path: '/v1/files', auth: 'none', summary: '', body: { kind: 'none' },
    response: { kind: 'empty', status: 204 }, errors: []
  })
} as const;

interface Caller {
  readonly name: string;
}
const handlers: Handlers<typeof ROUTES, Caller> = {
  echo: async ({ params, query, body, caller, headers }) => {
    if (body.count === 500) throw new TypeError('secret inner text');
    if (body.count === 429) throw new AppError('rate_limited', 'slow down', { members: { retryAfterSeconds: 3 } });
    const said = [params.name, query.times, body.count, caller?.name, headers['idempotency-key'], headers['x-other']].join(' ');
    return { said, ...(body.count === 501 ? { leaked: 'secret inner text' } : {}) };
  },
  readEcho: async ({ params }) => ({ said: params.name }),
  upload: async ({ body, caller }) => {
    const hash = createHash('sha256');
    for await (const piece of body) hash.update(piece);
    return { digest: digestFromHex(hash.digest('hex')), caller: caller.name };
  },
  download: async ({ query }) => (query.endless === undefined ? { body: pieces(query.fail !== undefined), size: 6 } : { body: endless() }),
  remove: async () => undefined
};

let freed = false;
async function* endless(): AsyncGenerator<Uint8Array, undefined> {
  try {
    for (;;) yield new Uint8Array(100_000);
  } finally {
    freed = true;
  }
}

async function* pieces(fail: boolean): AsyncGenerator<Uint8Array, undefined> {
  yield Buffer.from('abc');
  if (fail) throw new Error('disk');
  yield Buffer.from('def');
}

const logged: string[] = [];
let listening: Listening;
let base = '';
beforeAll(async () => {
  const logger = createLogger({ service: 'test', level: 'debug', destination: { write: line => logged.push(line) } });
  const router = bindRoutes(ROUTES, handlers, {
    authenticate: async ({ headers }) => {
      if (headers['cloister-proof'] === 'liar') throw new AppError('proof_invalid', 'no');
      if (headers['cloister-proof'] === 'other body') return { caller: { name: 'a' }, bodyDigest: digestOf(Buffer.from('{}')) };
      return headers['cloister-proof'] === undefined ? undefined : { caller: { name: String(headers['cloister-proof']) } };
    }
  });
  listening = await listen(createApp({ logger, routers: [router] }), { host: '127.0.0.1', port: 0 });
  base = listening.url ?? '';
});
afterAll(() => listening.close());

async function problem(response: Response): Promise<{ code: string; body: Record<string, unknown> }> {
  const body: unknown = await response.json();
  if (typeof body !== 'object' || body === null || !('type' in body)) throw new Error('no problem document');
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const members = Problem.parse(body);
  expect([members.status, typeof members.title, typeof members.hint, typeof members.retry]).toEqual([response.status, 'string', 'string', 'boolean']);
  expect(members.requestId).toBe(response.headers.get('x-request-id'));
  return { code: String(body.type).replace('urn:cloister:error:', ''), body: { ...body } };
}

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, path = '/v1/echoes/me'): Promise<Response> {
  return fetch(base + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}

describe('a request as the table has it', () => {
  test('reaches its handler parsed, and its reply has our headers', async () => {
    const response = await post('{"count":7}', { 'cloister-proof': 'ann', 'idempotency-key': 'k', 'x-other': 'o' }, '/v1/echoes/me?times=3');
    expect([response.status, await response.json()]).toEqual([201, { said: 'me 3 7 ann k ' }]);
    const headers = ['content-type', 'x-content-type-options', 'cache-control'].map(name => response.headers.get(name));
    expect(headers).toEqual(['application/json', 'nosniff', 'no-store']);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.has('x-powered-by')).toBe(false);
  });

  test('may have no sender where the route makes that optional', async () => {
    expect(await (await post('{"count":7}')).json()).toEqual({ said: 'me  7   ' });
  });

  test('streams in and out', async () => {
    const body = Buffer.alloc(3_000_000, 7);
    const response = await fetch(`${base}/v1/files`, { method: 'PUT', body, headers: { 'content-type': 'application/octet-stream', 'cloister-proof': 'ann' } });
    expect(await response.json()).toEqual({ digest: digestOf(body), caller: 'ann' });
    const download = await fetch(`${base}/v1/files`);
    expect([download.headers.get('content-length'), await download.text()]).toEqual(['6', 'abcdef']);
  });

  test('may have nothing to reply', async () => {
    const response = await fetch(`${base}/v1/files`, { method: 'DELETE' });
    expect([response.status, await response.text()]).toEqual([204, '']);
  });
});

describe('a bad body', () => {
  const BAD: readonly { name: string; body: string | Uint8Array<ArrayBuffer>; headers: Record<string, string>; status: number; code: string }[] = [
    { name: 'with a key twice', body: '{"count":1,"count":2}', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'nested deeply', body: `{"count":${'['.repeat(400)}${']'.repeat(400)}}`, headers: {}, status: 400, code: 'invalid_json' },
    { name: 'with a number beyond all', body: '{"count":1e400}', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'with a wrong type', body: '{"count":"1"}', headers: {}, status: 400, code: 'invalid_request' },
    { name: 'with an unknown member', body: '{"count":1,"tag":[]}', headers: {}, status: 400, code: 'invalid_request' },
    { name: 'with __proto__', body: '{"count":1,"__proto__":{}}', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'cut short', body: '{"count":', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'with text behind it', body: '{"count":1} x', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'that is empty', body: '', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'that is null', body: 'null', headers: {}, status: 400, code: 'invalid_request' },
    { name: 'not UTF-8', body: new Uint8Array([0x22, 0xff, 0x22]), headers: {}, status: 400, code: 'invalid_json' },
    { name: 'with a byte order mark', body: '\ufeff{"count":1}', headers: {}, status: 400, code: 'invalid_json' },
    { name: 'too large', body: `{"count":1,"tags":["${'x'.repeat(JSON_LIMIT)}"]}`, headers: {}, status: 413, code: 'payload_too_large' },
    { name: 'of another type', body: '{"count":1}', headers: { 'content-type': 'text/plain' }, status: 415, code: 'unsupported_media_type' },
    { name: 'of another charset', body: '{"count":1}', headers: { 'content-type': 'application/json; charset=utf-16' }, status: 415, code: 'unsupported_media_type' },
    { name: 'compressed', body: '{"count":1}', headers: { 'content-encoding': 'gzip' }, status: 415, code: 'unsupported_media_type' },
    { name: 'of another digest than its proof says', body: '{"count":1}', headers: { 'cloister-proof': 'other body' }, status: 401, code: 'proof_invalid' }
  ];
  test.each(BAD)('$name is refused', async ({ body, headers, status, code }) => {
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    expect((await problem(response)).code).toBe(code);
  });

  test('is refused as too large also where its length is not told', async () => {
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: controller => {
        controller.enqueue(Buffer.alloc(600, 32));
        // Far beyond every limit, and yet an end: a client that is not told to stop would go on for ever.
        if ((pieces += 1) > 50_000) controller.close();
      }
    });
    const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${base}/v1/echoes/me`, init);
    expect((await problem(response)).code).toBe('payload_too_large');
  });

  test.each(['DELETE', 'GET'])('on a route that takes none is refused (%s)', async method => {
    const sent = rawRequest(`${base}/v1/files`, { method, headers: { 'transfer-encoding': 'chunked' } });
    const reply = new Promise<string>((resolve, reject) => {
      sent.on('error', reject).on('response', response => void text(response).then(resolve, reject));
    });
    sent.end('x');
    expect(JSON.parse(await reply)).toMatchObject({ type: 'urn:cloister:error:invalid_request' });
  });

  test('that breaks off while it streams reaches no end', async () => {
    const url = new URL(base);
    const socket = connect(Number(url.port), url.hostname);
    socket.write('PUT /v1/files HTTP/1.1\r\nHost: x\r\nCloister-Proof: ann\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nabc');
    socket.end();
    expect(await text(socket)).not.toContain('HTTP/1.1 200');
  });
});

describe('a bad address', () => {
  test.each([
    { method: 'GET', path: '/nothing', name: 'no such path', status: 404, code: 'not_found' },
    { method: 'GET', path: '/V1/files', name: 'another case', status: 404, code: 'not_found' },
    { method: 'GET', path: '/v1/files/', name: 'a slash behind it', status: 404, code: 'not_found' },
    { method: 'PATCH', path: '/v1/files', name: 'another method', status: 405, code: 'method_not_allowed' },
    { method: 'HEAD', path: '/v1/echoes/me', name: 'HEAD, which is not in the table', status: 405, code: '' },
    { method: 'GET', path: '/v1/echoes/%ff', name: 'bad percent encoding', status: 400, code: 'invalid_request' },
    { method: 'GET', path: '/v1/files?x=1', name: 'an unknown query name', status: 400, code: 'invalid_request' },
    { method: 'GET', path: '/v1/files?fail=1&fail=2', name: 'a query name twice', status: 400, code: 'invalid_request' },
    { method: 'GET', path: '/v1/echoes/me?x=1', name: 'a query where there is none', status: 400, code: 'invalid_request' },
    { method: 'POST', path: '/v1/echoes/ME', name: 'a parameter that does not fit', status: 400, code: 'invalid_request' }
  ])('$method $path ($name) is told as a problem', async ({ method, path, status, code }) => {
    const response = await fetch(base + path, { method, ...(method === 'POST' ? { body: '{"count":1}', headers: { 'content-type': 'application/json' } } : {}) });
    expect(response.status).toBe(status);
    if (code !== '') expect((await problem(response)).code).toBe(code);
    if (status === 405) expect(response.headers.get('allow')).toMatch(/GET/);
  });
});

describe('a sender', () => {
  const put = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${base}/v1/files`, { method: 'PUT', body: 'x', headers: { 'content-type': 'application/octet-stream', ...headers } });

  test('that is missing is asked for', async () => {
    const response = await put({});
    expect(response.headers.get('www-authenticate')).toBe('Cloister-Proof');
    expect((await problem(response)).code).toBe('proof_missing');
  });

  test('that lies is refused, also where it need not say anything', async () => {
    expect((await problem(await put({ 'cloister-proof': 'liar' }))).code).toBe('proof_invalid');
    expect((await problem(await post('{"count":1}', { 'cloister-proof': 'liar' }))).code).toBe('proof_invalid');
  });

  test('is held to the digest of a streamed body', async () => {
    expect((await problem(await put({ 'cloister-proof': 'other body' }))).code).toBe('proof_invalid');
  });

  test('is refused before its body is read, and still gets the reply', async () => {
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: controller => {
        controller.enqueue(new Uint8Array(100_000));
        if ((pieces += 1) > 20_000) controller.close();
      }
    });
    const init = { method: 'PUT', body, duplex: 'half', headers: { 'content-type': 'application/octet-stream', 'cloister-proof': 'liar' } };
    const response = await fetch(`${base}/v1/files`, init);
    expect((await problem(response)).code).toBe('proof_invalid');
    // Two gigabytes were on offer: the connection ended long before them.
    expect(pieces).toBeLessThan(20_000);
  });
});

describe('a failure inside', () => {
  test('is told without its text, which is logged under the request’s id', async () => {
    logged.length = 0;
    const response = await post('{"count":500}');
    const told = await problem(response);
    expect([response.status, told.code]).toEqual([500, 'internal']);
    expect(JSON.stringify(told.body)).not.toContain('secret inner text');
    const line = logged.find(text => text.includes('secret inner text')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ level: 'error', requestId: told.body['requestId'], err: { type: 'TypeError' } });
  });

  test('such as a reply that is not as promised does not leave the service', async () => {
    const response = await post('{"count":501}');
    expect([response.status, (await response.text()).includes('leaked')]).toEqual([500, false]);
  });

  test('carries Retry-After', async () => {
    const response = await post('{"count":429}');
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
  });

  test('in the middle of a stream breaks it off', async () => {
    await expect(fetch(`${base}/v1/files?fail=1`).then(response => response.text())).rejects.toThrow();
  });
});

test('a client that leaves in the middle of a download frees its source, and is no failure of ours', async () => {
  logged.length = 0;
  const controller = new AbortController();
  const response = await fetch(`${base}/v1/files?endless=1`, { signal: controller.signal });
  await response.body?.getReader().read();
  controller.abort();
  await expect.poll(() => freed).toBe(true);
  await expect.poll(() => logged.join('')).toContain('the client left');
  expect(logged.join('')).not.toContain('"level":"error"');
});

test('a connection stays open after a refusal that has no body to skip', async () => {
  const response = await fetch(`${base}/nothing`);
  expect([response.status, response.headers.get('connection')]).toEqual([404, 'keep-alive']);
});

test('a request is logged by its route, never by its address or body', async () => {
  logged.length = 0;
  await (await post('{"count":41235}', {}, '/v1/echoes/hidden?times=3')).text();
  await expect.poll(() => logged.join('')).toContain('"route":"echo"');
  expect(logged.join('')).not.toMatch(/hidden|41235|times/);
});
