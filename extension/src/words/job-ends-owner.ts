import type { TranslationBundle } from '@jupyterlab/translation';
import type { EndWords } from './job-end';

/** What only a data owner can change. */
export function ownerEnds(trans: TranslationBundle): EndWords {
  const restore = trans.__('They must put their broker in order. Write to them; then submit the notebook again.');
  return {
    approval_missing: { happened: trans.__('The owner has not approved this code yet.'), next: trans.__('They look at your notebook and approve or refuse it. You need not do anything.') },
    released_never: {
      happened: trans.__('No rule of the owner’s policy allows this job, so no data was opened.'),
      next: trans.__('Ask them to allow it, or change what the reasons below name. Then submit the notebook again.')
    },
    release_denied: {
      happened: trans.__('An owner’s broker denied the keys, so no data was opened.'),
      next: trans.__('Ask them to allow it, or change what the reasons below name. Then submit the notebook again.')
    },
    asset_denied: {
      happened: trans.__('An owner’s policy denies this job, so no data was opened.'),
      next: trans.__('Ask them to allow it, or change what the reasons below name. Then submit the notebook again.')
    },
    policy_missing: { happened: trans.__('There is no policy for the data, so nobody may open it.'), next: trans.__('They must sign one. Ask them; then submit the notebook again.') },
    asset_not_here: { happened: trans.__('The owner’s broker does not keep the data any more.'), next: trans.__('They must publish it again. Ask them; then submit the notebook again.') },
    uses_exhausted: { happened: trans.__('All uses that the owner allows are used.'), next: trans.__('They must sign a new version of their policy. Ask them; then submit the notebook again.') },
    use_reserved: { happened: trans.__('Another job holds the last use that the owner allows.'), next: trans.__('It becomes free if that job does not need it. Retry later, or ask them for more uses.') },
    rolled_back: { happened: trans.__('The owner’s broker was restored from an old backup and releases nothing for now.'), next: restore },
    ledger_broken: { happened: trans.__('The owner’s broker found that its own record does not hold.'), next: restore },
    sealed_for_another: { happened: trans.__('The data is sealed to another key than the owner’s broker has.'), next: restore },
    header_mismatch: { happened: trans.__('The sealed data is not what its owner signed.'), next: trans.__('They must publish it again. Ask them; then submit the notebook again.') },
    sealed_corrupt: { happened: trans.__('The sealed data is damaged, cut short or tampered with.'), next: trans.__('They must publish it again. Ask them; then submit the notebook again.') }
  };
}
