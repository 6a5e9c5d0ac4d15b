import { createServer } from 'node:http';
import { once } from 'node:events';
import { collect, parseJson } from '@cloister/protocol';
import type { TestVerifier, TestWorld } from '@cloister/protocol/testing';
import * as z from 'zod/mini';
import { closed, type RouteServer } from './route-server.js';

const TokenBody = z.strictObject({ audience: z.string(), token_type: z.enum(['OIDC', 'PKI']), nonces: z.array(z.string()) });

/** A launcher's socket that attests to the image of a test's world. */
export async function serveLauncher(socket: string, world: TestWorld, verifier: TestVerifier): Promise<RouteServer> {
  const server = createServer((request, response) => {
    void collect(request, 1 << 16)
      .then(async bytes => {
        const { audience, token_type: type, nonces } = TokenBody.parse(parseJson(bytes));
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end(await verifier.mint({ audience, nonces, image: world.image, instance: 'job-1', issuedAt: new Date(), kind: type === 'PKI' ? 'pki' : 'oidc' }));
      })
      .catch(() => response.destroy());
  });
  server.listen(socket);
  await once(server, 'listening');
  return { socket, close: () => closed(server) };
}
