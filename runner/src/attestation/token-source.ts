import { request } from 'node:http';
import { AppError, CompactJws, collect, fromUtf8, parseToken, readClaims, toUtf8, type Claims, type Digest } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import { withRetries } from '../retry.js';
import { reasonOf } from '../stopping.js';

export type TokenType = 'OIDC' | 'PKI';

export interface TokenRequest {
  readonly audience: string;
  readonly type: TokenType;
  readonly nonce: string;
  readonly signal: AbortSignal;
}

/** A token of this very container, and what the runner needs to know of itself from it. */
export interface OwnToken {
  readonly token: CompactJws;
  readonly image: Digest;
  readonly instance: string;
}

/** @throws AppError attestation_rejected where asking again is of no use, unavailable where it may be */
export type TokenSource = (request: TokenRequest) => Promise<OwnToken>;

export interface LauncherOptions {
  readonly socket: string;
  readonly clock: Clock;
  /** The launcher has no time-outs of its own; a token takes about a second. */
  readonly deadlineMs?: number;
}

const MAX_REPLY = 64 * 1024;

/**
 * Tokens from the Confidential Space launcher's `teeserver.sock` (POST /v1/token). Its 400 means that the request or
 * the permissions are wrong, so only 5xx and silence are tried again. The default token file is never read: its
 * audience is Google's token service.
 */
export function createLauncherTokens({ socket, clock, deadlineMs = 30_000 }: LauncherOptions): TokenSource {
  return wanted =>
    withRetries(async () => ownToken(await ask(socket, wanted, deadlineMs), wanted), { clock, signal: wanted.signal, tries: 4, baseMs: 1000 });
}

async function ask(socketPath: string, { audience, type, nonce, signal }: TokenRequest, deadlineMs: number): Promise<string> {
  const body = toUtf8(JSON.stringify({ audience, token_type: type, nonces: [nonce] }));
  const ended = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const reply = post(socketPath, body, ended).catch((cause: unknown) => {
    if (signal.aborted) throw reasonOf(signal);
    throw new AppError('unavailable', 'the launcher does not answer', { cause });
  });
  const { status, text } = await reply;
  if (status === 200) return text;
  // The launcher's text may name accounts and projects; the status says what is to be done.
  if (status >= 500) throw new AppError('unavailable', `the launcher answered ${status}`);
  throw new AppError('attestation_rejected', `the launcher refused a ${type} token with ${status}`);
}

async function post(socketPath: string, body: Uint8Array, signal: AbortSignal): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    // No agent: the launcher's idle connections are nothing to keep.
    const outgoing = request({ socketPath, path: '/v1/token', method: 'POST', host: 'localhost', headers, agent: false, signal });
    outgoing.once('error', reject);
    outgoing.once('response', incoming => {
      collect(incoming, MAX_REPLY).then(bytes => resolve({ status: incoming.statusCode ?? 0, text: fromUtf8(bytes) }), reject);
    });
    outgoing.end(body);
  });
}

/** Not a verification, which is for others to make: a token that cannot serve ends the attempt here and not at a broker. */
function ownToken(text: string, { audience, nonce }: TokenRequest): OwnToken {
  const { token, claims } = readToken(text);
  const { image, instance } = claims;
  if (claims.raw['aud'] !== audience || !claims.nonces.includes(nonce) || image === undefined || instance === undefined) {
    throw new AppError('attestation_rejected', 'the launcher gave a token that says something else than asked');
  }
  return { token, image, instance };
}

function readToken(text: string): { readonly token: CompactJws; readonly claims: Claims } {
  try {
    return { token: CompactJws.parse(text), claims: readClaims(parseToken(text).claims) };
  } catch (cause) {
    throw new AppError('attestation_rejected', 'the launcher gave something that is no token', { cause });
  }
}
