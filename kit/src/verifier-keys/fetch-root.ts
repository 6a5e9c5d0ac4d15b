import { AppError, VERIFIER_ADDRESSES, digestOf, fromBase64, fromUtf8, parseJson, type Digest, type PinnedRoot } from '@cloister/protocol';
import * as z from 'zod/mini';
import { getPinned, type FetchDeps } from './get-pinned.js';

export interface FetchedRoot {
  readonly root: PinnedRoot;
  readonly der: Uint8Array;
}

const MAX_DESCRIPTION_BYTES = 16 * 1024;
const MAX_CERTIFICATE_BYTES = 16 * 1024;
const PEM = /^\s*-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/;

/**
 * Google's root certificate for PKI tokens, where its SHA-256 is one that is known already: the network shows that a pinned root is
 * still published, and never introduces one.
 * @param known fingerprints that somebody compared with a source of their own; by default the one built in
 * @throws AppError verifier_keys_unavailable | verifier_keys_refused
 */
export async function fetchRoot(deps: FetchDeps, known: readonly Digest[] = builtIn()): Promise<FetchedRoot> {
  const url = await rootAddress(deps);
  const der = derOf(await getPinned({ url, accept: '*/*', maxBytes: MAX_CERTIFICATE_BYTES }, deps), url);
  const fingerprint = digestOf(der);
  if (known.includes(fingerprint)) return { root: { fingerprint, source: url }, der };
  throw new AppError('verifier_keys_refused', `the certificate at ${url} has the fingerprint ${fingerprint}, which is not a known one`, {
    hint: 'If Google has a new root, compare its fingerprint with a second source; then pin it with `cloister trust add`.'
  });
}

const builtIn = (): readonly Digest[] => (VERIFIER_ADDRESSES.google.root === undefined ? [] : [VERIFIER_ADDRESSES.google.root]);

/** The description names the address; it may name none but one on its own host. */
async function rootAddress(deps: FetchDeps): Promise<string> {
  const { rootDescription: url } = VERIFIER_ADDRESSES.google;
  if (url === undefined) throw new AppError('verifier_keys_refused', 'no address of a root certificate is known');
  const body = await getPinned({ url, accept: 'application/json', mediaType: /^application\/json\s*(?:;|$)/i, maxBytes: MAX_DESCRIPTION_BYTES }, deps);
  const named = uriIn(body);
  if (named !== undefined && isOnSameHost(named, url)) return named;
  throw new AppError('verifier_keys_refused', `${url} names no root certificate on its own host`);
}

/** Other members are for others. */
const Description = z.looseObject({ root_ca_uri: z.string() });

function uriIn(body: Uint8Array): string | undefined {
  try {
    return Description.safeParse(parseJson(body)).data?.root_ca_uri;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Exactly as it is written: no user, port, query or fragment, and nothing that a parser would tidy up. */
function isOnSameHost(uri: string, described: string): boolean {
  const [url, own] = [URL.parse(uri), URL.parse(described)];
  return url !== null && own !== null && url.protocol === 'https:' && url.host === own.host && uri === `https://${own.host}${url.pathname}`;
}

function derOf(body: Uint8Array, url: string): Uint8Array {
  if (body[0] === 0x30) return body;
  try {
    const [, text = ''] = PEM.exec(fromUtf8(body)) ?? [];
    if (text !== '') return fromBase64(text.replaceAll(/[\r\n]/g, ''));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
  throw new AppError('verifier_keys_refused', `what is at ${url} is not a certificate`);
}
