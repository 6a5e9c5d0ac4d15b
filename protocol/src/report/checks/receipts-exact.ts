import { jcs } from '../../bytes/jcs.js';
import { compareUtf8 } from '../../bytes/text.js';
import { fail, pass } from '../../attestation/check.js';
import type { ReportCheck } from '../report-check.js';

/** No receipt but the ones that the statement lists, one a broker of the session, and no grant that the job did not ask for. */
export const exactReceipts: ReportCheck = {
  id: 'receipts_exact',
  title: 'There are exactly the receipts that the statement lists, for this job’s inputs and code only',
  run: ({ evidence }) => {
    const { receipts: given, session: { challenges }, statement, manifest } = evidence;
    const listed = statement.predicate.receipts;
    const digests = given.map(receipt => receipt.digest).sort(compareUtf8);
    if (jcs(digests) !== jcs(listed)) return fail([...listed], digests);
    const asked = new Set<string>(challenges.map(challenge => challenge.broker));
    const signers = given.map(receipt => receipt.signer);
    if (new Set(signers).size !== signers.length || signers.some(signer => !asked.has(signer))) return fail([...asked], signers);
    const wanted = new Set<string>([...manifest.payload.inputs.map(input => input.asset), manifest.payload.code.bundle]);
    const strange = given.flatMap(receipt => receipt.payload.grants).find(grant => !wanted.has('asset' in grant ? grant.asset : grant.bundle));
    return strange === undefined ? pass(signers) : fail([...wanted], strange);
  }
};
