import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type DenialReason, type Rule } from '@cloister/protocol';
import { formatBytes, formatTime, shortDigest } from './quantities';

/** What one rule of an owner's policy means. */
export interface IPolicyWords {
  /** What a person wants to know before she submits. */
  readonly terms: readonly string[];
  /** On which machines, for those who want to know more. */
  readonly machine: readonly string[];
}

const HARDWARE: Readonly<Record<string, string>> = { GCP_AMD_SEV: 'AMD SEV', GCP_AMD_SEV_ES: 'AMD SEV-ES', GCP_AMD_SEV_SNP: 'AMD SEV-SNP', GCP_INTEL_TDX: 'Intel TDX', INTEL_TDX: 'Intel TDX' };
/** Protocol's own names for these would draw the verification of tokens into the page's first chunk. */
const SIMULATOR = 'https://simulator.cloister.invalid';
const VERIFIERS: Readonly<Record<string, string>> = {
  'https://confidentialcomputing.googleapis.com': 'Google Cloud Attestation',
  'https://portal.trustauthority.intel.com': 'Intel Trust Authority'
};

/** A rule as sentences. Every member of the rule has one, also where it allows anything, so that nothing is left to be guessed. */
export function policyInWords(rule: Rule, trans: TranslationBundle): IPolicyWords {
  return {
    terms: [codeWords(rule, trans), usesWords(rule, trans), attemptsWords(rule, trans), outputWords(rule, trans), expiryWords(rule, trans), joinWords(rule, trans), analystWords(rule, trans)],
    machine: [
      imageWords(rule, trans),
      hardwareWords(rule, trans),
      verifierWords(rule, trans),
      trans.__('Never on a machine that somebody can log in to for debugging.'),
      trans.__('In a sandbox without network.'),
      ...placeWords(rule, trans),
      ...packageWords(rule, trans)
    ]
  };
}

function codeWords({ code }: Rule, trans: TranslationBundle): string {
  if (code === 'any') return trans.__('Any notebook may read it.');
  if (code === 'approved') return trans.__('The owner reads each notebook first, and approves it or not.');
  if (code.length === 0) return trans.__('No notebook may read it.');
  return trans._n('Only one notebook that the owner listed may read it.', 'Only %1 notebooks that the owner listed may read it.', code.length);
}

function usesWords({ uses }: Rule, trans: TranslationBundle): string {
  if (uses === 'any') return trans.__('Any number of jobs.');
  if (uses === 0) return trans.__('No job.');
  return trans._n('One job, of all who use this rule.', 'At most %1 jobs, of all who use this rule.', uses);
}

function attemptsWords({ attempts }: Rule, trans: TranslationBundle): string {
  if (attempts === 'any') return trans.__('A job may be tried again as often as you allow.');
  if (attempts === 0) return trans.__('No attempt.');
  return trans._n('One attempt for each job.', 'At most %1 attempts for each job.', attempts);
}

function outputWords({ maxOutputBytes }: Rule, trans: TranslationBundle): string {
  if (maxOutputBytes === 'any') return trans.__('Outputs of any size. They go to you without a review.');
  return trans.__('Outputs up to %1 in all. They go to you without a review.', formatBytes(maxOutputBytes));
}

function expiryWords({ expires }: Rule, trans: TranslationBundle): string {
  return expires === 'any' ? trans.__('Without an end date.') : trans.__('Until %1.', formatTime(expires));
}

function joinWords({ inputs }: Rule, trans: TranslationBundle): string {
  if (inputs === 'any') return trans.__('Together with any other data.');
  if (inputs.length === 0) return trans.__('Alone, without any other data.');
  return trans._n('Alone, or together with one data set that the owner listed.', 'Alone, or together with any of %1 data sets that the owner listed.', inputs.length);
}

function analystWords({ analysts }: Rule, trans: TranslationBundle): string {
  if (analysts.length === 0) return trans.__('For nobody.');
  return trans._n('For one analyst whom the owner listed.', 'For %1 analysts whom the owner listed.', analysts.length);
}

function imageWords({ images }: Rule, trans: TranslationBundle): string {
  if (images.length === 0) return trans.__('In no runner image.');
  const names = images.slice(0, 3).map(shortDigest).join(', ');
  return images.length > 3
    ? trans.__('Only in one of %1 runner images, which begin with %2, …', images.length, names)
    : trans._n('Only in this runner image: %2', 'Only in one of these runner images: %2', images.length, names);
}

