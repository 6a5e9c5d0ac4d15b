import { AppError, DENIAL, verifyObject, type CompactJws, type Digest } from '@cloister/protocol';
import type { NamedBroker } from './brokers.js';

/**
 * A broker's refusal as the runner passes it on: `release_denied` with the broker's signed word. A denial that the named
 * broker did not sign for this job is nobody's word, so it is left out and the plain error stays.
 */
export async function denialOf(error: unknown, { broker }: NamedBroker, job: Digest): Promise<unknown> {
  // A lost challenge is no verdict: the attempt asks for another.
  if (!(error instanceof AppError) || error.code === 'challenge_unknown') return error;
  const jws = error.members['denials'];
  if (typeof jws !== 'string') return error;
  try {
    const denial = await verifyObject(DENIAL, jws, broker);
    if (denial.payload.job !== job) return error;
    return new AppError('release_denied', `the broker denied: ${error.code}`, { cause: error, members: { denials: [denial.jws] } });
  } catch {
    return error;
  }
}

/** The signed denials that an error carries, for the server to pass on to the analyst. */
export function denialsIn(error: unknown): CompactJws[] {
  const denials = error instanceof AppError && error.code === 'release_denied' ? error.members['denials'] : undefined;
  return Array.isArray(denials) ? denials.filter(item => typeof item === 'string') : [];
}

/** One error for all that failed at once: every denial where brokers denied, else the first failure. */
export function combined(errors: readonly unknown[]): unknown {
  const denials = errors.flatMap(denialsIn);
  if (denials.length === 0) return errors[0];
  return new AppError('release_denied', 'a broker denied the release', { cause: errors[0], members: { denials } });
}
