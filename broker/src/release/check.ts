import type { CheckReply, Thumbprint } from '@cloister/protocol';
import type { BrokerContext } from './context.js';
import { decideJob, type JobDecision, type PartDecision } from './decide.js';
import { limitDenials } from './deny.js';
import { gatherFacts, isListed } from './gather-facts.js';
import { readSubject } from './subject.js';
import { tellable } from './tell.js';

type Decision = CheckReply['decision'];

/**
 * Decides as a challenge does, and reserves and records nothing. Terms and reasons are told only to the analyst who
 * signed the manifest; whoever else holds it learns the decision.
 */
export async function checkManifest(context: BrokerContext, manifest: string, caller: Thumbprint | undefined): Promise<CheckReply> {
  const now = context.now();
  const subject = await readSubject(context, manifest);
  const decision = await context.store.transaction().execute(async trx => decideJob(await gatherFacts(trx, context, subject, now)));
  const { analyst } = subject.manifest.payload;
  const told = wordOf(decision.outcome);
  if (told === 'deny') await limitDenials(context, analyst, now);
  if (caller !== analyst) return { decision: told };
  const listed = await isListed(context.store, context, analyst);
  return {
    decision: told,
    denials: tellable(decision.whole, listed),
    assets: decision.parts.map(part => ({ ...partReply(part), denials: tellable(part.denials, listed) }))
  };
}

/** A use that another job merely reserves may be freed, as an approval may come: both are waited for. */
function wordOf(outcome: JobDecision['outcome']): Decision {
  return outcome === 'reserved' ? 'wait' : outcome;
}

function partReply({ of, outcome, policy, grant }: PartDecision): Omit<NonNullable<CheckReply['assets']>[number], 'denials'> {
  return {
    ...of,
    decision: wordOf(outcome),
    ...(policy === undefined ? {} : { policy: policy.digest, version: policy.payload.version }),
    ...(grant === undefined ? {} : { rule: grant.rule })
  };
}
