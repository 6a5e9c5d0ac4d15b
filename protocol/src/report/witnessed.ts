import type { Witness } from '../objects/witness.js';
import type { Digest, Time } from '../objects/primitives.js';
import { CLOCK_SKEW_MS } from './report-check.js';

/** The statement that a witness must be of. */
export interface WitnessedStatement {
  readonly job: Digest;
  readonly attempt: number;
  /** Nonce of the session that the keys were released to. */
  readonly session: string;
  /** Digest of the statement's exact bytes. */
  readonly statement: Digest;
  /** End of the run, as the statement says. */
  readonly ended: Time;
}

/** Whether a witness is of this very statement. One from before the end of the run cannot have seen it. */
export function isWitnessOf({ job, attempt, session, statement, time }: Witness, of: WitnessedStatement): boolean {
  const same = job === of.job && attempt === of.attempt && session === of.session && statement === of.statement;
  return same && Date.parse(time) >= Date.parse(of.ended) - CLOCK_SKEW_MS;
}
