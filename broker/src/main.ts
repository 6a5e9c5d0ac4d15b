#!/usr/bin/env node
import { createLogger, listen, systemClock } from '@cloister/kit';
import { createBroker } from './app.js';
import { readProcessConfig } from './config.js';

const { broker: config, trust } = await readProcessConfig();
const logger = createLogger({ service: 'broker', level: config.logLevel, destination: 'stdout' });
const broker = await createBroker({
  stateDir: config.stateDir,
  headsFile: config.headsFile,
  owner: config.owner,
  publicUrl: config.publicUrl,
  trust,
  clock: systemClock,
  logger
});
const listening = await listen(broker.app, config.listen);
logger.info({ broker: broker.thumbprint }, 'listening');

const stop = async (): Promise<void> => {
  await listening.close();
  await broker.close();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
