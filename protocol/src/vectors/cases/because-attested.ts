import { toBase64Url } from '../../bytes/base64url.js';
import { jcs } from '../../bytes/jcs.js';
import { toUtf8 } from '../../bytes/text.js';
import { RECEIPT, sessionNonce } from '../../objects/release.js';
import { appraisalOfRunner } from '../../policy/appraisal.js';
import type { Draft } from '../format.js';
import { signObject } from '../../signed/signed-object.js';
import { receiptOf, type VectorRun } from '../run-world.js';
import { OTHER, type VectorWorld } from '../world.js';
import { tokenCases } from './attestation.js';
import { UNREADABLE, reportCases } from './report.js';

const why = (because: string, draft: Draft): Draft => ({ ...draft, because });

/** Reasons that show in tokens and reports. */
export async function attestedBecause(world: VectorWorld, run: VectorRun): Promise<Draft[]> {
  return [...(await tokenReasons(world, run)), ...(await receiptReasons(world, run)), ...(await readerReasons(world, run)), ...outputReasons(world, run)];
}

async function tokenReasons(world: VectorWorld, run: VectorRun): Promise<Draft[]> {
  const { token, verify } = tokenCases(world, run);
  const { runner } = world.manifest.payload.code;
  const session = sessionNonce(jcs({ ...run.session, recipient: world.strangerIdentity.recipient }));
  return [
    why('tokens are no secrets: bound to `recipient`, they are of no use to who copies them', verify('a token that answers for a session with another recipient', await token({ nonces: [session] }), { failed: ['nonce'] })),
    why('the launcher’s default token has Google’s audience and no nonce, and lies in a file that all can read', verify('the default token', await token({ audience: 'https://sts.googleapis.com', claims: { eat_nonce: undefined } }), { failed: ['audience', 'nonce'] })),
    why('any Confidential Space workload can get any nonce signed: the image must be one that the policy lists', verify('another program with our nonce', await token({ image: OTHER }), { failed: ['image'] })),
    why('the code is opened only in a runner that meets the analyst’s own demands', verify('a runner that the owner would take and the analyst does not', await token({ image: OTHER }), { failed: ['image'] }, { expect: { policy: appraisalOfRunner(runner) } })),
    why('a key set or key inside a token would authenticate itself', verify('a token with its own key in the header', await token({ kind: 'foreign-oidc', header: { jwk: world.verifier.foreignJwk, jku: 'https://evil.example/jwks' } }), { failed: ['signature'] })),
    why('a simulator proves nothing about hardware, so it may not claim any', verify('real hardware, by the simulator', await token({ claims: { hwmodel: 'GCP_AMD_SEV' } }), { failed: ['hardware'] }))
  ];
}

async function receiptReasons(world: VectorWorld, run: VectorRun): Promise<Draft[]> {
  const { verify, lying, good } = reportCases(world, run);
  const strange = await signObject(RECEIPT, receiptOf(world, run.sessionText, world.hospital), world.stranger);
  const failed = (...ids: string[]): { verdict: 'failed'; failed: string[] } => ({ verdict: 'failed', failed: ids });
  return [
    why('a receipt of another session is about other keys, perhaps in another machine', verify('a receipt for another session', await lying({ receipt: receipt => ({ ...receipt, session: 'A'.repeat(43) }) }), failed('session'))),
    why('a receipt of another job would let one approval serve for another', verify('a session and receipts of another job', await lying({ session: { job: OTHER } }), failed('job'))),
    why('a laxer policy than the broker applied must show', verify('a policy that the broker did not apply', await lying({ predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, policy: OTHER })) }) }), failed('receipts'))),
    why('an input without its broker’s receipt may be invented', verify('a receipt left out', good({ receipts: run.report.receipts.slice(0, 1) }), failed('receipts', 'receipts_exact', 'obligations'))),
    why('a made-up broker: only brokers that signed objects name can give a receipt', verify('a receipt by nobody’s broker', good({ receipts: [strange.jws] }), { ...failed('report_form'), skipped: UNREADABLE })),
    why('one true receipt exchanged for another of the same broker would hide under which terms a run got its keys', verify('other receipts than the run used', await lying({ predicate: p => ({ ...p, receipts: [OTHER, ...p.receipts.slice(1)].sort() }) }), failed('receipts_exact'))),
    why('the operator could launch a program that owners take and the analyst never would', verify('a program that the analyst did not demand', await lying({ token: { image: OTHER }, predicate: p => ({ ...p, image: OTHER }) }), failed('runner_requirements'), { trust: { $use: 'trust', $with: { images: [{ image: OTHER, source: 'mine' }] } }, policy: { $use: 'policy', $with: { images: [OTHER] } } })),
    why('outputs sealed to one more reader would leak to her', verify('outputs sealed to the operator too', await lying({ predicate: p => ({ ...p, recipients: [...p.recipients, world.strangerIdentity.recipient] }) }), failed('recipients')))
  ];
}

