/**
 * One GET of a pinned address. Nothing that a reply says leads anywhere else: redirects are refused, proxies of the environment
 * are not used, and size and time are bounded while the reply comes, whatever it promises.
 */
import { AppError, concatBytes, type Transport, type TransportReply } from '@cloister/protocol';
import type { Clock } from '../clock.js';
import { retry } from '../retry.js';

export interface FetchDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Uniform in [0, 1): spreads the pauses between tries. */
  readonly random?: () => number;
}

export interface PinnedRequest {
  /** https, and ours: from the table of addresses, or checked against it. */
  readonly url: string;
  readonly accept: string;
  /** What the reply's content type must be; anything where it is left out. */
  readonly mediaType?: RegExp;
  readonly maxBytes: number;
}

/** From the first byte sent to the last received: a server that drips must not hold us. */
export const FETCH_DEADLINE_MS = 5000;
const ATTEMPTS = 3;

/**
 * The body of a reply of status 200. What may pass by itself (no answer, 5xx, 429) is tried twice more, with jitter.
 * @throws AppError verifier_keys_unavailable where nothing came in time, verifier_keys_refused where it was not what is published there
 */
export async function getPinned(request: PinnedRequest, deps: FetchDeps): Promise<Uint8Array> {
  const { clock, signal, random } = deps;
  if (URL.parse(request.url)?.protocol !== 'https:') throw refused(request, 'the address is not https');
  const options = { attempts: ATTEMPTS, clock, ...(signal === undefined ? {} : { signal }), ...(random === undefined ? {} : { random }) };
  return retry(async () => getOnce(request, deps), options);
}

async function getOnce(request: PinnedRequest, { transport, clock, signal }: FetchDeps): Promise<Uint8Array> {
  const [late, done] = [new AbortController(), new AbortController()];
  const stop = AbortSignal.any([late.signal, ...(signal === undefined ? [] : [signal])]);
  const told = new Promise<never>((_resolve, reject) => {
    // The reason is ours or the caller's, both errors.
    stop.addEventListener('abort', () => reject(stop.reason instanceof Error ? stop.reason : new Error('aborted')), { once: true });
  });
  clock.sleep(FETCH_DEADLINE_MS, done.signal).then(
    () => late.abort(unavailable(request, `no whole answer within ${FETCH_DEADLINE_MS / 1000} seconds`)),
    () => undefined // the answer came first
  );
  try {
    // A race, so that a transport that ignores its signal cannot hold us either.
    return await Promise.race([told, exchange(request, transport, stop)]);
  } catch (cause) {
    // A body that nobody reads would keep its connection, and with it the process.
    late.abort();
    throw asOurs(cause, request);
  } finally {
    done.abort();
  }
}

async function exchange(request: PinnedRequest, transport: Transport, signal: AbortSignal): Promise<Uint8Array> {
  const reply = await transport({ method: 'GET', url: request.url, headers: { accept: request.accept }, signal });
  const problem = problemOf(reply, request);
  if (problem !== undefined) throw problem;
  return readBody(reply, request);
}

/** What is wrong with the head of a reply. */
function problemOf({ status, headers }: TransportReply, request: PinnedRequest): AppError | undefined {
  if (status >= 300 && status < 400) return refused(request, 'it leads to another address, which is never followed');
  if (status >= 500 || status === 429 || status === 408) return unavailable(request, `it answers ${status}`);
  if (status !== 200) return refused(request, `it answers ${status}`);
  const [type, encoding] = [headers['content-type'] ?? 'none', headers['content-encoding'] ?? 'identity'];
  if (request.mediaType !== undefined && !request.mediaType.test(type)) return refused(request, `its answer is of the type ${shown(type)}`);
  if (encoding !== 'identity') return refused(request, `its answer is encoded as ${shown(encoding)}`);
  return Number(headers['content-length'] ?? 0) > request.maxBytes ? tooLarge(request) : undefined;
}

/** Counted as it comes: a length that is promised is only a promise. */
async function readBody({ body }: TransportReply, request: PinnedRequest): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > request.maxBytes) throw tooLarge(request);
    pieces.push(piece);
  }
  return concatBytes(...pieces);
}

/** Errors of the network are ours from here on; what the caller aborted with stays his. */
function asOurs(cause: unknown, request: PinnedRequest): unknown {
  if (!(cause instanceof AppError) || cause.code === 'verifier_keys_unavailable' || cause.code === 'verifier_keys_refused') return cause;
  return unavailable(request, cause.detail, cause);
}

/** What a stranger sent, fit for a message. */
const shown = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80);

const hostOf = ({ url }: PinnedRequest): string => URL.parse(url)?.host ?? 'no host';

const tooLarge = (request: PinnedRequest): AppError => refused(request, `its answer is over ${request.maxBytes} bytes`);

const unavailable = (request: PinnedRequest, why: string, cause?: unknown): AppError =>
  new AppError('verifier_keys_unavailable', `${hostOf(request)}: ${why}`, cause === undefined ? {} : { cause });

const refused = (request: PinnedRequest, why: string): AppError => new AppError('verifier_keys_refused', `${hostOf(request)}: ${why}`);
