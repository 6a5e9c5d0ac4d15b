import { once as happens } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { Digest, callRoute, collect, createProver, createSigningKey, defineRoute, digestOf, openRoute, signerOf, type ClientDeps } from '@cloister/protocol';
import {
  authenticateByProof,
  bindRoutes,
  createApp,
  createLogger,
  createReplayMemory,
  createTransport,
  listen,
  systemClock,
  type Listening,
  type NodeTransport
} from '../index.js';

const ROUTES = {
  put: defineRoute({
    id: 'put', method: 'PUT', path: '/v1/files/{digest}', auth: 'analyst', summary: '', params: z.strictObject({ digest: Digest }),
    body: { kind: 'bytes', maxBytes: 10_000_000 }, response: { kind: 'empty', status: 204 }, errors: []
  }),
  get: defineRoute({
    id: 'get', method: 'GET', path: '/v1/files/{digest}', auth: 'none', summary: '', params: z.strictObject({ digest: Digest }),
    body: { kind: 'none' }, response: { kind: 'bytes', status: 200 }, errors: []
  }),
  who: defineRoute({
    id: 'who', method: 'POST', path: '/v1/who', auth: 'analyst', summary: '', query: z.strictObject({ loud: z.optional(z.string()) }),
    body: { kind: 'json', maxBytes: 1000, schema: z.strictObject({ word: z.string() }) },
    response: { kind: 'json', status: 200, schema: z.strictObject({ said: z.string() }) }, errors: []
  })
} as const;
const PUBLIC_URL = 'http://server.cloister.localhost';

const kept = new Map<string, Uint8Array>();
let directory = '';
let listening: Listening;
let client: NodeTransport;
let deps: ClientDeps;
let me = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-trip-'));
  const socketPath = join(directory, 's');
  const router = bindRoutes(
    ROUTES,
    {
      put: async ({ params, body }) => {
        kept.set(params.digest, await collect(body, 10_000_000));
        return undefined;
      },
      get: async ({ params }) => {
        const bytes = kept.get(params.digest) ?? new Uint8Array();
        return { body: once(bytes), size: bytes.length };
      },
      who: async ({ caller, query, body }) => ({ said: `${caller} ${body.word}${query.loud ?? ''}` })
    },
    { authenticate: authenticateByProof({ publicUrl: PUBLIC_URL, clock: systemClock, replays: createReplayMemory(systemClock) }) }
  );
  const logger = createLogger({ service: 'test', level: 'silent', destination: 'stderr' });
  listening = await listen(createApp({ logger, routers: [router] }), { socketPath });
  const signer = await signerOf(await createSigningKey());
  me = signer.thumbprint;
  client = createTransport({ sockets: { 'cloister.localhost': socketPath } });
  deps = { transport: client.transport, baseUrl: PUBLIC_URL, prove: createProver(signer, systemClock) };
});
afterAll(async () => {
  client.close();
  await listening.close();
  await rm(directory, { recursive: true, force: true });
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}

const FILE = new Uint8Array(2_000_000).fill(9);

test('a signed call over a unix socket reaches its handler, and its reply comes back parsed', async () => {
  expect(await callRoute(deps, ROUTES.who, { query: { loud: '!?&' }, body: { word: 'höi' } })).toEqual({ said: `${me} höi!?&` });
});

test('a signed stream goes up, and comes down again', async () => {
  const digest = digestOf(FILE);
  await callRoute(deps, ROUTES.put, { params: { digest }, body: once(FILE), stream: { digest, size: FILE.length } });
  const reply = await openRoute(deps, ROUTES.get, { params: { digest } });
  expect(digestOf(await collect(reply.body, 10_000_000))).toBe(digest);
});

test('a stream of other bytes than were signed is not kept', async () => {
  const digest = digestOf(Buffer.from('other'));
  const putting = callRoute(deps, ROUTES.put, { params: { digest }, body: once(FILE), stream: { digest, size: FILE.length } });
  await expect(putting).rejects.toMatchObject({ code: 'proof_invalid' });
  expect(kept.has(digest)).toBe(false);
});

test('a refusal comes back as the error that it was', async () => {
  const { transport, baseUrl } = deps;
  await expect(callRoute({ transport, baseUrl }, ROUTES.who, { body: { word: 'x' } })).rejects.toMatchObject({ code: 'proof_missing' });
});

test('a refusal by the headers alone waits for a small body that is still on its way, so that the connection lives on', async () => {
  const socket = connect(join(directory, 's'));
  const body = JSON.stringify({ word: 'x'.repeat(500) });
  socket.write(`POST /v1/who HTTP/1.1\r\nhost: server.cloister.localhost\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n`);
  const answered = happens(socket, 'data');
  // The server has the head alone by now, and has refused it.
  await happens(socket, 'connect');
  socket.write(body);
  const reply = String((await answered)[0]);
  expect(reply).toMatch(/^HTTP\/1\.1 415 /);
  const next = happens(socket, 'data');
  socket.write('GET /nothing HTTP/1.1\r\nhost: server.cloister.localhost\r\n\r\n');
  expect(String((await next)[0])).toMatch(/^HTTP\/1\.1 404 /);
  socket.destroy();
});
