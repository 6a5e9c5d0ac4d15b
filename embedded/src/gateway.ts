import type { RequestListener } from 'node:http';
import { AppError, problemOf } from '@cloister/protocol';

const DOMAIN = '.cloister.localhost';

/** `http://<name>.cloister.localhost`: an address that exists only on the daemon's socket. */
export function urlOf(name: string): string {
  return `http://${name}${DOMAIN}`;
}

/**
 * Serves several applications on one socket by the request's Host, as they would be apart: each sees only its own
 * requests, and proofs name the full address, so none can pass a request on to another.
 */
export function createGateway(apps: ReadonlyMap<string, RequestListener>): RequestListener {
  return (request, response) => {
    const host = request.headers.host ?? '';
    const app = host.endsWith(DOMAIN) ? apps.get(host.slice(0, -DOMAIN.length)) : undefined;
    if (app !== undefined) {
      app(request, response);
      return;
    }
    const problem = problemOf(new AppError('not_found', 'no service of this machine has that name'));
    response.writeHead(problem.status, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(problem));
    request.resume();
  };
}
