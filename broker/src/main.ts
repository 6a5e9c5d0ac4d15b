#!/usr/bin/env node
import { createLogger, createTransport, fetchKeySet, listen, runService, systemClock, untilToldToEnd } from '@cloister/kit';
import { createBroker } from './app.js';
import { readProcessConfig } from './config.js';

/** The broker as a process of its own: configuration, address, and an orderly end on SIGTERM and SIGINT. */
async function main(): Promise<void> {
  const { broker: config, trust } = await readProcessConfig();
  const logger = createLogger({ service: 'broker', level: config.logLevel, destination: 'stdout' });
  const { stateDir, headsFile, owner, publicUrl } = config;
  const network = createTransport({ connectMs: 5000, headersMs: 5000, idleMs: 5000 });
  const broker = await createBroker({
    stateDir, headsFile, owner, publicUrl, trust, clock: systemClock, logger,
    fetchKeySet: async (kind, signal) => fetchKeySet(kind, { transport: network.transport, clock: systemClock, signal })
  });
  const listening = await listen(broker.app, config.listen);
  // The owner compares this when her tools first meet the broker.
  logger.info({ broker: broker.thumbprint, owner }, 'listening');
  const signal = await untilToldToEnd();
  logger.info({ signal }, 'ending');
  await listening.close();
  await broker.close();
  network.close();
}

await runService(main);
