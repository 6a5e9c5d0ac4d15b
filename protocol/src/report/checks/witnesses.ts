import { fail, pass, skipped } from '../../attestation/check.js';
import type { ReportEvidence } from '../evidence.js';
import type { ReportCheck } from '../report-check.js';
import { isWitnessOf, type WitnessedStatement } from '../witnessed.js';

/** Witnesses are optional: a broker that could not be reached is no reason to doubt a run. A wrong one is. */
export const witnesses: ReportCheck = {
  id: 'witnesses',
  title: 'Brokers that released the keys saw this statement, and no other for this attempt',
  run: ({ evidence }) => {
    const given = evidence.witnesses;
    if (given.length === 0) return skipped('no broker witnessed it: a second report for this attempt would show only to somebody who holds both');
    const brokers = new Set<string>(evidence.session.challenges.map(challenge => challenge.broker));
    const signers = given.map(witness => witness.signer);
    if (new Set(signers).size !== signers.length || signers.some(signer => !brokers.has(signer))) return fail([...brokers], signers, 'one witness for each broker of the session at most');
    const of = statementOf(evidence);
    const wrong = given.find(witness => !isWitnessOf(witness.payload, of));
    if (wrong !== undefined) return fail({ ...of }, { ...wrong.payload }, 'the broker witnessed another statement, or this one before the run had ended');
    return pass(given.map(witness => ({ broker: witness.signer, time: witness.payload.time })));
  }
};

function statementOf({ manifest, statement, sessionNonce, statementDigest }: ReportEvidence): WitnessedStatement {
  const { attempt, timing } = statement.predicate;
  return { job: manifest.digest, attempt, session: sessionNonce, statement: statementDigest, ended: timing.ended };
}
