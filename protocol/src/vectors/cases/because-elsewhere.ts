import type { ShownElsewhere } from '../format.js';

/** Reasons that only a whole service can show. Files from the root of the repository; a test holds them, and the words, to be there. */
export const SHOWN_ELSEWHERE: readonly ShownElsewhere[] = [
  {
    because: 'one transaction decides, consumes, binds and records: fifty requests at once over one challenge are one release',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'challenge_unknown' }, { file: 'broker/src/release/release.test.ts', mentions: 'fifty sessions' }]
  },
  {
    because: 'equal session bytes get the stored reply, whatever the token: a lost reply costs nothing',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'equal session bytes' }, { file: 'runner/src/run-attempt.test.ts', mentions: 'equal session bytes' }]
  },
  {
    because: 'a new session of the same attempt and keys, because another broker lost its challenge, uses nothing up',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'no further use or attempt' }, { file: 'runner/src/run-attempt.test.ts', mentions: 'challenge that a broker lost' }]
  },
  {
    because: 'another recipient or key for an attempt is refused, for ever: the operator cannot have its own bound later',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'recipient_changed' }]
  },
  {
    because: 'lower attempts are fenced off, so that two runs of one job never have keys at once',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'attempt_superseded' }]
  },
  {
    because: 'job and attempt of the session must be those of the challenge',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'session_mismatch' }]
  },
  {
    because: 'two manifests under one id do not share a release',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'two manifests under one id' }]
  },
  {
    because: 'a policy that the owner stops between challenge and release denies',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'stopped between challenge and release' }]
  },
  {
    because: 'the key of the code is released only for the manifest that it was wrapped for, and only to a runner that its analyst accepts',
    shownBy: [{ file: 'broker/src/release/release.test.ts', mentions: 'code_not_bound' }, { file: 'broker/src/release/release.test.ts', mentions: 'runner that its analyst accepts' }]
  },
  {
    because: 'a broker unwraps only for descriptors in its own store, signed by the owner whom it serves, whatever header a caller brings',
    shownBy: [{ file: 'broker/src/custody/custody.test.ts', mentions: 'header of an asset that is kept here' }]
  },
  {
    because: 'versions of a policy only grow: an old one cannot be put in force again',
    shownBy: [{ file: 'broker/src/custody/custody.test.ts', mentions: 'policy_rollback' }]
  },
  {
    because: 'one use for a job is reserved at the challenge, so that another broker’s denial burns nothing',
    shownBy: [{ file: 'broker/src/release/challenge.test.ts', mentions: 'burns nothing' }, { file: 'broker/src/release/challenge.test.ts', mentions: 'use_reserved' }]
  },
  {
    because: 'uses count over all versions of a policy, or a new version would refill them',
    shownBy: [{ file: 'broker/src/release/challenge.test.ts', mentions: 'uses count over all versions' }]
  },
  {
    because: 'challenges are asked for in order of broker, so that no two jobs hold each other’s last use',
    shownBy: [{ file: 'runner/src/run-attempt.test.ts', mentions: 'in order of their thumbprints' }]
  },
  {
    because: 'a check beforehand reserves nothing and tells strangers nothing but the decision',
    shownBy: [{ file: 'broker/src/release/challenge.test.ts', mentions: 'reserve nothing' }, { file: 'broker/src/release/challenge.test.ts', mentions: 'the decision alone' }]
  },
  {
    because: 'denials to analysts whom nobody lists are rate-limited: they would fill the ledger',
    shownBy: [{ file: 'broker/src/release/challenge.test.ts', mentions: 'rate_limited' }]
  },
  {
    because: 'an approval counts for one code, environment, parameters, inputs and analyst',
    shownBy: [{ file: 'broker/src/approvals/approvals.test.ts', mentions: 'approval_missing' }]
  },
  {
    because: 'a broker restored from a backup notices, voids its challenges and denies until a higher policy version',
    shownBy: [{ file: 'broker/src/ledger/rollback.test.ts', mentions: 'rolled_back' }, { file: 'broker/src/ledger/rollback.test.ts', mentions: 'higher policy version' }]
  },
  {
    because: 'a ledger that was edited or cut is noticed by the owner',
    shownBy: [{ file: 'broker/src/ledger/verify-ledger.test.ts', mentions: 'ledger_broken' }]
  },
  {
    because: 'a party has one age identity for each purpose',
    shownBy: [{ file: 'broker/src/keys/broker-keys.test.ts', mentions: 'one identity per purpose' }]
  },
  {
    because: 'a runner checks every receipt before it opens anything: invented data, a made-up broker, a mixed-up session end the attempt',
    shownBy: [{ file: 'runner/src/attacks.test.ts', mentions: 'receipt_rejected' }, { file: 'runner/src/attacks.test.ts', mentions: 'a receipt of another session' }]
  },
  {
    because: 'a demand that a runner does not know ends the attempt',
    shownBy: [{ file: 'runner/src/attacks.test.ts', mentions: 'obligation_unknown' }]
  },
  {
    because: 'a sealed input counts only with the header and digest of its descriptor',
    shownBy: [{ file: 'runner/src/attacks.test.ts', mentions: 'header_mismatch' }, { file: 'sealing/src/tampering.test.ts', mentions: 'the header of another asset' }]
  },
  {
    because: 'a runner recomputes code and commitments from the opened bundle, and takes only canonical notebooks',
    shownBy: [{ file: 'runner/src/attacks.test.ts', mentions: 'digest_mismatch' }, { file: 'runner/src/attacks.test.ts', mentions: 'notebook_not_canonical' }]
  },
  {
    because: 'the manifest is the one that the job is named by, and each descriptor the one that it names',
    shownBy: [{ file: 'runner/src/attacks.test.ts', mentions: 'manifest of another job' }, { file: 'runner/src/attacks.test.ts', mentions: 'descriptor by another signer' }]
  },
  {
    because: 'stricter obligations win where owners differ',
    shownBy: [{ file: 'runner/src/attacks.test.ts', mentions: 'bind to the strictest' }]
  },
  {
    because: 'the launcher’s reply is used only with the audience and nonce that were asked for',
    shownBy: [{ file: 'runner/src/attestation/token-source.test.ts', mentions: 'for another audience' }]
  },
  {
    because: 'nothing of a sealed file appears before its last chunk and digest were verified',
    shownBy: [{ file: 'sealing/src/open-to-file.test.ts', mentions: 'nothing is left' }, { file: 'sealing/src/tampering.test.ts', mentions: 'the last chunk dropped' }]
  },
  {
    because: 'sealing is stock age: owners can seal and open with the age tool',
    shownBy: [{ file: 'sealing/src/interop.test.ts', mentions: 'opened by age' }, { file: 'sealing/src/interop.test.ts', mentions: 'sealed by age' }]
  },
  {
    because: 'a request’s proof serves once, for its own method, address and body',
    shownBy: [{ file: 'kit/src/http/proof-sender.test.ts', mentions: 'serves once' }, { file: 'kit/src/http/proof-sender.test.ts', mentions: 'proof_invalid' }, { file: 'broker/src/http/http.test.ts', mentions: 'a proof counts once' }]
  },
  {
    because: 'before a session is admitted its runner may write nothing, and a token admits only the machine that was launched',
    shownBy: [{ file: 'server/src/http/runner-routes.test.ts', mentions: 'before admission' }, { file: 'server/src/http/runner-routes.test.ts', mentions: 'of another machine' }]
  },
  {
    because: 'the analyst compares with what she kept: a second statement for an attempt is refused though both are attested',
    shownBy: [{ file: 'agent/src/results/open-results.test.ts', mentions: 'second statement for an attempt' }, { file: 'agent/src/results/open-results.test.ts', mentions: 'lying operator' }]
  },
  {
    because: 'without an appraisal policy of the analyst’s own nothing is unsealed',
    shownBy: [{ file: 'agent/src/results/open-results.test.ts', mentions: 'without an appraisal policy' }]
  }
];
