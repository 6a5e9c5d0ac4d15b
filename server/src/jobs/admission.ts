import { AppError, RELEASE_AUDIENCE, createAppraisal, parseSession, sessionNonce, verifyAttestation, type AppraisalPolicy, type Digest, type Session, type Thumbprint, type Trust } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import { instanceName, type TeeBackend } from '../backends/port.js';
import type { AttemptStore } from '../store/port.js';
import type { JobChanges } from './change-job.js';
import type { AttemptRecord } from './job.js';

export interface AdmissionDeps {
  readonly attempts: AttemptStore;
  readonly backend: Pick<TeeBackend, 'get'>;
  readonly changes: JobChanges;
  readonly trust: Trust;
  readonly clock: Pick<Clock, 'now'>;
}

export interface AdmissionRequest {
  readonly signer: Thumbprint;
  readonly session: string;
  readonly token: string;
}

/**
 * Binds an attempt to the key of its attested session: the token must answer for this session, and name the instance
 * and the image that were launched for this attempt. Whoever holds the key may then write this attempt's outputs.
 * @throws AppError session_mismatch | attestation_rejected | recipient_changed | unavailable
 */
export async function admitRunner(deps: AdmissionDeps, attempt: AttemptRecord, request: AdmissionRequest): Promise<void> {
  requireSession(parseSession(request.session), attempt, request.signer);
  const name = instanceName(attempt.job, attempt.attempt);
  const image = (await deps.backend.get(name))?.imageDigest;
  if (image === undefined) throw new AppError('unavailable', 'the backend does not know the instance’s image yet');
  const { accepted, checks } = await verifyAttestation(request.token, {
    trust: deps.trust,
    now: deps.clock.now(),
    expect: {
      audience: RELEASE_AUDIENCE,
      nonce: sessionNonce(request.session),
      policy: ownAppraisal(deps.trust, image),
      freshness: { kind: 'release', issuedAfter: attempt.createdAt },
      instance: name
    }
  });
  if (!accepted) throw new AppError('attestation_rejected', 'the token is not one of the instance that was launched', { members: { checks: checks.filter(check => check.status !== 'pass') } });
  const bound = await deps.attempts.bind(attempt.job, attempt.attempt, { key: request.signer, image });
  if (bound === 'other') throw new AppError('recipient_changed', 'another key was admitted for this attempt');
  await deps.changes.apply({ job: attempt.job, attempt: attempt.attempt }, { kind: 'attest' });
}

/** The server protects nothing but its store, so it asks which instance this is, not what owners ask. */
export function ownAppraisal(trust: Trust, image: Digest): AppraisalPolicy {
  return createAppraisal({
    verifiers: trust.verifiers.map(verifier => verifier.issuer),
    images: [image],
    attributes: 'any',
    tcb: 'any',
    projects: 'any',
    envOverrides: 'any'
  });
}

function requireSession(session: Session, attempt: AttemptRecord, signer: Thumbprint): void {
  if (session.job !== attempt.job || session.attempt !== attempt.attempt) throw new AppError('session_mismatch', 'the session is of another job or attempt');
  if (session.key !== signer) throw new AppError('session_mismatch', 'the session names another key than the one that signed this request');
}
