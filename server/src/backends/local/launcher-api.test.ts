import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, parseToken, toUtf8 } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AttestedInstance } from './claims.js';
import { readSimulatorKeys } from './keys.js';
import { createLauncherApi, type VerifierClients } from './launcher-api.js';
import { createTokenService, GrpcError, type GrpcCode } from './token-service.js';

const INSTANCE: AttestedInstance = {
  name: 'job-0123456789abcdef-a1',
  imageDigest: digestOf(toUtf8('image')),
  imageId: digestOf(toUtf8('labels')),
  args: ['node', 'runner.mjs'],
  env: { HOSTNAME: 'job-0123456789abcdef-a1', CLOISTER_SERVER: 'http://127.0.0.1' },
  envOverride: { CLOISTER_SERVER: 'http://127.0.0.1' }
};
const HTML = 'text/html';
const PLAIN = 'text/plain; charset=utf-8';
const P = 'failed to parse POST body as TokenOptions: ';
const CUSTOM = 'failed to retrieve custom attestation service token: ';
const REFUSED = 'rpc error: code = InvalidArgument desc = ';

let place: string;
let socketPath: string;
const servers: Server[] = [];

async function serve(name: string, clients: VerifierClients): Promise<string> {
  const server = createLauncherApi(clients);
  servers.push(server);
  server.listen(join(place, name));
  await once(server, 'listening');
  return join(place, name);
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'clo-'));
  const service = createTokenService(await readSimulatorKeys(join(place, 'keys')), () => new Date('2026-10-05T12:00:00.500Z'));
  socketPath = await serve('tee.sock', { gca: options => service.issue(INSTANCE, options) });
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(place, { recursive: true, force: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(method: string, path: string, ...[body, socket = socketPath, headers = {}]: [body?: string, socket?: string, headers?: Record<string, string>]): Promise<Answer> {
  const outgoing = request({ socketPath: socket, method, path, headers });
  outgoing.end(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const post = (body: unknown): Promise<Answer> => ask('POST', '/v1/token', typeof body === 'string' ? body : JSON.stringify(body));
const nonce = (length: number): string => 'n'.repeat(length);
const good = { audience: 'urn:cloister:release', token_type: 'OIDC', nonces: [nonce(43)] };

test.each([
  { what: 'an empty body', method: 'POST', path: '/v1/token', body: '', reply: [400, HTML, `${P}EOF`] },
  { what: 'an open brace', method: 'POST', path: '/v1/token', body: '{', reply: [400, HTML, `${P}unexpected EOF`] },
  { what: 'no JSON', method: 'POST', path: '/v1/token', body: 'hello', reply: [400, HTML, `${P}invalid character 'h' looking for beginning of value`] },
  { what: 'a trailing comma', method: 'POST', path: '/v1/token', body: '{"audience":"a",}', reply: [400, HTML, `${P}invalid character '}' looking for beginning of object key string`] },
  { what: 'an unknown field', method: 'POST', path: '/v1/token', body: '{"bogus":1}', reply: [400, HTML, `${P}json: unknown field "bogus"`] },
  { what: 'a wrong type', method: 'POST', path: '/v1/token', body: '{"nonces":"x"}', reply: [400, HTML, `${P}json: cannot unmarshal string into Go struct field TokenOptions.nonces of type []string`] },
  { what: 'neither audience nor token_type', method: 'POST', path: '/v1/token', body: '{}', reply: [400, HTML, 'use GET request for the default identity token'] },
  { what: 'null', method: 'POST', path: '/v1/token', body: 'null', reply: [400, HTML, 'use GET request for the default identity token'] },
  { what: 'no token_type', method: 'POST', path: '/v1/token', body: '{"audience":"a"}', reply: [400, HTML, 'token_type is a required parameter'] },
  { what: 'PUT', method: 'PUT', path: '/v1/token', body: '{}', reply: [400, HTML, 'TEE server received an invalid HTTP method: PUT'] },
  { what: 'DELETE', method: 'DELETE', path: '/v1/token', reply: [400, HTML, 'TEE server received an invalid HTTP method: DELETE'] },
  { what: 'OPTIONS', method: 'OPTIONS', path: '/v1/token', reply: [400, HTML, 'TEE server received an invalid HTTP method: OPTIONS'] },
  { what: 'HEAD, without a body', method: 'HEAD', path: '/v1/token', reply: [400, HTML, ''] },
  { what: 'GET for Intel', method: 'GET', path: '/v1/intel/token', reply: [500, HTML, 'no ITA verifier client present - ensure ITA Region and Key are defined in metadata'] },
  { what: 'POST for Intel', method: 'POST', path: '/v1/intel/token', body: JSON.stringify(good), reply: [500, HTML, 'no ITA verifier client present - ensure ITA Region and Key are defined in metadata'] },
  { what: 'PUT for Intel', method: 'PUT', path: '/v1/intel/token', reply: [500, HTML, 'no ITA verifier client present - ensure ITA Region and Key are defined in metadata'] },
  { what: 'evidence', method: 'POST', path: '/v1/evidence', body: '{"challenge":"AAAA"}', reply: [500, PLAIN, 'attestation evidence is disabled'] },
  { what: 'evidence without a challenge', method: 'POST', path: '/v1/evidence', body: '{}', reply: [400, PLAIN, 'challenge is required'] },
  { what: 'evidence with an empty challenge', method: 'POST', path: '/v1/evidence', body: '{"challenge":""}', reply: [400, PLAIN, 'challenge is required'] },
  { what: 'GET of evidence', method: 'GET', path: '/v1/evidence', reply: [405, PLAIN, 'method not allowed'] },
  { what: 'key endorsement', method: 'POST', path: '/v1/keys:getEndorsement', body: '{}', reply: [403, PLAIN, 'keymanager not enabled'] },
  { what: 'host attestation', method: 'POST', path: '/v1/hostAttestation', body: '{}', reply: [403, PLAIN, 'host attestation not enabled'] },
  { what: 'GET of host attestation', method: 'GET', path: '/v1/hostAttestation', reply: [403, PLAIN, 'host attestation not enabled'] },
  { what: 'an unknown path', method: 'GET', path: '/v1/nothing', reply: [404, PLAIN, '404 page not found\n'] },
  { what: 'the root', method: 'GET', path: '/', reply: [404, PLAIN, '404 page not found\n'] },
  { what: 'a trailing slash', method: 'GET', path: '/v1/token/', reply: [404, PLAIN, '404 page not found\n'] },
  { what: 'another case', method: 'GET', path: '/V1/token', reply: [404, PLAIN, '404 page not found\n'] }
])('$what is answered as the launcher answers it', async ({ method, path, body, reply }) => {
  const answer = await ask(method, path, body);
  expect([answer.status, answer.headers['content-type'], answer.body]).toEqual(reply);
  expect(answer.headers['server']).toBeUndefined();
  expect(answer.headers['x-powered-by']).toBeUndefined();
  expect(answer.headers.connection).toBeUndefined();
  expect(answer.headers.date).toBeDefined();
  expect(answer.headers['x-content-type-options']).toBe(answer.status === 404 ? 'nosniff' : undefined);
});

test.each([
  { what: 'an audience of 513 bytes', body: { ...good, audience: 'a'.repeat(513) }, text: 'audience is longer than 512 bytes' },
  { what: 'a blank audience', body: { ...good, audience: '  ' }, text: 'audience is required for a custom token' },
  { what: 'the audience of STS', body: { ...good, audience: 'https://sts.googleapis.com' }, text: 'audience of a custom token may not be that of STS' },
  { what: 'the audience of STS as documented', body: { ...good, audience: 'https://sts.google.com' }, text: 'audience of a custom token may not be that of STS' },
  { what: 'seven nonces', body: { ...good, nonces: Array.from({ length: 7 }, () => nonce(43)) }, text: 'more than 6 nonces' },
  { what: 'a nonce of 9 bytes', body: { ...good, nonces: [nonce(43), nonce(9)] }, text: 'every nonce must have 10 to 74 bytes' },
  { what: 'a nonce of 75 bytes', body: { ...good, nonces: [nonce(75)] }, text: 'every nonce must have 10 to 74 bytes' },
  { what: 'a nonce of 100,000 bytes', body: { ...good, nonces: [nonce(100_000)] }, text: 'every nonce must have 10 to 74 bytes' },
  { what: 'an empty nonce', body: { ...good, nonces: [''] }, text: 'every nonce must have 10 to 74 bytes' }
])('$what passes the launcher and is refused by the service', async ({ body, text: description }) => {
  const answer = await post(body);
  expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([400, HTML, `${CUSTOM}${REFUSED}${description}`]);
});

test.each([
  { what: 'a custom token', body: good, profile: 'OIDC' },
  { what: 'an audience of 512 bytes', body: { ...good, audience: 'a'.repeat(512) }, profile: 'OIDC' },
  { what: 'nonces of 10 and 74 bytes', body: { ...good, nonces: [nonce(10), nonce(74)] }, profile: 'OIDC' },
  { what: 'no nonce', body: { audience: 'urn:x:y', token_type: 'OIDC' }, profile: 'OIDC' },
  { what: 'a lower-case token_type, which is the default profile', body: { ...good, token_type: 'pki' }, profile: 'OIDC' },
  { what: 'an unknown token_type, which is the default profile', body: { ...good, token_type: 'nonsense' }, profile: 'OIDC' },
  { what: 'PKI', body: { ...good, token_type: 'PKI' }, profile: 'PKI' },
  { what: 'names in other cases', body: { AUDIENCE: 'urn:x:y', Token_Type: 'OIDC' }, profile: 'OIDC' },
  { what: 'trailing data', body: `${JSON.stringify(good)}{{{`, profile: 'OIDC' },
  { what: 'the last duplicate', body: '{"token_type":"OIDC","audience":"first","audience":"urn:x:y","token_type":"PKI"}', profile: 'PKI' }
])('$what gets a token', async ({ body, profile }) => {
  const answer = await post(body);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, HTML]);
  const { header, claims } = parseToken(answer.body);
  expect(header).toMatchObject({ alg: 'RS256', typ: 'JWT' });
  expect(header['kid']).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(Array.isArray(header['x5c'])).toBe(profile === 'PKI');
  expect(claims['aud']).not.toBe('first');
});

test('GET gives the default token, for STS and without a nonce, whatever the query', async () => {
  const answer = await ask('GET', '/v1/token?audience=evil');
  expect([answer.status, answer.headers['content-type']]).toEqual([200, HTML]);
  const { claims } = parseToken(answer.body);
  expect(claims['aud']).toBe('https://sts.googleapis.com');
  expect(claims).not.toHaveProperty('eat_nonce');
});

test('the content type of a request does not matter', async () => {
  const answer = await ask('POST', '/v1/token', JSON.stringify(good), socketPath, { 'content-type': 'image/png' });
  expect(answer.status).toBe(200);
});

test.each([
  { size: 2048, length: '2048', encoding: undefined },
  { size: 2049, length: undefined, encoding: 'chunked' }
])('a reply of $size bytes has a length or is chunked, as Go’s buffer has it', async ({ size, length, encoding }) => {
  const socket = await serve(`size-${size}.sock`, { gca: async () => 't'.repeat(size) });
  const answer = await ask('GET', '/v1/token', undefined, socket);
  expect([answer.headers['content-length'], answer.headers['transfer-encoding'], answer.body.length]).toEqual([length, encoding, size]);
});

test('without a client of Google’s service every method is a 500', async () => {
  const socket = await serve('none.sock', {});
  for (const method of ['GET', 'POST', 'PUT']) {
    const answer = await ask(method, '/v1/token', undefined, socket);
    expect([answer.status, answer.body]).toEqual([500, 'no GCA verifier client present, please try rebooting your VM']);
  }
});

test.each<{ code: GrpcCode; status: number }>([
  { code: 'InvalidArgument', status: 400 },
  { code: 'FailedPrecondition', status: 400 },
  { code: 'PermissionDenied', status: 400 },
  { code: 'Unauthenticated', status: 400 },
  { code: 'NotFound', status: 400 },
  { code: 'Aborted', status: 400 },
  { code: 'OutOfRange', status: 400 },
  { code: 'Canceled', status: 400 },
  { code: 'Unavailable', status: 500 },
  { code: 'Internal', status: 500 }
])('the service’s $code is a $status, with a prefix for GET and another for POST', async ({ code, status }) => {
  const socket = await serve(`${code}.sock`, { gca: async () => { throw new GrpcError(code, 'why'); } });
  const [get, custom] = [await ask('GET', '/v1/token', undefined, socket), await ask('POST', '/v1/token', JSON.stringify(good), socket)];
  expect([get.status, get.body]).toEqual([status, `failed to retrieve attestation service token: rpc error: code = ${code} desc = why`]);
  expect([custom.status, custom.body]).toEqual([status, `${CUSTOM}rpc error: code = ${code} desc = why`]);
});

test.each(['LIMITED_AWS', 'AWS_PRINCIPALTAGS'])('%s is refused: the simulator makes no tokens for AWS', async tokenType => {
  const answer = await post({ ...good, token_type: tokenType });
  expect([answer.status, answer.body]).toEqual([500, `${CUSTOM}rpc error: code = Unimplemented desc = the simulator makes no tokens for AWS`]);
});

test('an error of the launcher’s own is a 500', async () => {
  const socket = await serve('plain-error.sock', { gca: async () => { throw new Error('no TPM'); } });
  const answer = await ask('GET', '/v1/token', undefined, socket);
  expect([answer.status, answer.body]).toEqual([500, 'failed to retrieve attestation service token: no TPM']);
});

test('requests on one connection are answered in their order, also when sent at once', async () => {
  const socket = connect(socketPath);
  socket.write('GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\nPUT /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect((await text(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 400', 'HTTP/1.1 404']);
});

test('a body of 8 MiB is read to its end', async () => {
  const answer = await post(`${' '.repeat(8 << 20)}${JSON.stringify(good)}`);
  expect(answer.status).toBe(200);
});
