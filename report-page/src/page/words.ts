import type { QuestionId, ShownCheck, ShownStatus, Verdict } from '@cloister/protocol';

/** The verdict in a word or two: the largest text of the page. The same words as the command line's and the viewer's. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  verified: 'Verified',
  failed: 'Not verified',
  inconclusive: 'Could not check',
  simulated: 'Simulated'
};

/** The reason for it in one sentence. */
export const VERDICT_REASONS: Readonly<Record<Verdict, string>> = {
  verified: 'All that a verdict needs was checked, and holds.',
  failed: 'Something contradicts.',
  inconclusive: 'Something that a verdict needs is missing.',
  simulated: 'No hardware vouches for this.'
};

/** What follows from it for whoever wants to use the outputs. */
export const VERDICT_MEANINGS: Readonly<Record<Verdict, string>> = {
  verified: 'Genuine hardware ran exactly this code on exactly these sealed inputs, under the owners’ policies, and these outputs came out.',
  failed: 'At least one part contradicts another, or the trust in this page. Do not rely on these outputs.',
  inconclusive: 'Nothing contradicts, and something is missing, so nobody can say. The checks marked “Unknown” say what.',
  simulated: 'Nothing contradicts, but a simulator on an ordinary machine signed it: whoever runs that machine could have seen and changed everything.'
};

/** What even a verified report leaves open. */
export const NOT_PROVEN: readonly string[] = [
  'that the notebook is correct;',
  'that its outputs disclose nothing about the data;',
  'that the maker of the hardware is honest;',
  'that no program on your own machine changed this page or whom you trust;',
  'that it was the analyst who pressed the button, where someone else runs her JupyterHub.'
];

/** The plain questions. */
export const QUESTION_WORDS: Readonly<Record<QuestionId, string>> = {
  hardware: 'Does genuine hardware vouch for it?',
  current: 'Is that machine up to date?',
  code: 'Did it run the code that was submitted, on the inputs that were named?',
  image: 'Is the program that ran it one that is accepted here?',
  fresh: 'Is the report whole, and about this job and no other?',
  outputs: 'Do the outputs belong to it?',
  keys: 'Were keys released to it alone, under the owners’ policies?',
  other: 'Other checks'
};

/** The answer to a question, which is the worst of its checks. */
export const ANSWER_WORDS: Readonly<Record<ShownStatus, string>> = {
  pass: 'Yes',
  fail: 'No',
  unknown: 'Unknown',
  skipped: 'Not all checked',
  simulated: 'Simulated'
};

/** The answer of one check. */
export const STATUS_WORDS: Readonly<Record<ShownStatus, string>> = {
  pass: 'Passed',
  fail: 'Failed',
  unknown: 'Unknown',
  skipped: 'Not checked',
  simulated: 'Simulated'
};

/** What a check lacks, where its own hint speaks to whoever sits at a terminal; else the check's own. */
export function hintOf({ id, status, hint }: ShownCheck): string | undefined {
  if (status !== 'skipped' && status !== 'unknown') return hint;
  switch (id) {
    case 'opened_outputs':
      return 'A page does not read your folders. The command line does: cloister verify FILE --outputs DIR.';
    case 'sealed_outputs':
      return 'The sealed files are not in this page.';
    case 'own_job':
      return 'A page does not know which jobs you submitted.';
    case 'policy':
      return 'This page was made without demands on the runner. Verify the report with your own: cloister verify FILE --policy YOUR-POLICY.';
    case 'image':
      return status === 'unknown' ? 'The trust in this page lists no runner image.' : hint;
    default:
      return hint;
  }
}
