import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type Digest, type JobState } from '@cloister/protocol';
import { hasEnded } from '../model/jobs-rows';
import type { IOwnJob } from '../model/own-job';
import { endInWords } from '../words/job-end-words';
import { nameOf } from '../words/job-words';

/** Which ends are told of. */
export type NotifyChoice = 'all' | 'failures' | 'none';

/** One notification, before JupyterLab shows it. */
export interface INotice {
  readonly job: Digest;
  /** `succeeded` is the operator's word, so it is news and no success. */
  readonly tone: 'info' | 'warning';
  readonly message: string;
}

/** JupyterLab cuts longer ones. */
const LONGEST = 140;
/** Jobs whose end was told; the oldest are forgotten. */
const MOST_REMEMBERED = 500;

export interface ITellEndsDeps {
  readonly trans: TranslationBundle;
  readonly choice: () => NotifyChoice;
  /** Whether the user looks at the jobs right now, so that a notification would only repeat them. */
  readonly watching: () => boolean;
  readonly notify: (notice: INotice) => void;
}

/** Tells of the end of jobs: each once, whatever is repeated after a lost connection. */
export class EndTeller {
  constructor(deps: ITellEndsDeps) {
    this.#deps = deps;
  }

  tell(own: IOwnJob): void {
    const { job, state } = own.view;
    if (!hasEnded(own) || this.#told.has(job)) return;
    this.#told.add(job);
    for (const oldest of this.#told) {
      if (this.#told.size <= MOST_REMEMBERED) break;
      this.#told.delete(oldest);
    }
    const { choice, watching, notify, trans } = this.#deps;
    if (isWanted(state, choice()) && !watching()) notify(noticeOf(own, trans));
  }

  readonly #deps: ITellEndsDeps;
  readonly #told = new Set<Digest>();
}

function isWanted(state: JobState, choice: NotifyChoice): boolean {
  // Whoever cancelled it knows.
  if (choice === 'none' || state === 'cancelled') return false;
  return choice === 'all' || state !== 'succeeded';
}

function noticeOf(own: IOwnJob, trans: TranslationBundle): INotice {
  const { job, state, code } = own.view;
  const name = visibleLine(nameOf(own, trans), 40);
  if (state === 'succeeded') return { job, tone: 'info', message: trans.__('%1 has finished. Its outputs wait to be verified and opened.', name) };
  const reason = code === undefined ? trans.__('The operator gives no reason.') : endInWords(code, trans).happened;
  return { job, tone: 'warning', message: visibleLine(trans.__('%1 has failed. %2', name, reason), LONGEST - 1) };
}