function hardwareWords({ hardware }: Rule, trans: TranslationBundle): string {
  if (hardware === 'any') return trans.__('On any hardware that the verifier vouches for, simulated too where the verifier is a simulator.');
  if (hardware.length === 0) return trans.__('On no hardware.');
  const names = hardware.map(model => (model === 'SIMULATED' ? trans.__('simulated hardware, which protects nothing') : (HARDWARE[model] ?? visibleLine(model, 40))));
  return trans.__('Only on %1.', inList(names));
}

function verifierWords({ verifiers }: Rule, trans: TranslationBundle): string {
  if (verifiers.length === 0) return trans.__('No verifier is accepted.');
  return trans.__('Only where the machine is vouched for by %1.', inList(verifiers.map(issuer => (issuer === SIMULATOR ? trans.__('the simulator, which proves nothing') : (VERIFIERS[issuer] ?? visibleLine(issuer, 80))))));
}

function placeWords({ projects, attributes, envOverrides }: Rule, trans: TranslationBundle): string[] {
  return [
    projects === 'any' ? trans.__('In any cloud project.') : listWords(projects, trans.__('In no cloud project.'), names => trans.__('Only in the cloud project %1.', names)),
    attributes === 'any'
      ? trans.__('With any state of support of the operating system image.')
      : listWords(attributes, trans.__('Whatever the state of support of the operating system image.'), names => trans.__('Only with an operating system image that is %1.', names)),
    envOverrides === 'any'
      ? trans.__('The operator may set any environment variable.')
      : listWords(envOverrides, trans.__('The operator may set no environment variable.'), names => trans.__('The operator may set only these environment variables: %1.', names))
  ];
}

function packageWords({ environments, parameters }: Rule, trans: TranslationBundle): string[] {
  return [
    environments === 'any'
      ? trans.__('With any set of packages.')
      : listWords(environments.map(name => (name === 'image' ? trans.__('that of the runner image') : shortDigest(name))), trans.__('With no set of packages.'), names => trans.__('Only with this set of packages: %1.', names)),
    parameters === 'any'
      ? trans.__('With any parameters and purpose.')
      : trans._n('Only with one set of parameters and purpose that the owner listed.', 'Only with %1 sets of parameters and purpose that the owner listed.', parameters.length)
  ];
}

function listWords(names: readonly string[], none: string, some: (names: string) => string): string {
  return names.length === 0 ? none : some(inList(names.map(name => visibleLine(name, 60))));
}

function inList(names: readonly string[]): string {
  return names.slice(0, 8).join(', ') + (names.length > 8 ? ', …' : '');
}

/** What to do about a denial. The owner is the one who can change a policy; the analyst changes her notebook. */
export function stepAfterDenial({ code }: Pick<DenialReason, 'code'>, owner: string, trans: TranslationBundle): string {
  const name = visibleLine(owner, 60);
  switch (code) {
    case 'analyst':
      return trans.__('Send %1 your analyst key, and ask to be listed.', name);
    case 'code':
      return trans.__('Submit the code that %1 listed, unchanged, or ask %1 to list the package digest above.', name);
    case 'approval_missing':
      return trans.__('It is %1’s turn. The job waits and goes on by itself once it is approved.', name);
    case 'approval_refused':
      return trans.__('Ask %1 why. Change the notebook; then submit it again.', name);
    case 'inputs':
      return trans.__('Read this data in a notebook of its own, or ask %1 to allow it together with the others.', name);
    case 'expired':
      return trans.__('Ask %1 for a new date.', name);
    case 'uses_exhausted':
    case 'attempts_exhausted':
      return trans.__('Ask %1 for more.', name);
    case 'use_reserved':
      return trans.__('Wait until the other job has ended; then press Refresh.');
    case 'policy_empty':
    case 'policy_missing':
      return trans.__('Ask %1 whether it will be opened.', name);
    case 'rolled_back':
      return trans.__('Nothing is wrong with your notebook. %1 has to sign a new policy.', name);
    case 'parameters':
      return trans.__('Use a purpose that %1 listed.', name);
    default:
      return trans.__('Ask %1.', name);
  }
}
