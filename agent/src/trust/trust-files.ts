import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { AppError, AppraisalPolicy, ServiceUrl, Trust } from '@cloister/protocol';
import { readConfigFile } from '@cloister/kit';
import type { StateFolder } from '../state-folder.js';

/** Where the services are. */
export const Settings = z.strictObject({
  v: z.optional(z.literal(1)),
  server: ServiceUrl,
  /** Unix socket that serves `*.cloister.localhost`: the daemon of this machine. */
  gateway: z.optional(z.string().check(z.minLength(1), z.maxLength(107)))
});
export type Settings = z.infer<typeof Settings>;

/** Where the daemon of this machine listens, unless its path is too long for a socket; then `cloister start` writes settings. */
export const defaultGateway = (home: string): string => join(home, 'run', 'gateway.sock');

/** Without settings: the daemon of this machine. */
export async function readSettings(state: StateFolder, home: string): Promise<Settings> {
  if (!(await exists(state.settings))) return { server: 'http://server.cloister.localhost', gateway: defaultGateway(home) };
  return Settings.parse(await readConfigFile(state.settings, Settings));
}

/** Whom the analyst decided to trust. @throws AppError trust_missing | config_invalid */
export async function readTrust(path: string): Promise<Trust> {
  if (!(await exists(path))) throw new AppError('trust_missing', `there is no trust file ${path}`);
  return Trust.parse(await readConfigFile(path, Trust));
}

/** What the analyst demands of a runner. Absent is a state of its own: then no verdict is better than inconclusive. */
export async function readAppraisal(path: string): Promise<AppraisalPolicy | undefined> {
  return (await exists(path)) ? AppraisalPolicy.parse(await readConfigFile(path, AppraisalPolicy)) : undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false
  );
}
