import type { JSX } from 'react';
import type { ShownStatus, Verdict } from '@cloister/protocol';

const SHAPES: Readonly<Record<ShownStatus, string>> = {
  pass: 'M3.5 8.5l3 3 6-7',
  fail: 'M4 4l8 8M12 4l-8 8',
  unknown: 'M5.6 6.1a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.2 1-1.2 1.8M8 12.6v.1',
  skipped: 'M4 8h8',
  simulated: 'M6.3 2.8h3.4M7 2.8v3.7L3.9 12a1 1 0 0 0 .9 1.4h6.4a1 1 0 0 0 .9-1.4L9 6.5V2.8M5.4 9.8h5.2'
};

/** A sign beside a word that says the same. */
export function StatusIcon({ status }: { readonly status: ShownStatus }): JSX.Element {
  return (
    <svg className={`jp-Cloister-statusIcon jp-mod-${status}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={SHAPES[status]} />
    </svg>
  );
}

const STATUS_OF: Readonly<Record<Verdict, ShownStatus>> = { verified: 'pass', failed: 'fail', inconclusive: 'unknown', simulated: 'simulated' };

/** The sign of a verdict; without a colour of its own. */
export function VerdictIcon({ verdict }: { readonly verdict: Verdict }): JSX.Element {
  return (
    <span className="jp-Cloister-verdictIcon">
      <StatusIcon status={STATUS_OF[verdict]} />
    </span>
  );
}
