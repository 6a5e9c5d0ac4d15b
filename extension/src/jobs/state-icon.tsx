import type { JSX } from 'react';
import type { JobState } from '@cloister/protocol';

/** Strokes of each state's icon, in a box of 16 by 16. The words beside it say the same. */
const STROKES: Readonly<Record<JobState, string>> = {
  // a clock
  queued: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.8V8l2.2 1.5',
  // a person
  waiting: 'M8 2.5a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2M3 13.5c0-2.6 2.2-4.2 5-4.2s5 1.6 5 4.2',
  // a switch that is turned on
  launching: 'M8 2v5.5M5 4a5.3 5.3 0 1 0 6 0',
  // a shield
  attesting: 'M8 1.8 13 3.6v4.2c0 3-2.1 5.3-5 6.4-2.9-1.1-5-3.4-5-6.4V3.6L8 1.8M8 5.6v3.2M8 10.9v.1',
  // play
  running: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.6 5.6v4.8L10.4 8 6.6 5.6',
  // a lock
  sealing: 'M4 7.2h8v6H4v-6M5.6 7V5.2a2.4 2.4 0 0 1 4.8 0V7',
  // a box that came back
  succeeded: 'M2.5 5.5 8 2.5l5.5 3v5.2L8 13.7l-5.5-3V5.5M2.6 5.6 8 8.5l5.4-2.9M8 8.5v5',
  // a cross
  failed: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4',
  // a stroke through
  cancelled: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M3.8 12.2l8.4-8.4',
  // a question
  lost: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.3 6.4a1.7 1.7 0 1 1 2.6 1.5c-.6.4-.9.7-.9 1.4M8 11.2v.1'
};

/** A state's icon. It adds nothing to the words, so screen readers pass over it. */
export function StateIcon({ state }: { readonly state: JobState }): JSX.Element {
  return (
    <svg className={`jp-Cloister-jobs-icon jp-mod-${state}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={STROKES[state]} />
    </svg>
  );
}
