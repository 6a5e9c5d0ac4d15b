import { CheckView, type AGENT_ROUTES, type RouteReply } from '@cloister/protocol';
import type { IProblem } from '../model/problem';

type Opened = RouteReply<typeof AGENT_ROUTES.openResults>;

/** One check of a report, as the agent tells it. */
export type ICheck = Opened['checks'][number];

/** What became of the wish to open a job's outputs. */
export type OpenOutcome =
  | { readonly kind: 'opened'; readonly verdict: Opened['verdict']; readonly folder: string; readonly files: number }
  /** They were opened before, and lie where they lay. */
  | { readonly kind: 'reopened'; readonly folder: string }
  /** Nothing was unsealed, or nothing more. */
  | { readonly kind: 'refused'; readonly problem: IProblem; readonly checks: readonly ICheck[] };

const KINDS: ReadonlySet<unknown> = new Set<OpenOutcome['kind']>(['opened', 'reopened', 'refused']);

/** Whether what a command returned is an outcome: commands return anything, and another plugin may have replaced ours. */
export function isOpenOutcome(value: unknown): value is OpenOutcome {
  return typeof value === 'object' && value !== null && 'kind' in value && KINDS.has(value.kind);
}

/** The failed checks that an error carries; what is not one is left out. */
export function checksOf(members: unknown): ICheck[] {
  if (!Array.isArray(members)) return [];
  return members.flatMap(member => {
    const parsed = CheckView.safeParse(member);
    return parsed.success ? [parsed.data] : [];
  });
}
