import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AppError, VERIFIER_ADDRESSES, digestOf, toBase64, type Transport } from '@cloister/protocol';
import { createTransport, fetchKeySet, fetchRoot, listen, type Clock, type FetchDeps, type Listening, type NodeTransport } from '../index.js';
import { FETCH_DEADLINE_MS, getPinned } from './get-pinned.js';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const N = toBase64(Uint8Array.from({ length: 256 }, (_, at) => 129 + (at % 64) * 2)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const JWKS = JSON.stringify({ keys: [{ kty: 'RSA', kid: 'one', alg: 'RS256', use: 'sig', n: N, e: 'AQAB' }, { kty: 'oct', kid: 'two', k: 'AA' }] });
const HOSTS = ['www.googleapis.com', 'confidentialcomputing.googleapis.com', 'portal.trustauthority.intel.com', 'elsewhere.test'];

/** A clock whose short pauses are over at once; the deadline passes when a test says so. */
function testClock(): { clock: Clock; slept: number[]; pass: () => void } {
  const slept: number[] = [];
  const waiting = new Set<() => void>();
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (ms < FETCH_DEADLINE_MS) {
      slept.push(ms);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      waiting.add(resolve);
      signal?.addEventListener('abort', () => {
        waiting.delete(resolve);
        reject(new Error('no longer needed'));
      });
    });
  };
  return { clock: { now: () => NOW, sleep }, slept, pass: () => waiting.forEach(resolve => resolve()) };
}

let directory = '';
let listening: Listening;
let network: NodeTransport;
let answer: RequestListener;
let asked: string[] = [];
let time = testClock();

const deps = (): FetchDeps => ({ transport: network.transport, clock: time.clock, random: () => 0.5 });

// A real server, at the pinned addresses as far as the transport knows.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cloister-keys-'));
  const socketPath = join(directory, 's');
  listening = await listen((request, response) => {
    asked.push(`${request.method ?? ''} https://${request.headers.host ?? ''}${request.url ?? ''}`);
    answer(request, response);
  }, { socketPath });
  network = createTransport({ sockets: Object.fromEntries(HOSTS.map(host => [host, socketPath])) });
});
afterAll(async () => {
  network.close();
  await listening.close(0);
  await rm(directory, { recursive: true });
});
beforeEach(() => {
  asked = [];
  time = testClock();
});

const send = (status: number, type: string, body: string | Uint8Array, headers: Record<string, string> = {}): RequestListener => (_request, response) => {
  response.writeHead(status, { 'content-type': type, ...headers }).end(body);
};
const sendJson = (body: string): RequestListener => send(200, 'application/json; charset=UTF-8', body);

async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof AppError) return error;
  throw new Error('nothing was refused');
}

test.each(['google', 'intel'] as const)('the keys of %s come from the pinned address, with time and place, by one GET', async kind => {
  answer = sendJson(JWKS);
  const { set, dropped } = await fetchKeySet(kind, deps());
  expect(asked).toEqual([`GET ${VERIFIER_ADDRESSES[kind].jwks}`]);
  expect(set).toMatchObject({ seen: NOW.toISOString(), source: VERIFIER_ADDRESSES[kind].jwks, keys: [{ kid: 'one', n: N }] });
  expect(dropped).toEqual([{ kid: 'two', reason: 'private_member' }]);
});

