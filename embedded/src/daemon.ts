import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import { acquireLock, createTransport, ensurePrivateDirectory, listen, type Clock, type Logger } from '@cloister/kit';
import { createBroker, type Broker } from '@cloister/broker';
import { createServer, LocalBackend, localRunnerEnv, readSimulatorTrust, toPinnedVerifier, type Server, type TeeBackend } from '@cloister/server';
import type { PinnedVerifier } from '@cloister/protocol';
import type { ProcessConfig } from './config.js';
import { createGateway, urlOf } from './gateway.js';
import { layoutOf, type Layout } from './layout.js';
import { createIdleWatch } from './idle.js';

/** The built runner image of this checkout. */
const IMAGE_DIR = fileURLToPath(new URL('../../runner/image', import.meta.url));

export interface DaemonDeps {
  readonly config: ProcessConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Daemon {
  readonly gateway: string;
  /** Resolves when nothing has happened for as long as the configuration says. */
  readonly idle: Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Server and owners' brokers of one machine in one process, behind one private socket. Each broker has keys and a
 * store of its own, and reaches nothing of the others but by HTTP. Runners and the attestation simulator are processes of
 * their own: they outlive this one, and the next daemon adopts them.
 * @throws AppError state_locked where another daemon serves this state directory
 */
export async function startDaemon({ config, clock, logger }: DaemonDeps): Promise<Daemon> {
  const layout = layoutOf(config.home);
  for (const directory of [config.home, layout.sockets, layout.heads]) await ensurePrivateDirectory(directory);
  const lock = await acquireLock(layout.lock);
  const closers: (() => Promise<void>)[] = [async () => lock.release()];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    const simulator = toPinnedVerifier(await readSimulatorTrust(layout.simulator), 'the attestation simulator of this machine');
    const brokers = await startBrokers({ config, clock, logger }, layout, simulator, closers);
    const backend = openBackend(config, layout);
    const server = await startServer({ config, clock, logger }, layout, { simulator, backend, closers });
    const watch = createIdleWatch(config.embedded.idleMinutes * 60_000, clock.now(), () => clock.now());
    const apps = new Map<string, RequestListener>([['server', server.app], ...brokers]);
    const gateway = createGateway(apps);
    const listening = await listen((request, response) => {
      watch.touch();
      gateway(request, response);
    }, { socketPath: layout.gateway });
    closers.push(() => listening.close());
    server.reconciler.start();
    const { idle, stop } = watchIdle(() => watch.isIdle(clock.now(), () => isBusy(backend)), logger);
    closers.push(async () => stop());
    return { gateway: layout.gateway, idle, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startBrokers(
  { config, clock, logger }: DaemonDeps,
  layout: Layout,
  simulator: PinnedVerifier,
  closers: (() => Promise<void>)[]
): Promise<[string, RequestListener][]> {
  const apps: [string, RequestListener][] = [];
  for (const { name, owner } of config.embedded.brokers) {
    const broker: Broker = await createBroker({
      stateDir: layout.broker(name),
      headsFile: layout.brokerHeads(name),
      owner,
      publicUrl: urlOf(name),
      trust: { verifiers: [simulator] },
      clock,
      logger: logger.child({ broker: name })
    });
    closers.push(() => broker.close());
    apps.push([name, broker.app]);
  }
  return apps;
}

function openBackend(config: ProcessConfig, layout: Layout): TeeBackend {
  return new LocalBackend({
    stateDir: layout.instances,
    keysDir: layout.simulator,
    imageDir: IMAGE_DIR,
    socketRoot: layout.sockets,
    extraEnv: { PATH: config.path }
  });
}

interface ServerParts {
  readonly simulator: PinnedVerifier;
  readonly backend: TeeBackend;
  readonly closers: (() => Promise<void>)[];
}

async function startServer({ config, clock, logger }: DaemonDeps, layout: Layout, { simulator, backend, closers }: ServerParts): Promise<Server> {
  const publicUrl = urlOf('server');
  const { transport, close } = createTransport({ sockets: { 'cloister.localhost': layout.gateway } });
  closers.push(async () => close());
  const server = await createServer({
    stateDir: layout.server,
    publicUrl,
    trust: { v: 1, owners: [], verifiers: [simulator], images: [] },
    // The socket is the user's own, mode 0600 in a 0700 directory: whoever reaches it is the user.
    analysts: 'any',
    publishers: 'any',
    backend,
    brokers: transport,
    brokerHosts: ['cloister.localhost'],
    runnerEnv: localRunnerEnv({ serverUrl: publicUrl, gateway: layout.gateway, python: config.embedded.python }),
    clock,
    logger: logger.child({ part: 'server' })
  });
  closers.push(() => server.close());
  return server;
}

/** A runner at work keeps the daemon alive; jobs that merely wait go on with the next one. */
async function isBusy(backend: TeeBackend): Promise<boolean> {
  return (await backend.list()).some(instance => instance.status !== 'terminated');
}

const IDLE_CHECK_MS = 30_000;

/** A look that fails tells nothing, so the daemon goes on: it ends by itself only where it knows that nobody needs it. */
function watchIdle(isIdle: () => Promise<boolean>, logger: Logger): { idle: Promise<void>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<void>(resolve => {
    timer = setInterval(() => {
      isIdle().then(
        yes => {
          if (yes) resolve();
        },
        (error: unknown) => logger.warn({ err: error }, 'whether the daemon is idle cannot be told')
      );
    }, IDLE_CHECK_MS);
    timer.unref();
  });
  return { idle, stop: () => clearInterval(timer) };
}
