import type { Survivor } from './survivor.js';

const INTEL = ['intel RS256', 'intel PS384'];
const TDX = ['google OIDC', 'google PKI', ...INTEL];
const GPU = 'submods.nvidia_gpu.gpus.0';

/** Changes of a token that its verifier signed and that a policy which demands all that can be demanded still accepts. */
export const CLAIM_SURVIVORS: readonly Survivor[] = [
  { of: 'header', paths: ['$'], kinds: ['a member more', 'reorder'], because: 'RFC 7515 section 4: members that are not understood are ignored, and JSON objects have no order.' },
  { of: 'header', paths: ['typ'], kinds: ['drop'], because: 'RFC 7519 section 5.1: a token may leave its type out; another type is refused.' },
  { of: 'header', paths: ['jku'], kinds: 'any', only: INTEL, because: 'Intel’s tokens carry it, and nobody reads it: keys are pinned.' },
  {
    of: 'claims',
    paths: ['$', 'submods', 'submods.confidential_space', 'submods.container', 'submods.gce', 'submods.nvidia_gpu', 'submods.container.image_signatures.0', GPU],
    kinds: ['a member more', 'reorder'],
    because: 'Verifiers add claims over time, and JSON objects have no order.'
  },
  { of: 'claims', paths: ['tdx'], kinds: ['a member more', 'reorder', 'list'], only: TDX, because: 'The same, and the documents print a list of one where captured tokens have the object.' },
  {
    of: 'claims',
    paths: [
      'sub', 'eat_profile', 'oemid', 'swversion', 'swversion.0', 'submods.container.image_reference', 'submods.container.image_id', 'submods.container.image_signatures.0.signature',
      'submods.gce.instance_id', 'submods.nvidia_gpu.cc_feature', `${GPU}.driver_version`, `${GPU}.vbios_version`, `${GPU}.ueid`
    ],
    kinds: 'any',
    because: 'No check reads it: names beside the ones that are compared, versions of what support_attributes and TCB status judge, and the signature that the verifier checked and that counts by its key id.'
  },
  { of: 'claims', paths: ['submods.gce.project_number'], kinds: 'any', because: 'This policy lists the project by its id, which no other project ever gets; one that lists the number compares the number.' },
  { of: 'claims', paths: ['tdx.gcp_attester_tcb_date'], kinds: 'any', only: TDX, because: 'The status is what the verifier concluded from the date.' },
  { of: 'claims', paths: ['tdx.attester_tcb_date'], kinds: 'any', only: INTEL, because: 'The status is what the verifier concluded from the date.' },
  { of: 'claims', paths: ['tdx.gcp_attester_tcb_status'], kinds: ['drop'], only: INTEL, because: 'Intel’s own status is demanded of Intel; Google’s word beside it may be absent.' },
  { of: 'claims', paths: ['attester_tcb'], kinds: ['drop'], only: TDX, because: 'Older tokens have none; hwmodel and the TCB status say the same.' },
  { of: 'claims', paths: ['sub', `${GPU}.driver_version`, `${GPU}.vbios_version`, `${GPU}.ueid`, `${GPU}.hwmodel`], kinds: ['swap'], because: 'Exchanged with a neighbour that no check reads either.' },
  { of: 'claims', paths: [`${GPU}.hwmodel`], kinds: ['empty', 'changed', 'shorter', 'longer', 'blank', 'case'], because: 'A GPU must have a model and be in confidential-compute mode; no policy names models.' },
  { of: 'claims', paths: [GPU], kinds: ['again'], because: 'One more GPU like it, in the same mode.' },
  { of: 'claims', paths: ['iat'], kinds: ['more'], because: 'A second later is within the skew, and the token lives a second less.' },
  { of: 'claims', paths: ['exp'], kinds: ['less'], because: 'The token lives a second less.' },
  { of: 'claims', paths: ['iat'], kinds: ['less'], only: INTEL, because: 'Intel’s tokens live five minutes: a second more is far from the hour.' },
  { of: 'claims', paths: ['exp'], kinds: ['more'], only: INTEL, because: 'Intel’s tokens live five minutes: a second more is far from the hour.' },
  { of: 'claims', paths: ['nbf'], kinds: ['more', 'less', 'empty'], because: 'A start within the skew, or before the issue; issue and end bound the token all the same.' },
  { of: 'claims', paths: ['eat_nonce'], kinds: ['reorder'], because: 'Our nonce is there exactly once, at whatever place.' },
  { of: 'claims', paths: ['eat_nonce.0', 'eat_nonce.1'], kinds: ['swap'], because: 'Our nonce is there exactly once, at whatever place.' },
  { of: 'claims', paths: ['eat_nonce.1'], kinds: ['empty', 'changed', 'shorter', 'longer', 'blank', 'case', 'again'], because: 'It is another reader’s nonce, and none of our business.' },
  { of: 'claims', paths: ['google_service_accounts'], kinds: ['null', 'empty', 'drop'], because: 'The policy says in whose names it may act: in fewer is less.' },
  { of: 'claims', paths: ['google_service_accounts.0'], kinds: ['drop', 'again'], because: 'In fewer names is less, and one name twice is one name.' },
  { of: 'claims', paths: ['submods.confidential_space.monitoring_enabled'], kinds: ['empty', 'drop'], because: 'Older images have no monitoring and say nothing of it.' },
  { of: 'claims', paths: ['submods.confidential_space.monitoring_enabled.memory'], kinds: ['drop'], because: 'Older images have no monitoring and say nothing of it.' },
  { of: 'claims', paths: ['submods.confidential_space.support_attributes'], kinds: ['reorder'], because: 'All demanded attributes are there, in whatever order.' },
  { of: 'claims', paths: [0, 1, 2].map(at => `submods.confidential_space.support_attributes.${at}`), kinds: ['again', 'swap'], because: 'All demanded attributes are there, in whatever order and however often.' },
  { of: 'claims', paths: ['submods.container.env'], kinds: ['null', 'empty', 'drop', 'reorder'], because: 'The policy says which variables there may be: fewer is less, and they have no order.' },
  {
    of: 'claims',
    paths: ['CLOISTER_JOB', 'HOSTNAME', 'PATH'].map(name => `submods.container.env.${name}`),
    kinds: ['empty', 'changed', 'shorter', 'longer', 'blank', 'case', 'drop', 'swap'],
    because: 'Policies name variables and not their values: those that the operator may not choose follow from the image.'
  },
  { of: 'claims', paths: ['submods.container.env_override'], kinds: ['null', 'empty', 'drop'], because: 'The policy says what the operator may set: nothing is less.' },
  { of: 'claims', paths: ['submods.container.env_override.CLOISTER_JOB'], kinds: ['empty', 'changed', 'shorter', 'longer', 'blank', 'case', 'drop'], because: 'The policy lets the operator set it, to what he likes.' },
  { of: 'claims', paths: ['submods.container.image_signatures.0'], kinds: ['again'], because: 'One accepted signature is enough.' }
];
