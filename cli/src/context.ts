import { join, resolve } from 'node:path';
import { AppError, type Transport } from '@cloister/protocol';
import { systemClock, type Clock } from '@cloister/kit';
import { connectGateway, createAgent, defaultGateway, readSettings, stateFolderOf, type Agent, type Settings, type StateFolder } from '@cloister/agent';
import { ensureDaemon } from './daemon/ensure-daemon.js';
import { createStyle, type Style } from './terminal/style.js';

/** What a command works with. */
export interface CliContext {
  /** Directory of all state. */
  readonly home: string;
  readonly state: StateFolder;
  readonly clock: Clock;
  readonly style: Style;
  /** A person watches stdout: lines may be rewritten. */
  readonly live: boolean;
  /** One line, or several, on stdout. */
  readonly print: (text: string) => void;
  /** On stderr: progress and notes. */
  readonly note: (text: string) => void;
  readonly printJson: (value: unknown) => void;
  readonly settings: () => Promise<Settings & { readonly gateway: string }>;
  /** The network. The first request starts the daemon of this machine, where services are its own and it does not run. */
  readonly transport: Transport;
  readonly agent: () => Promise<Agent>;
  readonly ownerDir: (given: string | undefined) => string;
  /** What the process shall end with, unless something fails. */
  exitCode: number;
  /** What a failure shall end with, where a command gives that a meaning of its own. */
  failureExit: number | undefined;
  readonly close: () => void;
}

export interface ContextOptions {
  readonly home: string;
  readonly colours: boolean;
}

export function createContext({ home, colours }: ContextOptions): CliContext {
  const state = stateFolderOf(home);
  const closers: (() => void)[] = [];
  const note = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  const settings = async (): Promise<Settings & { readonly gateway: string }> => {
    const read = await readSettings(state, home);
    return { ...read, gateway: read.gateway ?? defaultGateway(home) };
  };
  const transport = lazyTransport(async () => {
    const gateway = await ensureDaemon({ home, settings: await settings(), clock: systemClock, note });
    const network = connectGateway(gateway);
    closers.push(network.close);
    return network.transport;
  });
  return {
    home,
    state,
    clock: systemClock,
    style: createStyle(colours),
    live: process.stdout.isTTY,
    print: text => {
      process.stdout.write(`${text}\n`);
    },
    note,
    printJson: value => {
      process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
    settings,
    transport,
    agent: async () => createAgent({ home, transport, serverUrl: (await settings()).server, clock: systemClock }),
    ownerDir: given => resolve(given ?? join(home, 'owner')),
    exitCode: 0,
    failureExit: undefined,
    close: () => {
      for (const close of closers) close();
    }
  };
}

/** Connects with the first request, and anew after the daemon was gone: whoever needs it next starts it. */
function lazyTransport(connect: () => Promise<Transport>): Transport {
  let connected: Promise<Transport> | undefined;
  return async request => {
    connected ??= connect();
    try {
      return await (await connected)(request);
    } catch (error) {
      if (error instanceof AppError && error.code === 'daemon_unreachable') connected = undefined;
      throw error;
    }
  };
}
