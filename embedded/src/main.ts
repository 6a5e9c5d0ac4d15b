#!/usr/bin/env node
import { createLogger, runService, systemClock, untilToldToEnd } from '@cloister/kit';
import { readProcessConfig } from './config.js';
import { startDaemon } from './daemon.js';
import { layoutOf } from './layout.js';

/**
 * The daemon's process. What it prints is read by whoever started it: one line `listening <socket>` once it serves, or
 * why it does not, with `(state_locked)` where another daemon was a moment faster.
 */
async function main(): Promise<void> {
  const config = await readProcessConfig(process.argv.slice(2));
  const logger = createLogger({ service: 'embedded', level: config.embedded.logLevel, destination: { file: layoutOf(config.home).log } });
  const daemon = await startDaemon({ config, clock: systemClock, logger });
  process.stdout.write(`listening ${daemon.gateway}\n`);
  await Promise.race([untilToldToEnd(), daemon.idle]);
  await daemon.close();
}

await runService(main);
