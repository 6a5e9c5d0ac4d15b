import { readConfigFile } from '@cloister/kit';
import { AppError, ServiceUrl, Thumbprint, Trust } from '@cloister/protocol';
import * as z from 'zod/mini';

/** Configuration of a broker that is a process of its own. Paths are absolute. */
export const BrokerConfig = z.strictObject({
  listen: z.union([z.strictObject({ socketPath: z.string() }), z.strictObject({ host: z.string(), port: z.int().check(z.gte(1), z.lte(65535)) })]),
  stateDir: z.string().check(z.startsWith('/')),
  /** Outside of `stateDir`, and of its backups. */
  headsFile: z.string().check(z.startsWith('/')),
  owner: Thumbprint,
  publicUrl: ServiceUrl,
  /** trust.json, of which a broker needs the pinned verifiers. */
  trustFile: z.string().check(z.startsWith('/')),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent'])
});
export type BrokerConfig = z.infer<typeof BrokerConfig>;

export interface ProcessConfig {
  readonly broker: BrokerConfig;
  readonly trust: Trust;
}

/**
 * Reads the file that the environment names, once, at start.
 * @throws AppError config_invalid
 */
export async function readProcessConfig(): Promise<ProcessConfig> {
  const path = process.env['CLOISTER_BROKER_CONFIG'];
  if (path === undefined) throw new AppError('config_invalid', 'CLOISTER_BROKER_CONFIG names no configuration file');
  const broker = await readConfigFile(path, BrokerConfig);
  if (`${broker.headsFile}/`.startsWith(`${broker.stateDir.replace(/\/+$/, '')}/`)) {
    throw new AppError('config_invalid', `${path}: headsFile lies in stateDir, so a backup would restore both`);
  }
  return { broker, trust: Trust.parse(await readConfigFile(broker.trustFile, Trust)) };
}
