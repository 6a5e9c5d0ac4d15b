import { AppError } from '@cloister/protocol';

/** Why work was stopped, as the error of the table that it ends with. */
export function reasonOf(signal: AbortSignal): AppError {
  const reason: unknown = signal.reason;
  return reason instanceof AppError ? reason : new AppError('cancelled', 'the attempt was stopped', { cause: reason });
}

/** @throws AppError the signal's reason */
export function requireNotStopped(signal: AbortSignal): void {
  if (signal.aborted) throw reasonOf(signal);
}