describe('K1', () => {
  test.each<[string, RequestListener]>([
    ['a redirect to another host', send(302, 'application/json', JWKS, { location: 'https://elsewhere.test/certs' })],
    ['a redirect to the same host', send(301, 'application/json', JWKS, { location: '/other' })],
    ['a redirect that names nothing', send(307, 'application/json', JWKS)],
    ['a sign-in page', send(200, 'text/html; charset=utf-8', JWKS)],
    ['a page under a false name', sendJson('<!doctype html><title>Sign in</title>')],
    ['no content type', (_request, response) => response.writeHead(200).end(JWKS)],
    ['a type that only begins like JSON', send(200, 'application/jsonp', JWKS)],
    ['a compressed answer', send(200, 'application/json', JWKS, { 'content-encoding': 'gzip' })],
    ['not found', send(404, 'application/json', JWKS)],
    ['half an answer', send(206, 'application/json', JWKS)],
    ['no keys', sendJson('{"keys":[]}')],
    ['no keys that count', sendJson('{"keys":[{"kty":"oct","kid":"a","k":"AA"}]}')],
    ['an answer that says it is huge', send(200, 'application/json', 'x'.repeat(100_000))],
    ['JSON that two readers read differently', sendJson('{"keys":[],"keys":[]}')]
  ])('%s is refused, and not asked for again', async (_, listener) => {
    answer = listener;
    const error = await refusal(fetchKeySet('google', deps()));
    expect([error.code, error.status, error.retry]).toEqual(['verifier_keys_refused', 502, false]);
    expect(error.hint).not.toBe('');
    expect(asked).toEqual([`GET ${VERIFIER_ADDRESSES.google.jwks}`]);
  });

  test('an answer that never ends is cut off at the bound', async () => {
    const cutOff: Promise<unknown>[] = [];
    answer = (_request, response) => {
      cutOff.push(once(response, 'close'));
      response.writeHead(200, { 'content-type': 'application/json' });
      pour(response, ' '.repeat(4096));
    };
    expect((await refusal(fetchKeySet('google', deps()))).detail).toMatch(/over 65536 bytes/);
    await Promise.all(cutOff);
  });

  test('what is refused by its head alone is not read on, and its connection ends', async () => {
    const cutOff: Promise<unknown>[] = [];
    answer = (_request, response) => {
      cutOff.push(once(response, 'close'));
      response.writeHead(302, { location: 'https://elsewhere.test/' });
      pour(response, ' '.repeat(4096));
    };
    expect((await refusal(fetchKeySet('google', deps()))).code).toBe('verifier_keys_refused');
    await Promise.all(cutOff);
  });

  test.each([500, 502, 503, 429])('%i is tried twice more, with jitter between', async status => {
    answer = send(status, 'application/json', '{}');
    const error = await refusal(fetchKeySet('google', deps()));
    expect([error.code, error.status, error.retry]).toEqual(['verifier_keys_unavailable', 503, true]);
    expect(asked).toHaveLength(3);
    expect(time.slept).toEqual([100, 200]);
  });

  test('what fails once and then works has worked', async () => {
    answer = (request, response) => (asked.length < 2 ? send(503, 'text/plain', '') : sendJson(JWKS))(request, response);
    expect((await fetchKeySet('intel', deps())).set.keys).toHaveLength(1);
  });

  test('an answer that drips is given up at the deadline of the whole', async () => {
    const cutOff: Promise<unknown>[] = [];
    answer = (_request, response) => {
      cutOff.push(once(response, 'close'));
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 1);
      response.once('close', () => clearInterval(drip));
      response.write('{', () => time.pass());
    };
    const error = await refusal(fetchKeySet('google', deps()));
    expect([error.code, error.detail]).toEqual(['verifier_keys_unavailable', 'www.googleapis.com: no whole answer within 5 seconds']);
    expect(asked).toHaveLength(3);
    await Promise.all(cutOff);
  });

  test('no answer at all is given up too, also through a transport that cannot be stopped', async () => {
    const stuck: Transport = async () => {
      setImmediate(time.pass);
      return new Promise(() => undefined);
    };
    expect((await refusal(fetchKeySet('google', { ...deps(), transport: stuck }))).code).toBe('verifier_keys_unavailable');
  });

  test('an answer that breaks off is no answer', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(JWKS.length) });
      response.write(JWKS.slice(0, 20), () => response.destroy());
    };
    expect((await refusal(fetchKeySet('google', deps()))).code).toBe('verifier_keys_unavailable');
  });

  test('a caller who gives up is not kept waiting', async () => {
    const controller = new AbortController();
    const reason = new Error('the service ends');
    answer = () => controller.abort(reason);
    await expect(fetchKeySet('google', { ...deps(), signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('K7', () => {
  test.each(['1', '0'])('a server whose certificate nobody vouches for is never asked anything, with NODE_TLS_REJECT_UNAUTHORIZED=%s', async setting => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', setting);
    onTestFinished(() => void vi.unstubAllEnvs());
    let reached = 0;
    const server = createTlsServer(await selfSigned(), (_request, response) => {
      reached += 1;
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const request = { url: `https://127.0.0.1:${port}/certs`, accept: '*/*', maxBytes: 1000 };
    const error = await refusal(getPinned(request, deps()));
    server.close();
    expect([error.code, reached]).toEqual(['verifier_keys_unavailable', 0]);
    expect(error.detail).toMatch(/SELF_SIGNED_CERT|UNABLE_TO_VERIFY/);
  });

  test('nothing is fetched but by https', async () => {
    answer = sendJson(JWKS);
    const request = { url: 'http://www.googleapis.com/certs', accept: '*/*', maxBytes: 1000 };
    expect((await refusal(getPinned(request, deps()))).code).toBe('verifier_keys_refused');
    expect(asked).toEqual([]);
  });
});

describe('K9', () => {
  test('the discovery document is not asked for', async () => {
    answer = sendJson(JWKS.replace('{', '{"jwks_uri":"https://elsewhere.test/certs",'));
    await fetchKeySet('google', deps());
    expect(asked).toEqual([`GET ${VERIFIER_ADDRESSES.google.jwks}`]);
  });
});

describe('the root certificate', () => {
  const DER = Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x05);
  const KNOWN = [digestOf(DER)];
  const URI = 'https://confidentialcomputing.googleapis.com/.well-known/confidential_space_root.crt';
  const serve = (uri: string, certificate: string | Uint8Array): RequestListener => (request, response) => {
    const listener = request.url === '/.well-known/attestation-pki-root' ? sendJson(JSON.stringify({ pki_version: 'v1', root_ca_uri: uri })) : send(200, 'application/pkix-cert', certificate);
    listener(request, response);
  };
  const pem = `-----BEGIN CERTIFICATE-----\n${toBase64(DER)}\n-----END CERTIFICATE-----\n`;

  test.each([['DER', DER], ['PEM', pem], ['PEM with CRLF', pem.replaceAll('\n', '\r\n')]])('comes as %s', async (_, certificate) => {
    answer = serve(URI, certificate);
    const { root, der } = await fetchRoot(deps(), KNOWN);
    expect(root).toEqual({ fingerprint: KNOWN[0], source: URI });
    expect([...der]).toEqual([...DER]);
    expect(asked).toEqual([`GET ${String(VERIFIER_ADDRESSES.google.rootDescription)}`, `GET ${URI}`]);
  });

  test('that is not known is refused, and its fingerprint told: the network introduces no root', async () => {
    answer = serve(URI, DER);
    const error = await refusal(fetchRoot(deps()));
    expect(error.code).toBe('verifier_keys_refused');
    expect(error.detail).toContain(digestOf(DER));
  });

  test.each([
    'https://elsewhere.test/root.crt',
    'http://confidentialcomputing.googleapis.com/root.crt',
    'https://confidentialcomputing.googleapis.com@elsewhere.test/root.crt',
    'https://user@confidentialcomputing.googleapis.com/root.crt',
    'https://confidentialcomputing.googleapis.com:8443/root.crt',
    'https://confidentialcomputing.googleapis.com.elsewhere.test/root.crt',
    'https://confidentialcomputing.googleapis.com\\@elsewhere.test/root.crt',
    'https://confidentialcomputing.googleapis.com/a/../root.crt',
    'https://confidentialcomputing.googleapis.com/root.crt?at=1',
    'file:///etc/passwd',
    ''
  ])('is not fetched from %s', async uri => {
    answer = serve(uri, DER);
    expect((await refusal(fetchRoot(deps(), KNOWN))).code).toBe('verifier_keys_refused');
    expect(asked).toHaveLength(1);
  });

  test.each([['a page', '<html></html>'], ['nothing', ''], ['two certificates', pem + pem], ['base64 of another form', pem.replace('=', '==')], ['bytes that are no text', Uint8Array.of(0xff, 0xfe)]])(
    'is not %s',
    async (_, certificate) => {
      answer = serve(URI, certificate);
      expect((await refusal(fetchRoot(deps(), KNOWN))).code).toBe('verifier_keys_refused');
    }
  );

  test('is not looked for in a description that is none', async () => {
    answer = sendJson('[]');
    expect((await refusal(fetchRoot(deps(), KNOWN))).code).toBe('verifier_keys_refused');
  });
});

/** Writes for as long as somebody takes it. */
function pour(response: ServerResponse, piece: string): void {
  response.write(piece, error => {
    if (!(error instanceof Error)) setImmediate(() => pour(response, piece));
  });
}

async function selfSigned(): Promise<{ key: string; cert: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-01-01T00:00:00Z') };
  const extensions = [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({ ...validity, serialNumber: '01', name: 'CN=127.0.0.1', keys, signingAlgorithm: algorithm, extensions });
  const pkcs8 = toBase64(new Uint8Array(await crypto.subtle.exportKey('pkcs8', keys.privateKey)));
  return { key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`, cert: certificate.toString('pem') };
}
