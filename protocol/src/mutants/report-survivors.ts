import type { Survivor } from './survivor.js';

const OWN_WORD = 'The owner’s own word, which everything after it names by its digest: it is another descriptor, and no reader of a report uses this.';
const CUSTODIANS = ['code.custodians.0', 'code.custodians.1'];

/** Lies of whoever may sign a part of a report that a reader who demands much still accepts. Everybody else goes along with the liar. */
const LIES: readonly Survivor[] = [
  { of: 'descriptor', paths: ['custodians.0.recipients.bundle', 'custodians.0.recipients.review'], kinds: ['swap'], because: OWN_WORD },
  { of: 'descriptor', paths: ['custodians.0.url'], kinds: ['changed', 'shorter', 'longer'], because: OWN_WORD },
  { of: 'descriptor', paths: ['custodians.0.wrapped'], kinds: ['changed', 'shorter', 'longer', 'case'], because: OWN_WORD },
  { of: 'descriptor', paths: ['digest'], kinds: ['changed'], because: 'The owner describes another sealed file; its broker and the runner compare it with what they opened.' },
  { of: 'descriptor', paths: ['mediaType'], kinds: ['shorter', 'longer'], because: OWN_WORD },
  { of: 'descriptor', paths: ['size'], kinds: ['empty', 'more', 'less'], because: OWN_WORD },
  { of: 'descriptor', paths: ['version'], kinds: ['more'], because: 'Another version of the asset, shown as such.' },
  { of: 'manifest', paths: ['maxAttempts'], kinds: ['more', 'less'], because: 'The analyst allows another number of attempts, and this was the first.' },
  { of: 'manifest', paths: ['code.custodians'], kinds: ['reorder'], because: 'Any custodian suffices, in whatever order.' },
  { of: 'manifest', paths: CUSTODIANS, kinds: ['again', 'swap'], because: 'Any custodian suffices, in whatever order and however often.' },
  { of: 'manifest', paths: ['code.custodians.1'], kinds: ['drop'], because: 'The first one released the code’s key; the analyst need not have named another.' },
  { of: 'manifest', paths: ['code.custodians.1.broker'], kinds: ['changed', 'case'], because: 'The first one released the code’s key; the other was not asked for it.' },
  { of: 'manifest', paths: CUSTODIANS.map(path => `${path}.url`), kinds: ['changed', 'shorter', 'longer'], because: 'Where a broker was found: who it is says its key.' },
  { of: 'manifest', paths: CUSTODIANS.map(path => `${path}.wrapped`), kinds: ['changed', 'shorter', 'longer', 'case'], because: 'Only the broker can open it, and it released the key.' },
  { of: 'manifest', paths: ['code.runner.verifiers.0', 'code.runner.images.0', 'code.runner.hardware.0'], kinds: ['again'], because: 'What the analyst takes, said twice.' },
  { of: 'session', paths: ['key', 'challenges.0.challenge', 'challenges.1.challenge'], kinds: ['changed', 'case'], because: 'Chosen at random for this session; its nonce binds them, and receipts and statement name that nonce.' },
  { of: 'receipt', paths: ['grants'], kinds: ['reorder'], because: 'The same grants.' },
  { of: 'receipt', paths: ['grants.0', 'grants.1'], kinds: ['swap'], because: 'The same grants.' },
  { of: 'receipt', paths: ['grants.1'], kinds: ['again'], because: 'The code’s key, granted twice by one broker, is one key.' },
  { of: 'receipt', paths: ['grants.0.obligations.maxOutputBytes'], kinds: ['more'], because: 'The other owner’s bound is the stricter one, and it was kept.' },
  { of: 'receipt', paths: ['grants.0.obligations.expires'], kinds: ['changed'], because: 'The other owner’s end is the earlier one, and it was kept.' },
  { of: 'receipt', paths: ['ledger', 'sharesDigest'], kinds: ['changed'], because: 'The broker’s word on what a reader of the report does not have: its ledger, and the keys.' },
  { of: 'receipt', paths: ['time'], kinds: ['changed'], because: 'The broker’s clock; hours earlier is still before the run.' },
  { of: 'index', paths: ['outputs'], kinds: ['reorder'], because: 'Outputs go by their names.' },
  { of: 'index', paths: ['outputs.0', 'outputs.1'], kinds: ['swap'], because: 'Outputs go by their names.' },
  { of: 'index', paths: ['outputs.0.mediaType', 'outputs.1.mediaType'], kinds: ['changed', 'shorter', 'longer'], because: 'The attested program’s word on how to show a file; the file itself is compared.' },
  { of: 'index', paths: ['outputs.0.size', 'outputs.1.size'], kinds: ['empty', 'more', 'less'], because: 'The attested program’s word; the file itself is compared, by its digest.' },
  { of: 'index', paths: ['salt'], kinds: ['changed', 'case'], because: 'Chosen at random; the statement commits to the index under it.' },
  { of: 'statement', paths: ['predicate.sandbox.probes'], kinds: ['empty'], because: 'What the attested program says of its own probes: it refuses to run where one gets through.' },
  { of: 'statement', paths: ['predicate.sandbox.probes.0'], kinds: ['drop', 'again'], because: 'What the attested program says of its own probes: it refuses to run where one gets through.' },
  { of: 'statement', paths: ['predicate.sandbox.probes.0.probe'], kinds: ['empty', 'changed', 'shorter', 'longer', 'blank', 'case'], because: 'Names of probes are the attested program’s own.' },
  { of: 'statement', paths: ['predicate.limits.timeoutSeconds'], kinds: ['empty', 'more', 'less'], because: 'The analyst set it in her bundle, which a reader does not have.' }
];

const ORDER = 'Descriptors, receipts, witnesses and policies go by their digests and signers: their order in the file says nothing.';
const OPTIONAL = 'Policies may be left out of a report: the statement names them by digest. Those that are there must be the ones.';
const WITNESSED = 'Witnesses are optional: a broker that could not be reached is no reason to doubt a run. Those that are there must be true.';

/** Changes of a report’s file by whoever holds it, with no key at all. */
const FILE: readonly Survivor[] = [
  { of: 'file', paths: ['$'], kinds: ['reorder'], because: 'JSON objects have no order.' },
  { of: 'file', paths: ['descriptors', 'receipts', 'policies', 'witnesses'], kinds: ['reorder'], because: ORDER },
  { of: 'file', paths: ['descriptors', 'receipts', 'policies', 'witnesses'].flatMap(list => [`${list}.0`, `${list}.1`]), kinds: ['swap'], because: ORDER },
  { of: 'file', paths: ['policies'], kinds: ['drop', 'empty'], because: OPTIONAL },
  { of: 'file', paths: ['policies.0', 'policies.1'], kinds: ['drop'], because: OPTIONAL },
  { of: 'file', paths: ['witnesses'], kinds: ['empty'], because: WITNESSED },
  { of: 'file', paths: ['witnesses.0', 'witnesses.1'], kinds: ['drop'], because: WITNESSED }
];

/** All of a report. */
export const REPORT_SURVIVORS: readonly Survivor[] = [...LIES, ...FILE];
