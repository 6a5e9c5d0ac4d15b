import type { Bytes32, Session } from '@cloister/protocol';
import type { Appraise } from './appraise.js';
import type { Subject } from './subject.js';

/** One session that asks for keys, after all that needs no transaction was verified. */
export interface ReleaseRequest {
  readonly session: Session;
  /** Names the session by its exact bytes. */
  readonly nonce: Bytes32;
  readonly challenge: string;
  readonly subject: Subject;
  readonly appraise: Appraise;
}
