import type { ErrorCode } from '@cloister/protocol';

/** Who can do something about it. */
export type Turn = 'you' | 'owner' | 'operator';

/** Why a job ended or waits, as a person can act on it. */
export interface IJobEnd {
  readonly turn: Turn;
  /** What happened, a sentence. */
  readonly happened: string;
  /** What to do next, a sentence. */
  readonly next: string;
}

/** What one code means where it ended a job. */
export type EndWords = Readonly<Partial<Record<ErrorCode, Omit<IJobEnd, 'turn'>>>>;
