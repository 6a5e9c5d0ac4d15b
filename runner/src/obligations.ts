import { AppError, intersectObligations, type Obligations } from '@cloister/protocol';
import type { VerifiedRelease } from './attestation/receipts.js';

/** Ending a run takes a moment, and a report whose run ended after the permission would be rejected by who reads it. */
const MARGIN_MS = 10_000;

/**
 * What all releases together bind the run to: the strictest of each. Demands that leave nothing to run under end the
 * attempt here, while every file is still sealed.
 * @throws AppError obligation_unknown
 */
export function bindingObligations(releases: readonly VerifiedRelease[], now: Date): Obligations {
  const binding = intersectObligations(releases.flatMap(({ grants }) => grants.map(({ obligations }) => obligations)));
  if (binding.expires !== 'any' && remainingMs(binding.expires, now) <= 0) {
    throw new AppError('obligation_unknown', `the keys were to be used before ${binding.expires}`);
  }
  return binding;
}

/** Milliseconds that the notebook may run: the analyst's limit, cut at the moment when the owners' permission ends. */
export function wallClockMs(timeoutSeconds: number, { expires }: Obligations, now: Date): number {
  const own = timeoutSeconds * 1000;
  return expires === 'any' ? own : Math.max(0, Math.min(own, remainingMs(expires, now)));
}

function remainingMs(expires: string, now: Date): number {
  return new Date(expires).getTime() - now.getTime() - MARGIN_MS;
}
