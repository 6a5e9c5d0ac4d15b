import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fromUtf8 } from '@cloister/protocol';
import { GoJsonError, goQuote, parseGoJson } from './go-json.js';
import { parseTokenOptions, type TokenOptions } from './token-options.js';
import { GrpcError, type GrpcCode } from './token-service.js';

/** Gets a token for the instance at hand; without options the default one. */
export type VerifierClient = (options?: TokenOptions) => Promise<string>;

export interface VerifierClients {
  readonly gca?: VerifierClient;
  readonly ita?: VerifierClient;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly nosniff?: true;
}

const html = (status: number, body: string): Reply => ({ status, type: 'text/html', body });
const plain = (status: number, body: string): Reply => ({ status, type: 'text/plain; charset=utf-8', body });

/** Go's net/http announces a length only where the whole reply fit its buffer. */
const GO_BUFFER_BYTES = 2048;

/** gRPC codes that the launcher blames on the workload; every other failure is a 500. */
const CLIENT_CODES: readonly GrpcCode[] = [
  'InvalidArgument', 'FailedPrecondition', 'PermissionDenied', 'Unauthenticated', 'NotFound', 'Aborted', 'OutOfRange', 'Canceled'
];

/**
 * The HTTP face of the Confidential Space launcher's `teeserver.sock`, reply by reply: status, content type, exact
 * text. No authentication, no limit of bodies and no timeouts, as there; what guards it is the private directory
 * that the socket lies in.
 */
export function createLauncherApi(clients: VerifierClients): Server {
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1 << 20 }, (request, response) => {
    answer(clients, request).then(
      reply => send(request, response, reply),
      () => response.destroy()
    );
  });
  server.timeout = 0;
  return server;
}

async function answer(clients: VerifierClients, request: IncomingMessage): Promise<Reply> {
  const isPost = request.method === 'POST';
  switch (pathOf(request)) {
    case '/v1/token':
      return clients.gca === undefined
        ? html(500, 'no GCA verifier client present, please try rebooting your VM')
        : token(clients.gca, request);
    case '/v1/intel/token':
      return clients.ita === undefined
        ? html(500, 'no ITA verifier client present - ensure ITA Region and Key are defined in metadata')
        : token(clients.ita, request);
    case '/v1/evidence':
      return isPost ? evidence(await readBody(request)) : plain(405, 'method not allowed');
    // Both experiments are off, which the launcher checks before it looks at the method.
    case '/v1/keys:getEndorsement':
      return plain(403, 'keymanager not enabled');
    case '/v1/hostAttestation':
      return plain(403, 'host attestation not enabled');
    default:
      return { ...plain(404, '404 page not found\n'), nosniff: true };
  }
}

async function token(client: VerifierClient, request: IncomingMessage): Promise<Reply> {
  const method = request.method ?? '';
  if (method === 'GET') return attest(client, undefined, 'failed to retrieve attestation service token');
  if (method !== 'POST') return html(400, `TEE server received an invalid HTTP method: ${method}`);
  let options: TokenOptions;
  try {
    options = parseTokenOptions(await readBody(request));
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    return html(400, `failed to parse POST body as TokenOptions: ${error.message}`);
  }
  if (options.audience === '') return html(400, 'use GET request for the default identity token');
  if (options.tokenType === '') return html(400, 'token_type is a required parameter');
  return attest(client, options, 'failed to retrieve custom attestation service token');
}

async function attest(client: VerifierClient, options: TokenOptions | undefined, failure: string): Promise<Reply> {
  try {
    return html(200, await client(options));
  } catch (error) {
    const status = error instanceof GrpcError && CLIENT_CODES.includes(error.code) ? 400 : 500;
    return html(status, `${failure}: ${error instanceof Error ? error.message : 'unknown error'}`);
  }
}

/** Raw evidence is off in production images; only what is checked before that can be told apart. */
function evidence(body: Uint8Array): Reply {
  const challenge = challengeOf(body);
  if (challenge === undefined) return plain(400, `failed to decode request: proto: syntax error (line 1:1): unexpected token ${goQuote(firstToken(body)).slice(1, -1)}`);
  return challenge === '' ? plain(400, 'challenge is required') : plain(500, 'attestation evidence is disabled');
}

function challengeOf(body: Uint8Array): string | undefined {
  try {
    const request = parseGoJson(body);
    if (request.kind !== 'object') return undefined;
    const [, value] = request.members.findLast(([name]) => name === 'challenge') ?? [];
    if (value === undefined || value.kind === 'null') return '';
    return value.kind === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value.value) ? value.value : undefined;
  } catch (error) {
    if (error instanceof GoJsonError) return undefined;
    throw error;
  }
}

function firstToken(body: Uint8Array): string {
  try {
    return /^\s*("(?:[^"\\]|\\.)*"|[^\s,:{}[\]"]+|.)/su.exec(fromUtf8(body.subarray(0, 256)))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** Escapes are resolved and queries dropped, as Go's ServeMux does before it compares. */
function pathOf(request: IncomingMessage): string {
  const target = (request.url ?? '').replace(/^https?:\/\/[^/?]*/, '').split('?', 1)[0] ?? '';
  try {
    return decodeURIComponent(target);
  } catch {
    return '';
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(reply.body);
  response.statusCode = reply.status;
  response.setHeader('Content-Type', reply.type);
  if (reply.nosniff) response.setHeader('X-Content-Type-Options', 'nosniff');
  // Go keeps a connection of HTTP/1.1 without saying so.
  if (response.shouldKeepAlive && request.httpVersion === '1.1') response.removeHeader('Connection');
  if (body.length <= GO_BUFFER_BYTES) response.setHeader('Content-Length', body.length);
  else if (request.method !== 'HEAD') response.write(body);
  response.end(body.length <= GO_BUFFER_BYTES && request.method !== 'HEAD' ? body : undefined);
}
