import type { EmbeddedData } from './embedded-data.js';
import type { Outcome } from './outcome.js';
import { showObstacle, showVerdict, type Frame } from './parts/banner.js';
import { checks } from './parts/checks.js';
import { meaning } from './parts/meaning.js';
import { policy } from './parts/policy.js';
import { raw } from './parts/raw.js';
import { run } from './parts/run.js';
import { trust } from './parts/trust.js';
import { witnesses } from './parts/witnesses.js';
import { shortDigest } from './quantities.js';

/** Puts what was found into the page. Of a file that is no report all questions but one were never asked. */
export function render(frame: Frame, outcome: Outcome, data: EmbeddedData): void {
  const { evidence, unreadable } = outcome;
  const parts = [
    meaning(outcome),
    ...(evidence === undefined ? [] : [run(evidence, outcome, data.trust)]),
    ...(unreadable === undefined ? [checks(outcome)] : []),
    ...(evidence === undefined ? [] : [witnesses(evidence, data.trust)]),
    trust(data, fileNameOf(outcome)),
    policy(data.policy),
    ...(evidence === undefined ? [] : [raw(evidence, outcome)])
  ];
  frame.contents.replaceChildren(...parts);
  // Last, so that nothing looks decided while the rest may still fail.
  showVerdict(frame, outcome, data);
}

/** Says why nothing was verified. What the page brings is shown where it could be read, so that it can be checked elsewhere. */
export function renderObstacle(frame: Frame, obstacle: { readonly why: string; readonly next: string }, data?: EmbeddedData): void {
  frame.contents.replaceChildren(...(data === undefined ? [] : [trust(data, 'report.attestation.json'), policy(data.policy)]));
  showObstacle(frame, obstacle.why, obstacle.next);
}

/** Hex digits alone, whatever the report says: a safe name for a file and for a shell. */
function fileNameOf({ evidence }: Outcome): string {
  return evidence === undefined ? 'report.attestation.json' : `${shortDigest(evidence.manifest.digest)}-${evidence.statement.predicate.attempt}.attestation.json`;
}
