#!/usr/bin/env node
import { createLogger, systemClock } from '@cloister/kit';
import { AppError } from '@cloister/protocol';
import { readProcessConfig } from './config.js';
import { startDaemon } from './daemon.js';
import { layoutOf } from './layout.js';

try {
  const config = await readProcessConfig(process.argv.slice(2));
  const logger = createLogger({ service: 'embedded', level: config.embedded.logLevel, destination: { file: layoutOf(config.home).log } });
  const daemon = await startDaemon({ config, clock: systemClock, logger });
  process.stdout.write(`listening ${daemon.gateway}\n`);
  const signalled = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await Promise.race([signalled, daemon.idle]);
  await daemon.close();
} catch (error) {
  const text = error instanceof AppError ? `${error.detail}\n${error.hint} (${error.code})` : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
