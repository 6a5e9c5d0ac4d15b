import type { TranslationBundle } from '@jupyterlab/translation';
import type { QuestionId, ShownCheck, ShownStatus, Verdict } from '@cloister/protocol';

/** The verdict in one word or two: the largest text of the page. */
export function verdictWord(verdict: Verdict, trans: TranslationBundle): string {
  switch (verdict) {
    case 'verified':
      return trans.__('Verified');
    case 'failed':
      return trans.__('Not verified');
    case 'inconclusive':
      return trans.__('Could not check');
    case 'simulated':
      return trans.__('Simulated');
  }
}

/** The reason for the verdict, in half a sentence. The same words as the command line's. */
export function verdictReason(verdict: Verdict, trans: TranslationBundle): string {
  switch (verdict) {
    case 'verified':
      return trans.__('All that a verdict needs was checked, and holds.');
    case 'failed':
      return trans.__('Something contradicts.');
    case 'inconclusive':
      return trans.__('Something that a verdict needs is missing.');
    case 'simulated':
      return trans.__('No hardware vouches for this.');
  }
}

/** What follows from it for whoever wants to use the outputs. */
export function verdictMeaning(verdict: Verdict, trans: TranslationBundle): string {
  switch (verdict) {
    case 'verified':
      return trans.__('Genuine hardware ran exactly this code on exactly these sealed inputs, under the owners’ policies, and these outputs came out.');
    case 'failed':
      return trans.__('At least one part contradicts another, or what you trust. Do not rely on these outputs.');
    case 'inconclusive':
      return trans.__('Nothing contradicts, and something is missing, so nobody can say. The checks marked “Unknown” say what.');
    case 'simulated':
      return trans.__('Nothing contradicts, but a simulator on an ordinary machine signed it: whoever runs that machine could have seen and changed everything.');
  }
}

/** What even a verified report leaves open. */
export function notProven(trans: TranslationBundle): readonly string[] {
  return [
    trans.__('that the notebook is correct;'),
    trans.__('that its outputs disclose nothing about the data;'),
    trans.__('that the maker of the hardware is honest;'),
    trans.__('that no program on your own machine changed whom you trust;'),
    trans.__('that it was you who pressed the button, where someone else runs your JupyterHub.')
  ];
}

/** A plain question. */
export function questionWords(question: QuestionId, trans: TranslationBundle): string {
  switch (question) {
    case 'hardware':
      return trans.__('Does genuine hardware vouch for it?');
    case 'current':
      return trans.__('Is that machine up to date?');
    case 'code':
      return trans.__('Did it run the code that was submitted, on the inputs that were named?');
    case 'image':
      return trans.__('Is the program that ran it one that you accept?');
    case 'fresh':
      return trans.__('Is the report whole, and about this job and no other?');
    case 'outputs':
      return trans.__('Do the outputs belong to it?');
    case 'keys':
      return trans.__('Were keys released to it alone, under the owners’ policies?');
    case 'other':
      return trans.__('Other checks');
  }
}

/** The answer to a question, which is the worst of its checks. */
export function answerWord(status: ShownStatus, trans: TranslationBundle): string {
  switch (status) {
    case 'pass':
      return trans.__('Yes');
    case 'fail':
      return trans.__('No');
    case 'unknown':
      return trans.__('Unknown');
    case 'skipped':
      return trans.__('Not all checked');
    case 'simulated':
      return trans.__('Simulated');
  }
}

/**
 * What a check lacks, in the words of this page, where its own hint speaks to whoever sits at a terminal; undefined where the
 * check's own hint says it.
 */
export function hintOnPage({ id, status }: Pick<ShownCheck, 'id' | 'status'>, trans: TranslationBundle): string | undefined {
  if (status !== 'skipped' && status !== 'unknown') return undefined;
  switch (id) {
    case 'opened_outputs':
      return trans.__('A browser does not read folders. The agent compares them where the outputs were opened from a job; the command below does for any folder.');
    case 'sealed_outputs':
      return trans.__('The sealed files are not here. Opening the outputs from the job compares them.');
    case 'own_job':
      return trans.__('Nothing here says that this machine submitted it, as with any report that someone else sent you.');
    case 'policy':
      return trans.__('Beside your trust settings there is no file appraisal.json that says what you demand of a runner.');
    case 'issuer':
      return status === 'unknown' ? trans.__('You do not trust the verifier that the token names. If you should, pin it in your trust settings.') : undefined;
    default:
      return undefined;
  }
}

/** The answer of one check. */
export function statusWord(status: ShownStatus, trans: TranslationBundle): string {
  switch (status) {
    case 'pass':
      return trans.__('Passed');
    case 'fail':
      return trans.__('Failed');
    case 'unknown':
      return trans.__('Unknown');
    case 'skipped':
      return trans.__('Not checked');
    case 'simulated':
      return trans.__('Simulated');
  }
}
