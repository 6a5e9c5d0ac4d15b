import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, collect, digestOf, parseJson, toUtf8 } from '@cloister/protocol';
import { createTestVerifier } from '@cloister/protocol/testing';
import { afterEach, expect, test } from 'vitest';
import { hastyClock } from '../testing/rig.js';
import { closed } from '../testing/route-server.js';
import { createLauncherTokens, type TokenRequest, type TokenSource } from './token-source.js';

const verifier = await createTestVerifier();
const image = digestOf(toUtf8('image'));
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Launcher {
  readonly tokens: TokenSource;
  readonly asked: unknown[];
}

/** A launcher that answers as `answer` says, by the number of the request from 1. */
async function launcher(answer: (times: number, response: ServerResponse, request: IncomingMessage) => void | Promise<void>, deadlineMs = 5000): Promise<Launcher> {
  const folder = await mkdtemp(join(tmpdir(), 'tee-'));
  const asked: unknown[] = [];
  const server: Server = createServer((request, response) => {
    void collect(request, 1 << 16).then(async bytes => {
      asked.push({ method: request.method, url: request.url, body: parseJson(bytes) });
      await answer(asked.length, response, request);
    });
  });
  server.listen(join(folder, 'tee.sock'));
  await once(server, 'listening');
  cleanups.push(async () => {
    await closed(server);
    await rm(folder, { recursive: true });
  });
  return { asked, tokens: createLauncherTokens({ socket: join(folder, 'tee.sock'), clock: hastyClock, deadlineMs }) };
}

const NONCE = 'n'.repeat(43);
const wanted = (signal = new AbortController().signal): TokenRequest => ({ audience: 'urn:cloister:release', type: 'OIDC', nonce: NONCE, signal });
const mint = (over: { audience?: string; nonces?: string[] } = {}): Promise<string> =>
  verifier.mint({ audience: 'urn:cloister:release', nonces: [NONCE], image, instance: 'job-1', issuedAt: new Date(), ...over });

const reply = (response: ServerResponse, status: number, text: string): void => void response.writeHead(status, { 'content-type': 'text/html' }).end(text);

test('asks the launcher with exactly the members that it takes, and reads image and instance from the token', async () => {
  const token = await mint();
  const { tokens, asked } = await launcher((_, response) => reply(response, 200, token));
  expect(await tokens(wanted())).toEqual({ token, image, instance: 'job-1' });
  expect(asked).toEqual([{ method: 'POST', url: '/v1/token', body: { audience: 'urn:cloister:release', token_type: 'OIDC', nonces: [NONCE] } }]);
});

test('a 400 is final: the request or the permissions are wrong', async () => {
  const { tokens, asked } = await launcher((_, response) => reply(response, 400, 'failed to retrieve custom attestation service token: PermissionDenied'));
  await expect(tokens(wanted())).rejects.toMatchObject({ code: 'attestation_rejected' });
  expect(asked).toHaveLength(1);
});

test('a 500 is tried again', async () => {
  const { tokens, asked } = await launcher(async (times, response) => reply(response, times < 3 ? 500 : 200, times < 3 ? 'Unavailable' : await mint()));
  expect((await tokens(wanted())).instance).toBe('job-1');
  expect(asked).toHaveLength(3);
});

test('a launcher that goes on failing is unavailable, and its text is not repeated', async () => {
  const { tokens, asked } = await launcher((_, response) => reply(response, 500, 'account runner@secret-project'));
  const error: unknown = await tokens(wanted()).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'unavailable' });
  expect(String(error)).not.toContain('secret-project');
  expect(asked).toHaveLength(4);
});

test('a launcher that never answers is given up, since it has no time-outs of its own', async () => {
  const { tokens, asked } = await launcher(() => undefined, 50);
  await expect(tokens(wanted())).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toHaveLength(4);
});

test('a stopped attempt does not wait for the launcher', async () => {
  const stop = new AbortController();
  const { tokens } = await launcher(() => stop.abort(new AppError('runner_lost', 'told to end')));
  await expect(tokens(wanted(stop.signal))).rejects.toMatchObject({ code: 'runner_lost' });
});

test.each([
  { name: 'for another audience', over: { audience: 'https://sts.googleapis.com' } },
  { name: 'without the nonce', over: { nonces: ['m'.repeat(43)] } }
])('a token $name is refused', async ({ over }) => {
  const { tokens } = await launcher(async (_, response) => reply(response, 200, await mint(over)));
  await expect(tokens(wanted())).rejects.toMatchObject({ code: 'attestation_rejected' });
});

test.each(['', 'hello', 'a.b', '<html>'])('a reply %j that is no token is refused', async text => {
  const { tokens, asked } = await launcher((_, response) => reply(response, 200, text));
  await expect(tokens(wanted())).rejects.toMatchObject({ code: 'attestation_rejected' });
  expect(asked).toHaveLength(1);
});
