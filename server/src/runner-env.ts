import type { Digest } from '@cloister/protocol';

export interface LocalRunnerOptions {
  readonly serverUrl: string;
  /** Unix socket by which a runner reaches hosts of this machine. */
  readonly gateway?: string | undefined;
  /** Python interpreter with the notebook's packages. */
  readonly python?: string | undefined;
}

/** What a runner is told at launch: where to ask, and for what. Attested as overrides, and no secret. */
export function localRunnerEnv({ serverUrl, gateway, python }: LocalRunnerOptions): (job: Digest, attempt: number) => Record<string, string> {
  return (job, attempt) => ({
    CLOISTER_SERVER: serverUrl,
    CLOISTER_JOB: job,
    CLOISTER_ATTEMPT: String(attempt),
    ...(gateway === undefined ? {} : { CLOISTER_GATEWAY: gateway }),
    ...(python === undefined ? {} : { CLOISTER_PYTHON: python })
  });
}
