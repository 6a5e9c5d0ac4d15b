import { nullTranslator } from '@jupyterlab/translation';
import { expect, test } from 'vitest';
import { GOOGLE_ISSUER, SIMULATOR_ISSUER } from '@cloister/protocol';
import { digest } from '../jobs/testing/fake-agent';
import { ruleOf, thumbprint } from '../submit/testing/rig';
import { policyInWords, stepAfterDenial } from './policy-words';

const trans = nullTranslator.load('cloister');
const words = (changes: Parameters<typeof ruleOf>[0]): string => {
  const { terms, machine } = policyInWords(ruleOf(changes), trans);
  return [...terms, ...machine].join('\n');
};

test.each<[string, Parameters<typeof ruleOf>[0], string]>([
  ['any code', { code: 'any' }, 'Any notebook may read it.'],
  ['approved code', { code: 'approved' }, 'The owner reads each notebook first, and approves it or not.'],
  ['one listed code', { code: [digest(1)] }, 'Only one notebook that the owner listed may read it.'],
  ['listed codes', { code: [digest(1), digest(2)] }, 'Only 2 notebooks that the owner listed may read it.'],
  ['no code', { code: [] }, 'No notebook may read it.'],
  ['uses', { uses: 20 }, 'At most 20 jobs, of all who use this rule.'],
  ['one use', { uses: 1 }, 'One job, of all who use this rule.'],
  ['no use', { uses: 0 }, 'No job.'],
  ['any uses', { uses: 'any' }, 'Any number of jobs.'],
  ['attempts', { attempts: 2 }, 'At most 2 attempts for each job.'],
  ['any attempts', { attempts: 'any' }, 'A job may be tried again as often as you allow.'],
  ['output size', { maxOutputBytes: 1024 * 1024 }, 'Outputs up to 1.0 MiB in all. They go to you without a review.'],
  ['any output size', { maxOutputBytes: 'any' }, 'Outputs of any size. They go to you without a review.'],
  ['no end', { expires: 'any' }, 'Without an end date.'],
  ['an end', { expires: '2030-06-15T12:00:00.000Z' }, '2030'],
  ['alone', { inputs: [] }, 'Alone, without any other data.'],
  ['with any other data', { inputs: 'any' }, 'Together with any other data.'],
  ['with listed data', { inputs: [digest(1), digest(2)] }, 'Alone, or together with any of 2 data sets that the owner listed.'],
  ['for nobody', { analysts: [] }, 'For nobody.'],
  ['for some', { analysts: [thumbprint('A'), thumbprint('B')] }, 'For 2 analysts whom the owner listed.'],
  ['one image', { images: [digest(0xabcdef)] }, `Only in this runner image: ${'0'.repeat(12)}`],
  ['many images', { images: [1, 2, 3, 4].map(digest) }, 'Only in one of 4 runner images, which begin with'],
  ['no image', { images: [] }, 'In no runner image.'],
  ['hardware by its name', { hardware: ['GCP_INTEL_TDX', 'GCP_AMD_SEV'] }, 'Only on Intel TDX, AMD SEV.'],
  ['simulated hardware', { hardware: ['SIMULATED'] }, 'Only on simulated hardware, which protects nothing.'],
  ['any hardware', { hardware: 'any' }, 'On any hardware that the verifier vouches for, simulated too where the verifier is a simulator.'],
  ['the verifier by its name', { verifiers: [GOOGLE_ISSUER] }, 'vouched for by Google Cloud Attestation.'],
  ['another verifier by its address', { verifiers: ['https://verifier.example'] }, 'vouched for by https://verifier.example.'],
  ['the simulator', { verifiers: [SIMULATOR_ISSUER] }, 'vouched for by the simulator, which proves nothing.'],
  ['no verifier', { verifiers: [] }, 'No verifier is accepted.'],
  ['projects', { projects: ['p-1'] }, 'Only in the cloud project p-1.'],
  ['any project', { projects: 'any' }, 'In any cloud project.'],
  ['support', { attributes: ['STABLE'] }, 'Only with an operating system image that is STABLE.'],
  ['no variables', { envOverrides: [] }, 'The operator may set no environment variable.'],
  ['some variables', { envOverrides: ['A', 'B'] }, 'The operator may set only these environment variables: A, B.'],
  ['any variables', { envOverrides: 'any' }, 'The operator may set any environment variable.'],
  ['the image’s packages', { environments: ['image'] }, 'Only with this set of packages: that of the runner image.'],
  ['listed parameters', { parameters: [thumbprint('A')] }, 'Only with one set of parameters and purpose that the owner listed.']
])('a policy in words: %s', (_, changes, sentence) => {
  expect(words(changes)).toContain(sentence);
});

test('what a rule always demands is said too', () => {
  expect(words({})).toContain('Never on a machine that somebody can log in to for debugging.');
  expect(words({})).toContain('In a sandbox without network.');
});

test.each([
  ['analyst', 'Send hospital your analyst key, and ask to be listed.'],
  ['code', 'Submit the code that hospital listed, unchanged, or ask hospital to list the package digest above.'],
  ['approval_missing', 'It is hospital’s turn. The job waits and goes on by itself once it is approved.'],
  ['approval_refused', 'Ask hospital why. Change the notebook; then submit it again.'],
  ['inputs', 'Read this data in a notebook of its own, or ask hospital to allow it together with the others.'],
  ['expired', 'Ask hospital for a new date.'],
  ['uses_exhausted', 'Ask hospital for more.'],
  ['use_reserved', 'Wait until the other job has ended; then press Refresh.'],
  ['policy_empty', 'Ask hospital whether it will be opened.'],
  ['something_newer', 'Ask hospital.']
])('what to do after the denial %s', (code, step) => {
  expect(stepAfterDenial({ code }, 'hospital', trans)).toBe(step);
});

test('an owner’s hostile name is made visible', () => {
  expect(stepAfterDenial({ code: 'expired' }, 'a\u202eb', trans)).toBe('Ask aU+202Eb for a new date.');
});
