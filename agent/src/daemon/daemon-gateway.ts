import { lstat } from 'node:fs/promises';
import { AppError, type Transport, type TransportRequest } from '@cloister/protocol';
import type { Clock, NodeTransport } from '@cloister/kit';
import { connectGateway, isLocalService } from '../connect-gateway.js';
import { stateFolderOf } from '../state-folder.js';
import { defaultGateway, readSettings, type Settings } from '../trust/trust-files.js';
import type { DaemonProgram } from './daemon-process.js';
import { ensureDaemon } from './ensure-daemon.js';

export interface DaemonGatewayOptions extends DaemonProgram {
  readonly clock: Clock;
  /** Told when a daemon is started, since that takes a moment. */
  readonly note: (text: string) => void;
}

export interface DaemonGateway {
  /** The network. A request that needs the daemon of this machine starts it where it does not run. */
  readonly transport: Transport;
  /**
   * The same for what nobody asked for just now. It starts a daemon that broke down, since that leaves its socket behind,
   * and never one that was told to end, which takes its socket along.
   */
  readonly background: Transport;
  /** Where the services are, as the settings say now. */
  readonly settings: () => Promise<GatewaySettings>;
  /** Closes kept connections. */
  readonly close: () => void;
}

type GatewaySettings = Settings & { readonly gateway: string };

/** The services of this machine, connected with the first request, and anew after the daemon was gone. */
export function createDaemonGateway(options: DaemonGatewayOptions): DaemonGateway {
  const settings = async (): Promise<GatewaySettings> => {
    const read = await readSettings(stateFolderOf(options.home), options.home);
    return { ...read, gateway: read.gateway ?? defaultGateway(options.home) };
  };
  const { network, forget, close } = connectOnce(async () => connectGateway(await ensureDaemon({ ...options, settings: await settings() })));
  const transport: Transport = async request => {
    const connected = network();
    try {
      return await (await connected).transport(request);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'daemon_unreachable') throw error;
      forget(connected);
      // A daemon that has ended since is started, and asked what it never heard.
      if (!neverHeard(error) || !isRepeatable(request)) throw error;
      return (await network()).transport(request);
    }
  };
  return {
    transport,
    background: async request => {
      const { gateway } = await settings();
      if (isLocalService(request.url) && (await isMissing(gateway))) {
        throw new AppError('daemon_unreachable', 'the Cloister daemon of this machine has ended', { hint: 'It starts again with the next thing that you ask for.' });
      }
      return transport(request);
    },
    settings,
    close
  };
}

interface Connection {
  /** The connection, shared by all who ask meanwhile. */
  readonly network: () => Promise<NodeTransport>;
  /** Of this connection there is no more to expect. */
  readonly forget: (gone: Promise<NodeTransport>) => void;
  readonly close: () => void;
}

function connectOnce(connect: () => Promise<NodeTransport>): Connection {
  let current: Promise<NodeTransport> | undefined;
  const forget = (gone: Promise<NodeTransport>): void => {
    // Another may have connected anew already.
    if (current === gone) current = undefined;
    void gone.then(
      network => network.close(),
      () => undefined
    );
  };
  return {
    network: () => {
      if (current !== undefined) return current;
      const connecting = connect();
      current = connecting;
      // What could not be done now may be possible with the next request.
      connecting.catch(() => forget(connecting));
      return connecting;
    },
    forget,
    close: () => {
      if (current !== undefined) forget(current);
    }
  };
}

/** Nobody took the connection, so the request was never read. */
function neverHeard({ cause }: AppError): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOENT');
}

/** A stream may have been read from already. */
const isRepeatable = ({ body }: TransportRequest): boolean => body === undefined || body instanceof Uint8Array;

async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
  );
}
