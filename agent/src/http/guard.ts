import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '@cloister/protocol';
import type { Authenticate } from '@cloister/kit';

/**
 * Who may speak to the agent. The proxy in front of it checks neither Origin nor XSRF, so pages of the same host and
 * another port reach this far: by forms, by no-cors fetches, by EventSource. Therefore every request needs
 *   - the secret that only the proxy adds, which a browser cannot know and the proxy overwrites;
 *   - `X-Cloister-Client`, which no form and no EventSource can send without a preflight, and preflights are refused;
 *   - an Origin of this very host where there is one, and always where something is changed; by https where the user is;
 *   - `Sec-Fetch-Site: same-origin` where the browser says it.
 * Bodies of other types than JSON are refused by the route table.
 */
export function guardLocal(proxySecret: string): Authenticate<'jupyter'> {
  const expected = hash(proxySecret);
  return async ({ method, headers }) => {
    requireProxy(headers, expected);
    const client = single(headers, 'x-cloister-client');
    if (client === undefined || client === '') throw refused('the header X-Cloister-Client is missing');
    requireSamePage(headers, { originMayLack: method === 'GET' || method === 'HEAD' });
    return { caller: 'jupyter' };
  };
}

/**
 * The same for a WebSocket. A browser sends no header of ours with one, but always an Origin: it takes the place of
 * `X-Cloister-Client`.
 */
export function guardSocket(proxySecret: string): (headers: IncomingHttpHeaders) => void {
  const expected = hash(proxySecret);
  return headers => {
    requireProxy(headers, expected);
    requireSamePage(headers, { originMayLack: false });
  };
}

function requireProxy(headers: IncomingHttpHeaders, expected: Buffer): void {
  if (!timingSafeEqual(hash(single(headers, 'x-cloister-proxy-secret') ?? ''), expected)) throw refused('the request did not come through the proxy');
}

function requireSamePage(headers: IncomingHttpHeaders, { originMayLack }: { readonly originMayLack: boolean }): void {
  const origin = single(headers, 'origin');
  const host = single(headers, 'host');
  if (origin === undefined || origin === '') {
    if (!originMayLack) throw refused('the header Origin is missing');
  } else {
    const url = URL.parse(origin);
    // "null" is what sandboxed frames say; it parses as no URL.
    if (url === null || host === undefined || url.host !== host) throw refused('the request comes from another origin');
    // By their default ports a page from http and one from https have the same host, and anybody on the way writes the former.
    if (url.protocol !== 'https:' && (url.protocol !== 'http:' || isForwardedFromHttps(headers))) throw refused('the request comes from another origin');
  }
  const site = single(headers, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin') throw refused('the request comes from another site');
}

/** Whoever took the request by https says so. Somebody else who says it as well only makes us stricter. */
function isForwardedFromHttps(headers: IncomingHttpHeaders): boolean {
  const said = headers['x-forwarded-proto'];
  return [said ?? []].flat().some(value => value.toLowerCase().split(',').some(scheme => scheme.trim() === 'https'));
}

function single(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? undefined : value;
}

function refused(detail: string): AppError {
  return new AppError('not_permitted', detail, { hint: 'Only JupyterLab’s own pages may speak to the agent.' });
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
