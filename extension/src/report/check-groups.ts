import type { IShownCheck, ShownStatus } from './report-view';

/** The questions that a person asks of a report, in the order in which they are asked. */
export type QuestionId = 'hardware' | 'current' | 'code' | 'image' | 'fresh' | 'outputs' | 'keys' | 'other';

/** One question with the checks that answer it; at least one. */
export interface ICheckGroup {
  readonly question: QuestionId;
  /** The worst answer among its checks. */
  readonly status: ShownStatus;
  readonly checks: readonly IShownCheck[];
}

/** Ids of the checks that answer each question. Each check of protocol’s is in one of these lists. */
export const QUESTIONS: Readonly<Record<Exclude<QuestionId, 'other'>, readonly string[]>> = {
  hardware: ['token_form', 'encoding', 'unique_keys', 'issuer', 'algorithm', 'key', 'signature', 'hardware', 'secure_boot', 'debug', 'monitoring', 'gpu'],
  current: ['software', 'support', 'tcb'],
  code: ['code', 'inputs', 'outcome'],
  image: [
    'policy', 'image', 'image_signatures', 'statement_image', 'runner_requirements', 'command', 'arguments', 'environment', 'variables', 'restart', 'project', 'zone', 'service_accounts'
  ],
  fresh: ['report_form', 'audience', 'nonce', 'lifetime', 'issued', 'freshness', 'timing', 'job', 'own_job', 'instance', 'witnesses'],
  outputs: ['subjects', 'recipients', 'sealed_outputs', 'opened_outputs'],
  keys: ['session', 'same_machine', 'owners', 'receipts', 'receipts_exact', 'policies', 'obligations']
};

const WORST_FIRST: readonly ShownStatus[] = ['fail', 'unknown', 'skipped', 'simulated', 'pass'];

/** Every check in exactly one group; a check that no question claims is still shown, under `other`. Empty groups are left out. */
export function groupChecks(checks: readonly IShownCheck[]): readonly ICheckGroup[] {
  const questionOf = new Map(Object.entries(QUESTIONS).flatMap(([question, ids]) => ids.map((id): [string, string] => [id, question])));
  const order: readonly QuestionId[] = ['hardware', 'current', 'code', 'image', 'fresh', 'outputs', 'keys', 'other'];
  return order.flatMap(question => {
    const own = checks.filter(check => (questionOf.get(check.id) ?? 'other') === question);
    return own.length === 0 ? [] : [{ question, status: worstOf(own), checks: own }];
  });
}

/** The worst of several answers; of none, that nothing was asked. */
export function worstOf(checks: readonly IShownCheck[]): ShownStatus {
  return WORST_FIRST.find(status => checks.some(check => check.status === status)) ?? 'skipped';
}
