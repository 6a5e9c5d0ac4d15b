import { digestOfJson, parseSession, verifyReport, AppError, type Check, type Digest, type Report, type Trust } from '@cloister/protocol';
import type { Clock } from '@cloister/kit';
import type { AttemptStore } from '../store/port.js';
import { ownAppraisal } from './admission.js';
import type { AttemptRecord } from './job.js';
import type { Outcome } from './transitions.js';

export interface IntakeDeps {
  readonly attempts: AttemptStore;
  readonly trust: Trust;
  readonly clock: Pick<Clock, 'now'>;
}

export interface CheckedReport {
  readonly digest: Digest;
  readonly outcome: Outcome;
}

/**
 * A report is taken when nothing in it contradicts: it verifies for this job and attempt, by the machine and the key
 * that were admitted, and its subjects are exactly the files that were stored. That its owners are not pinned here is
 * no reason to refuse: whether to believe them is for whoever reads the report.
 * @throws AppError report_rejected with the checks that did not pass
 */
export async function checkReport({ attempts, trust, clock }: IntakeDeps, attempt: AttemptRecord, report: Report): Promise<CheckedReport> {
  if (attempt.image === undefined || attempt.key === undefined) throw new AppError('not_admitted', 'no session was admitted for this attempt');
  const stored = await attempts.outputs(attempt.job, attempt.attempt);
  const { checks, evidence } = await verifyReport(report, {
    trust: { ...trust, images: [{ image: attempt.image, source: 'the image that was admitted' }] },
    policy: ownAppraisal(trust, attempt.image),
    now: clock.now(),
    outputs: { sealed: new Map(stored.map(subject => [subject.name, subject.digest])) },
    expect: { job: attempt.job, attempt: attempt.attempt }
  });
  const refused = checks.filter(check => !isAcceptable(check));
  if (refused.length > 0 || evidence === undefined) throw rejected(refused);
  if (parseSession(report.session).key !== attempt.key) throw rejected([{ id: 'session_key', title: 'The session is of the admitted key', status: 'fail' }]);
  return { digest: digestOfJson(report), outcome: evidence.statement.predicate.outcome };
}

/** Left out: opened outputs, which only the analyst has. Unknown: owners whom this server did not pin. */
function isAcceptable({ id, status }: Check): boolean {
  switch (status) {
    case 'pass':
      return true;
    case 'skipped':
      return id === 'opened_outputs' || id === 'witnesses';
    case 'unknown':
      return id === 'owners';
    case 'fail':
      return false;
  }
}

function rejected(checks: readonly Check[]): AppError {
  return new AppError('report_rejected', `the report does not verify: ${checks.map(check => check.id).join(', ')}`, { members: { checks } });
}
