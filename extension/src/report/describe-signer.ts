import { digestOf, fromBase64, readToken, type Check, type PinnedVerifier, type Trust } from '@cloister/protocol';
import type { ISignerView } from './report-view';

type Token = NonNullable<ReturnType<typeof readToken>['token']>;

/**
 * By whose word a token counts, as the reader’s own trust names it: the verifier’s kind and, only where the checks of key and
 * signature passed, the key or the root that signed.
 */
export function describeSigner(raw: string, trust: Trust, checks: readonly Check[]): ISignerView {
  const { token } = readToken(raw);
  const verifier = trust.verifiers.find(pinned => pinned.issuer === token?.claims['iss']);
  if (token === undefined || verifier === undefined) return {};
  const { kind } = verifier;
  const statusOf = (id: string): Check | undefined => checks.find(check => check.id === id && check.status === 'pass');
  const key = statusOf('key');
  if (key === undefined || statusOf('signature') === undefined) return { kind };
  const { kid } = token.header;
  return { kind, ...(typeof kid === 'string' && key.actual === kid ? { key: keyOf(kid, token, verifier) } : rootOf(token, verifier)) };
}

/** The last set with the key that was seen before the token was issued, or else the first one after: as the check of the key chooses. */
function keyOf(id: string, { header, claims }: Token, { jwks }: PinnedVerifier): NonNullable<ISignerView['key']> {
  const { alg } = header;
  const issuedAt = Number(claims['iat']) * 1000;
  const sets = jwks.filter(({ keys }) => keys.some(key => key.kid === id && key.alg === alg)).sort((a, b) => Date.parse(a.seen) - Date.parse(b.seen));
  const set = sets.findLast(({ seen }) => Date.parse(seen) <= issuedAt) ?? sets[0];
  return { id, ...(typeof alg === 'string' ? { algorithm: alg } : {}), ...(set === undefined ? {} : { source: set.source, seen: set.seen }) };
}

/** The chain’s last certificate, which the check of the key found among the pinned ones; in base64 or as PEM text. */
function rootOf({ header }: Token, { roots }: PinnedVerifier): Pick<ISignerView, 'root'> {
  const chain = header['x5c'];
  const last = Array.isArray(chain) ? chain.at(-1) : undefined;
  if (typeof last !== 'string') return {};
  const fingerprint = digestOf(fromBase64(last.replaceAll(/-----(BEGIN|END) CERTIFICATE-----|\s/g, '')));
  const root = roots.find(pinned => pinned.fingerprint === fingerprint);
  return root === undefined ? {} : { root: { fingerprint, source: root.source } };
}
