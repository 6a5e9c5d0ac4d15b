import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { parseConfig, readConfigFile, type Frozen } from '@cloister/kit';
import { AppError, Thumbprint } from '@cloister/protocol';

/** `embedded.json` in the state directory: what the daemon of this machine serves. */
export const EmbeddedConfig = z.strictObject({
  v: z.literal(1),
  /** One broker an owner; the name is the first label of its host, as in http://hospital.cloister.localhost. */
  brokers: z.array(z.strictObject({ name: z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,31}$/)), owner: Thumbprint })).check(
    z.maxLength(32),
    z.refine(brokers => new Set(brokers.map(broker => broker.name)).size === brokers.length, 'broker names must differ'),
    z.refine(brokers => brokers.every(broker => broker.name !== 'server'), 'the name server is taken')
  ),
  /** The daemon ends by itself after so many minutes without a request and without a job. */
  idleMinutes: z.int().check(z.gte(1), z.lte(24 * 60)),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
  /** Python interpreter whose packages notebooks get; part of what the runner attests. */
  python: z.string().check(z.startsWith('/'))
});
export type EmbeddedConfig = Frozen<z.infer<typeof EmbeddedConfig>>;

export interface ProcessConfig {
  readonly home: string;
  /** For the runner: where node and bwrap are found. Nothing else of our environment reaches it. */
  readonly path: string;
  readonly embedded: EmbeddedConfig;
}

/**
 * `--home DIR`, else $CLOISTER_HOME, else ~/.cloister.
 * @throws AppError usage | config_invalid
 */
export async function readProcessConfig(argv: readonly string[]): Promise<ProcessConfig> {
  const home = resolve(homeOf(argv) ?? process.env['CLOISTER_HOME'] ?? join(homedir(), '.cloister'));
  const embedded = await readConfigFile(join(home, 'embedded.json'), EmbeddedConfig);
  return parseConfig(ProcessShape, { home, path: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', embedded });
}

const ProcessShape = z.strictObject({ home: z.string(), path: z.string(), embedded: EmbeddedConfig });

function homeOf(argv: readonly string[]): string | undefined {
  if (argv.length === 0) return undefined;
  const [flag, home] = argv;
  if (argv.length !== 2 || flag !== '--home' || home === undefined || home === '') {
    throw new AppError('usage', 'the daemon takes --home DIR and nothing else');
  }
  return home;
}
