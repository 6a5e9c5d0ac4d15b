import { AppError, Attempt, Digest, Time } from '@cloister/protocol';
import * as z from 'zod/mini';

/** Deterministic name of one attempt's instance, so that launching twice cannot make two. */
export const InstanceName = z.string().check(z.regex(/^job-[0-9a-f]{16}-a[1-9][0-9]{0,2}$/));
export type InstanceName = z.infer<typeof InstanceName>;

/** @param job digest of the manifest's payload */
export function instanceName(job: Digest, attempt: number): InstanceName {
  return InstanceName.parse(`job-${job.slice('sha256:'.length, 'sha256:'.length + 16)}-a${attempt}`);
}

/** The longest run that every backend can bound. */
export const MAX_RUN_SECONDS = 7 * 24 * 3600;

/**
 * One attempt to launch. The limits are the narrowest of all backends: environment names as the Confidential
 * Space launcher takes them, labels as Compute Engine does.
 */
export const LaunchRequest = z.strictObject({
  name: InstanceName,
  job: Digest,
  attempt: Attempt,
  /** Same for every retry of this very request. */
  requestId: z.uuid(),
  /** Attested in `env_override`; never a secret, since the token and the operator's logs show it. */
  env: z.record(z.string().check(z.regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)), z.string().check(z.maxLength(32_768), z.regex(/^[^\0]*$/))),
  labels: z.record(z.string().check(z.regex(/^[a-z][a-z0-9_-]{0,62}$/)), z.string().check(z.regex(/^[a-z0-9_-]{0,63}$/))),
  /** The instance ends by itself after this many seconds, also when no server lives. */
  maxRunSeconds: z.int().check(z.gte(1), z.lte(MAX_RUN_SECONDS))
});
export type LaunchRequest = z.infer<typeof LaunchRequest>;

export const InstanceStatus = z.enum(['starting', 'running', 'terminated']);
export type InstanceStatus = z.infer<typeof InstanceStatus>;

/** What the backend knows of an instance. Hints only: nothing here is attested. */
export interface Instance {
  readonly name: InstanceName;
  readonly labels: Readonly<Record<string, string>>;
  readonly status: InstanceStatus;
  /** Absent until the launcher has measured the image. */
  readonly imageDigest?: Digest;
  readonly launchedAt: Time;
  /** Only of a terminated one, and only where the backend learns it; 128 + n for a workload ended by signal n. */
  readonly exitCode?: number;
}

export interface BackendCapabilities {
  /** Values of the `hwmodel` claim that its tokens can carry. */
  readonly hardware: readonly string[];
  readonly tokenTypes: readonly ('OIDC' | 'PKI')[];
  /** True where the attestation is not by hardware, so that verdicts can be no better than *simulated*. */
  readonly simulated: boolean;
  readonly maxRunSeconds: number;
}

/**
 * Where attested runners come from. Level-triggered callers may repeat every call: `launch` is exactly-once in
 * effect, `delete` of a missing instance succeeds, and a terminated instance stays listed until it is deleted.
 */
export interface TeeBackend {
  readonly kind: string;
  /**
   * @throws AppError launch_failed | already_exists (another job, attempt, environment or image has the name)
   * @throws the signal's reason when it is aborted; the instance may exist then, and the caller finds it by `get`
   */
  launch(request: LaunchRequest, signal: AbortSignal): Promise<Instance>;
  get(name: string): Promise<Instance | undefined>;
  list(): Promise<Instance[]>;
  /** Returns when nothing of the instance runs or is stored any more. */
  delete(name: string): Promise<void>;
  capabilities(): BackendCapabilities;
}

/** @throws AppError launch_failed where the request is not one that every backend takes */
export function parseLaunchRequest(request: LaunchRequest): LaunchRequest {
  const parsed = z.safeParse(LaunchRequest, request);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AppError('launch_failed', `launch request is not valid at ${at === '' ? 'its top' : at}`);
}
