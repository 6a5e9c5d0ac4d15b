import { dirname } from 'node:path';
import { createTransport, requirePrivateDirectory, type NodeTransport } from '@cloister/kit';

/**
 * The network, with this machine's own services behind a socket. Before each request the socket's directory must be ours:
 * whoever made one of that name in a shared place would hear what we ask and answer what they like.
 */
export function connectGateway(gateway: string): NodeTransport {
  const { transport, close } = createTransport({ sockets: { 'cloister.localhost': gateway } });
  return {
    transport: async request => {
      if (isLocalService(request.url)) await requirePrivateDirectory(dirname(gateway));
      return transport(request);
    },
    close
  };
}

/** Whether an address is one of this machine's own services, behind the gateway's socket. */
export function isLocalService(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'cloister.localhost' || hostname.endsWith('.cloister.localhost');
}
