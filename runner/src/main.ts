import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@cloister/protocol';
import { createLauncherTokens } from './attestation/token-source.js';
import { createBubblewrapSandbox } from './bubblewrap-sandbox.js';
import { systemClock } from './clock.js';
import { readConfig, type RunnerConfig } from './config.js';
import type { Log } from './deps.js';
import { runAttempt } from './run-attempt.js';
import { createTransport } from './transport.js';

/** Everything of the image lies beside this script: driver/, python/ and image.json. */
const IMAGE = dirname(fileURLToPath(import.meta.url));

const log: Log = (event, counts = {}) => void process.stderr.write(`${JSON.stringify({ time: systemClock.now().toISOString(), event, ...counts })}\n`);

/** Exit code 0 where a report was published, also of a notebook that failed; 1 otherwise. */
async function main(): Promise<number> {
  process.umask(0o077);
  const config = readConfig();
  const { server, job, attempt, scratch, teeSocket } = config;
  const deps = {
    transport: createTransport(config.gateway === undefined ? {} : { gateway: config.gateway }),
    tokens: createLauncherTokens({ socket: teeSocket, clock: systemClock }),
    sandbox: sandboxOf(config),
    clock: systemClock,
    log
  };
  const ending = await runAttempt({ server, job, attempt, scratch }, deps, stopSignal());
  return ending.published ? 0 : 1;
}

function sandboxOf({ python, teeSocket, scratch, sandboxList, gateway, home }: RunnerConfig): ReturnType<typeof createBubblewrapSandbox> {
  const places = [IMAGE, scratch, dirname(teeSocket), ...(gateway === undefined ? [] : [dirname(gateway)]), ...(home === undefined ? [] : [home])];
  return createBubblewrapSandbox({
    python,
    teeSocket,
    scratch,
    ...(sandboxList === undefined ? {} : { sandboxList }),
    driverDir: join(IMAGE, 'driver'),
    cloisterModuleDir: join(IMAGE, 'python'),
    runnerFiles: gateway === undefined ? [IMAGE] : [IMAGE, gateway],
    keptApart: places
  });
}

/** The machine is being ended: the attempt may be tried again elsewhere, so it is lost and not cancelled. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new AppError('runner_lost', 'the runner was told to end'));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  return stopping.signal;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(`failed:${error instanceof AppError ? error.code : 'runner_failed'}`);
  process.exitCode = 1;
}
