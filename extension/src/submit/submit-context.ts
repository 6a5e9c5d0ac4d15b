import type { TranslationBundle } from '@jupyterlab/translation';
import type { Digest } from '@cloister/protocol';
import type { IAgent } from '../tokens';
import type { SubmitModel } from './submit-model';

/** What every part of a panel needs. */
export interface ISubmitContext {
  readonly model: SubmitModel;
  readonly agent: IAgent;
  readonly trans: TranslationBundle;
  /** Shows a job among the others; undefined where the job sidebar is disabled. */
  readonly showJob: ((job: Digest) => void) | undefined;
}
