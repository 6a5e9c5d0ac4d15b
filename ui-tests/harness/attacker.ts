import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A page of somebody else on the same host and another port, which is where cookies of Jupyter go too. */
export class Attacker {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<Attacker> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Somebody else</title><body></body>');
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return new Attacker(server);
  }

  get url(): string {
    const address = this.#server.address();
    if (!isPort(address)) throw new Error('the page is not served');
    return `http://127.0.0.1:${address.port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

const isPort = (address: AddressInfo | string | null): address is AddressInfo => address !== null && typeof address === 'object';
