import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, jcs } from '@cloister/protocol';
import { answers, createPrivateFile, ensurePrivateDirectory, requirePrivateDirectory, type Clock } from '@cloister/kit';
import { isLocalService } from '../connect-gateway.js';
import { stateFolderOf } from '../state-folder.js';
import { defaultGateway, type Settings } from '../trust/trust-files.js';
import { startDaemonProcess, type DaemonProgram } from './daemon-process.js';

export interface EnsureOptions extends DaemonProgram {
  readonly settings: Settings & { readonly gateway: string };
  readonly clock: Clock;
  readonly note: (text: string) => void;
}

/**
 * The socket of this machine's daemon, started where it is needed and does not run. Where the services are somewhere
 * else, nothing is started.
 * @throws AppError key_unsafe where somebody else has its place | daemon_unreachable
 */
export async function ensureDaemon({ home, program, settings, clock, note }: EnsureOptions): Promise<string> {
  await requirePrivateDirectory(dirname(settings.gateway));
  if (!isLocalService(settings.server) || (await answers(settings.gateway))) return settings.gateway;
  // Services that were set up elsewhere are another's to start.
  if (settings.gateway !== defaultGateway(home) && !(await servesFrom(home))) {
    throw new AppError('daemon_unreachable', `nobody answers at ${settings.gateway}`);
  }
  note('Starting the Cloister daemon …');
  try {
    const gateway = await startDaemonProcess({ home, program }, clock);
    await rememberGateway(home, gateway);
    return gateway;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'state_locked') throw error;
    // Somebody else was a moment faster: that daemon serves us as well.
    await untilAnswered(settings.gateway, clock);
    return settings.gateway;
  }
}

const PATIENCE_MS = 20_000;

async function untilAnswered(gateway: string, clock: Clock): Promise<void> {
  const deadline = clock.now().getTime() + PATIENCE_MS;
  while (!(await answers(gateway))) {
    if (clock.now().getTime() > deadline) throw new AppError('daemon_unreachable', `a daemon runs, and does not answer at ${gateway}`);
    await clock.sleep(50);
  }
}

/** Whether this state directory is set up for a daemon. */
async function servesFrom(home: string): Promise<boolean> {
  return readFile(`${home}/embedded.json`).then(
    () => true,
    () => false
  );
}

/** Where the state directory's path is too long for a socket, the daemon listens elsewhere, and tells. */
export async function rememberGateway(home: string, gateway: string): Promise<void> {
  if (gateway === defaultGateway(home)) return;
  const state = stateFolderOf(home);
  await ensurePrivateDirectory(state.root);
  await createPrivateFile(state.settings, jcs({ v: 1, server: 'http://server.cloister.localhost', gateway })).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'file_exists') throw error;
  });
}
