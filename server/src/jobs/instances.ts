import { Digest, type Digest as DigestType } from '@cloister/protocol';
import { instanceName, type Instance, type LaunchRequest } from '../backends/port.js';
import type { AttemptRecord } from './job.js';

const LABEL = { server: 'cloister-server', first: 'cloister-job', second: 'cloister-job-rest', attempt: 'cloister-attempt' } as const;

/** Which of a server's attempts an instance was launched for. */
export interface OwnInstance {
  readonly instance: Instance;
  /** Undefined: the labels are ours and do not fit together. */
  readonly of: { readonly job: DigestType; readonly attempt: number } | undefined;
}

/** What the backend is asked for. Made of recorded things alone, so that asking again asks for the same. */
export function launchRequestOf(attempt: AttemptRecord, serverId: string, env: Readonly<Record<string, string>>): LaunchRequest {
  const hex = attempt.job.slice('sha256:'.length);
  return {
    name: instanceName(attempt.job, attempt.attempt),
    job: attempt.job,
    attempt: attempt.attempt,
    requestId: attempt.requestId,
    env: { ...env },
    // A label holds 63 characters, a digest has 64.
    labels: { [LABEL.server]: serverId, [LABEL.first]: hex.slice(0, 32), [LABEL.second]: hex.slice(32), [LABEL.attempt]: String(attempt.attempt) },
    maxRunSeconds: attempt.maxRunSeconds
  };
}

/** The instances of one server among those that a backend lists; others are none of its business. */
export function ownInstances(instances: readonly Instance[], serverId: string): OwnInstance[] {
  return instances.filter(instance => instance.labels[LABEL.server] === serverId).map(instance => ({ instance, of: ownerOf(instance) }));
}

function ownerOf({ name, labels }: Instance): OwnInstance['of'] {
  const job = Digest.safeParse(`sha256:${labels[LABEL.first] ?? ''}${labels[LABEL.second] ?? ''}`);
  const attempt = Number(labels[LABEL.attempt]);
  if (!job.success || !Number.isSafeInteger(attempt) || attempt < 1 || attempt > 100) return undefined;
  return instanceName(job.data, attempt) === name ? { job: job.data, attempt } : undefined;
}
