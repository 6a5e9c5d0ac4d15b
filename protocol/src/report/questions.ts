import type { ShownCheck, ShownStatus } from './shown-checks.js';

/** The questions that a person asks of a report. */
export type QuestionId = 'hardware' | 'current' | 'code' | 'image' | 'fresh' | 'outputs' | 'keys' | 'other';

/** One question with the checks that answer it; at least one. */
export interface Question {
  readonly id: QuestionId;
  /** The worst answer among its checks. */
  readonly status: ShownStatus;
  readonly checks: readonly ShownCheck[];
}

/** Ids of the checks that answer each question, in the order in which a person asks. Each check of a report is in one of these lists. */
const CHECKS_OF: Readonly<Record<Exclude<QuestionId, 'other'>, readonly string[]>> = {
  hardware: ['token_form', 'encoding', 'unique_keys', 'issuer', 'algorithm', 'key', 'signature', 'hardware', 'secure_boot', 'debug', 'monitoring', 'gpu'],
  current: ['software', 'support', 'tcb'],
  code: ['code', 'inputs', 'outcome'],
  image: ['policy', 'image', 'image_signatures', 'statement_image', 'runner_requirements', 'command', 'arguments', 'env_override', 'variables', 'restart', 'project', 'zone', 'service_accounts'],
  fresh: ['report_form', 'audience', 'nonce', 'lifetime', 'issued', 'freshness', 'timing', 'job', 'own_job', 'instance', 'witnesses'],
  outputs: ['subjects', 'recipients', 'sealed_outputs', 'opened_outputs'],
  keys: ['session', 'same_machine', 'owners', 'receipts', 'receipts_exact', 'policies', 'obligations']
};

const ORDER: readonly QuestionId[] = ['hardware', 'current', 'code', 'image', 'fresh', 'outputs', 'keys', 'other'];
const WORST_FIRST: readonly ShownStatus[] = ['fail', 'unknown', 'skipped', 'simulated', 'pass'];
const QUESTION_OF = new Map(Object.entries(CHECKS_OF).flatMap(([question, ids]) => ids.map((id): [string, string] => [id, question])));

/** Every check under exactly one question; one that no question claims is still shown, under `other`. Empty questions are left out. */
export function groupChecks(checks: readonly ShownCheck[]): readonly Question[] {
  return ORDER.flatMap(id => {
    const own = checks.filter(check => (QUESTION_OF.get(check.id) ?? 'other') === id);
    return own.length === 0 ? [] : [{ id, status: worstOf(own), checks: own }];
  });
}

/** The worst of several answers; of none, that nothing was asked. */
export function worstOf(checks: readonly Pick<ShownCheck, 'status'>[]): ShownStatus {
  return WORST_FIRST.find(status => checks.some(check => check.status === status)) ?? 'skipped';
}
