import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '@cloister/protocol';
import type { Authenticate } from '@cloister/kit';

/**
 * Who may speak to the agent. The proxy in front of it checks neither Origin nor XSRF, so pages of the same host and
 * another port reach this far: by forms, by no-cors fetches, by EventSource. Therefore every request needs
 *   - the secret that only the proxy adds, which a browser cannot know and the proxy overwrites;
 *   - `X-Cloister-Client`, which no form and no EventSource can send without a preflight, and preflights are refused;
 *   - an Origin of this very host where there is one, and always where something is changed;
 *   - `Sec-Fetch-Site: same-origin` where the browser says it.
 * Bodies of other types than JSON are refused by the route table.
 */
export function guardLocal(proxySecret: string): Authenticate<'jupyter'> {
  const expected = hash(proxySecret);
  return async ({ method, headers }) => {
    if (!timingSafeEqual(hash(single(headers, 'x-cloister-proxy-secret') ?? ''), expected)) throw refused('the request did not come through the proxy');
    const client = single(headers, 'x-cloister-client');
    if (client === undefined || client === '') throw refused('the header X-Cloister-Client is missing');
    requireSameOrigin(single(headers, 'origin'), single(headers, 'host'), method);
    const site = single(headers, 'sec-fetch-site');
    if (site !== undefined && site !== 'same-origin') throw refused('the request comes from another site');
    return { caller: 'jupyter' };
  };
}

function requireSameOrigin(origin: string | undefined, host: string | undefined, method: string): void {
  if (origin === undefined || origin === '') {
    if (method === 'GET' || method === 'HEAD') return;
    throw refused('the header Origin is missing');
  }
  const url = URL.parse(origin);
  // "null" is what sandboxed frames say; it parses as no URL.
  if (url === null || host === undefined || url.host !== host) throw refused('the request comes from another origin');
}

function single(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? undefined : value;
}

function refused(detail: string): AppError {
  return new AppError('not_permitted', detail, { hint: 'Only JupyterLab’s own pages may speak to the agent.' });
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
