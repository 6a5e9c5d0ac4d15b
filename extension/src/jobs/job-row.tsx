import { memo, useEffect, useId, useRef, type JSX } from 'react';
import type { Digest } from '@cloister/protocol';
import { hasEnded } from '../model/jobs-rows';
import type { IOwnJob } from '../model/own-job';
import { nameOf, shortTime, stateInWords } from '../words/job-words';
import { formatDuration, formatTime } from '../words/quantities';
import { useJobContext } from './job-context';
import { JobDetails } from './job-details';
import { StateIcon } from './state-icon';

export interface IJobRowProps {
  readonly own: IOwnJob;
  readonly expanded: boolean;
  /** Milliseconds; undefined for a job that has ended, so that its row is not drawn every second. */
  readonly now: number | undefined;
  /** Counts the wishes to see this very row; each brings it into view. */
  readonly wished: number;
  readonly onToggle: (job: Digest) => void;
}

/** One job: what a person wants at a glance, and the rest behind its button. */
export const JobRow = memo(function JobRow({ own, expanded, now, wished, onToggle }: IJobRowProps): JSX.Element {
  const { trans } = useJobContext();
  const { job, state, cells } = own.view;
  const name = nameOf(own, trans);
  const id = useId();
  const head = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (wished === 0) return;
    head.current?.scrollIntoView({ block: 'nearest' });
    head.current?.focus({ preventScroll: true });
  }, [wished]);
  return (
    <li className={`jp-Cloister-jobs-row jp-mod-${state}`}>
      <button ref={head} type="button" className="jp-Cloister-jobs-head" aria-expanded={expanded} {...(expanded ? { 'aria-controls': id } : {})} onClick={() => onToggle(job)}>
        <StateIcon state={state} />
        <span className="jp-Cloister-jobs-text">
          <span className="jp-Cloister-jobs-name" title={name}>
            <bdi>{name}</bdi>
          </span>
          <span className="jp-Cloister-jobs-state">{stateInWords(own, trans)}</span>
          <span className="jp-Cloister-jobs-times">
            <time dateTime={own.view.createdAt} title={formatTime(own.view.createdAt)}>
              {shortTime(own.view.createdAt, new Date())}
            </time>
            <span aria-hidden="true"> · </span>
            <span>{formatDuration(elapsed(own, now))}</span>
          </span>
        </span>
        <Chevron />
      </button>
      {state === 'running' && cells !== undefined && cells.total > 0 && (
        <progress className="jp-Cloister-jobs-progress" max={cells.total} value={cells.done} aria-label={trans.__('Cells done of %1', name)} />
      )}
      {expanded && (
        <div id={id} role="group" aria-label={name}>
          <JobDetails own={own} />
        </div>
      )}
    </li>
  );
});

/** From submission to the end, or until now. */
function elapsed(own: IOwnJob, now: number | undefined): number {
  const until = hasEnded(own) || now === undefined ? Date.parse(own.view.updatedAt) : now;
  return until - Date.parse(own.view.createdAt);
}

function Chevron(): JSX.Element {
  return (
    <svg className="jp-Cloister-jobs-chevron" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d="M6 4l4 4-4 4" />
    </svg>
  );
}