async function readerReasons(world: VectorWorld, run: VectorRun): Promise<Draft[]> {
  const { verify, lying, good } = reportCases(world, run);
  const trust = (changes: object): object => ({ trust: { $use: 'trust', $with: changes } });
  const stranger = [{ thumbprint: world.stranger.thumbprint, name: 'hospital' }];
  const noPolicy = verify('a reader who demands nothing', good(), { verdict: 'inconclusive', unknown: ['policy'] });
  return [
    why('a key set inside a report would authenticate itself: keys come from the reader’s trust file alone', verify('a report that brings its verifier’s keys', good({ jwks: { keys: [world.verifier.foreignJwk] } }), { verdict: 'failed', failed: ['report_form'], skipped: UNREADABLE })),
    why('a key set inside a report would authenticate itself', verify('a report attested by a key that nobody pinned', await lying({ token: { kind: 'foreign-oidc', header: { jwk: world.verifier.foreignJwk } } }), { verdict: 'failed', failed: ['signature'] })),
    why('any Confidential Space workload can get any nonce signed: the image must be among the reader’s own reference values', verify('an image that the reader did not list, under a policy that allows it', good(), { verdict: 'failed', failed: ['image'] }, trust({ images: [{ image: OTHER, source: 'my own build' }] }))),
    why('without reference values nobody can say which program that was', verify('a reader without reference values', good(), { verdict: 'inconclusive', unknown: ['image'] }, trust({ images: [] }))),
    why('an owner’s name in a report is nothing; her pinned key is', verify('an owner whom the reader did not pin', good(), { verdict: 'inconclusive', unknown: ['owners'] }, trust({ owners: stranger }))),
    why('a verdict without a demand would be green by default', { ...noPolicy, input: Object.fromEntries(Object.entries(noPolicy.input).filter(([member]) => member !== 'policy')) }),
    why('a simulator’s report is never green', verify('all holds, by a simulator', good(), { verdict: 'simulated' })),
    why('policies are absent by default: they would show the operator every owner’s rules', verify('a report without policies', good(), { verdict: 'simulated' })),
    why('a chain to a pinned root verifies for decades, an archived key as long as the archive is kept', verify('an OIDC token whose key the archive does not have', await lying({ token: { kind: 'oidc', header: { kid: 'test-0' } } }), { verdict: 'inconclusive', unknown: ['key'], skipped: ['signature', 'witnesses', 'own_job', 'sealed_outputs', 'opened_outputs'] }))
  ];
}

function outputReasons(world: VectorWorld, run: VectorRun): Draft[] {
  const { verify, good } = reportCases(world, run);
  const files = Object.fromEntries(run.files.filter(file => file.subject !== 'index').map(file => [file.path, toBase64Url(file.content)]));
  const [first] = run.files;
  const content = toBase64Url(first?.content ?? new Uint8Array());
  const opened = (index: Uint8Array): object => ({ outputs: { opened: { index: toBase64Url(index), files } } });
  const unsalted = toUtf8(new TextDecoder().decode(run.index).replaceAll(/"salt":"[A-Za-z0-9_-]{43}"/g, `"salt":"${'A'.repeat(43)}"`));
  return [
    why('a commitment opens only with the salt in the sealed index: who has the report alone cannot try contents until one fits', { name: 'the commitment under the index’s salt', operation: 'outputCommitment', input: { salt: toBase64Url(first?.salt ?? new Uint8Array()), plaintext: content } }),
    why('the same content without the salt is another value', { name: 'the commitment under a guessed salt', operation: 'outputCommitment', input: { salt: 'A'.repeat(43), plaintext: content } }),
    why('commitments open only with the index of this very report', verify('an index with other salts', good(), { verdict: 'failed', failed: ['opened_outputs'], skipped: ['witnesses', 'own_job', 'sealed_outputs'] }, opened(unsalted))),
    why('the names of outputs travel sealed, and are attested by the index’s own commitment', verify('the index of this report', good(), { verdict: 'simulated', skipped: ['witnesses', 'own_job', 'sealed_outputs'] }, opened(run.index)))
  ];
}
