import { isAbsolute } from 'node:path';
import { AppError, ServiceUrl, Thumbprint, Trust } from '@cloister/protocol';
import { readConfigFile } from '@cloister/kit';
import * as z from 'zod/mini';

const Path = z.string().check(z.refine(isAbsolute, 'an absolute path'));
const Admitted = z.union([z.literal('any'), z.array(Thumbprint)]);
const Positive = z.int().check(z.gte(1));

/** The server as a process of its own. Every path is absolute; unknown members are refused. */
export const ServerConfig = z.strictObject({
  listen: z.union([z.strictObject({ socketPath: Path }), z.strictObject({ host: z.string(), port: z.int().check(z.gte(1), z.lte(65_535)) })]),
  publicUrl: ServiceUrl,
  stateDir: Path,
  /** trust.json: verifiers whose tokens admit runners. */
  trustFile: Path,
  analysts: Admitted,
  publishers: Admitted,
  /** Brokers that are called and may be published, by host or suffix of hosts. Without: public names by https. */
  brokerHosts: z.optional(z.array(z.string().check(z.regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/))).check(z.minLength(1))),
  /** The only backend of version 1: runners of this machine under the attestation simulator, which proves nothing about hardware. */
  backend: z.strictObject({ kind: z.literal('local'), imageDir: Path, socketRoot: Path }),
  /** Unix sockets that runners and this server reach some hosts by, by host or suffix of hosts. */
  sockets: z.optional(z.record(z.string(), Path)),
  runner: z.optional(z.strictObject({ gateway: z.optional(Path), python: z.optional(Path) })),
  limits: z.optional(
    z.strictObject({
      maxParallelJobs: z.optional(Positive),
      maxLiveJobs: z.optional(Positive),
      maxRunSeconds: z.optional(Positive),
      maxUnusedBundleBytes: z.optional(Positive),
      minFreeBytes: z.optional(z.int().check(z.gte(0))),
      tickMs: z.optional(Positive)
    })
  ),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent'])
});
export type ServerConfig = z.infer<typeof ServerConfig>;

/**
 * Reads the file that CLOISTER_SERVER_CONFIG names.
 * @throws AppError config_invalid
 */
export async function readServerConfig(): Promise<{ config: ServerConfig; trust: Trust }> {
  const path = process.env['CLOISTER_SERVER_CONFIG'];
  if (path === undefined || path === '') throw new AppError('config_invalid', 'CLOISTER_SERVER_CONFIG names no file');
  // Parsed once more for the type alone: the frozen one does not know that branded texts are texts.
  const config = ServerConfig.parse(await readConfigFile(path, ServerConfig));
  return { config, trust: Trust.parse(await readConfigFile(config.trustFile, Trust)) };
}
