import type { TranslationBundle } from '@jupyterlab/translation';
import type { EndWords } from './job-end';

/** What the operator's machines lack or lost. */
export function machineEnds(trans: TranslationBundle): EndWords {
  const retryNow = trans.__('Retry the job. If it ends like this again, the operator must look at their machines: give them its id.');
  return {
    runner_lost: { happened: trans.__('The machine ended without a result; no attempt is left.'), next: retryNow },
    launch_failed: { happened: trans.__('The TEE could not be started.'), next: retryNow },
    runner_failed: { happened: trans.__('The runner failed; it was not your notebook.'), next: retryNow },
    internal: { happened: trans.__('Something went wrong inside a service.'), next: retryNow },
    unavailable: { happened: trans.__('A service that the job needs did not answer.'), next: retryNow },
    rate_limited: { happened: trans.__('A service was asked too often at once.'), next: trans.__('Retry the job in a few minutes.') },
    storage_full: { happened: trans.__('A disk of the operator is full.'), next: trans.__('They must free some space. Tell them; then retry the job.') },
    daemon_unreachable: { happened: trans.__('A service that the job needs did not answer.'), next: retryNow },
    sandbox_unavailable: {
      happened: trans.__('The machine cannot lock the notebook in, so the runner refused to work.'),
      next: trans.__('They must mend the machine. Tell them; then submit the notebook again.')
    },
    sandbox_leaks: {
      happened: trans.__('A probe got out of the sandbox, so the runner refused to work.'),
      next: trans.__('They must mend the machine. Tell them; then submit the notebook again.')
    },
    config_invalid: { happened: trans.__('The runner was started with settings that it does not take.'), next: trans.__('They must mend the settings. Tell them; then submit the notebook again.') },
    not_permitted: {
      happened: trans.__('The operator’s server may not ask the owner’s broker.'),
      next: trans.__('They must allow the broker’s address. Tell them; then submit the notebook again.')
    }
  };
}

/** What does not fit together on the way between honest parties: somebody in the middle broke it. Nothing was opened. */
export function brokenEnds(trans: TranslationBundle): EndWords {
  const explain = trans.__('They must explain this. Give them the job’s id, and tell the owner too.');
  const lied = (happened: string): { happened: string; next: string } => ({ happened, next: explain });
  return {
    attestation_rejected: lied(trans.__('The machine could not prove what it is, so no data was opened.')),
    receipt_rejected: lied(trans.__('A broker’s receipt does not hold, so nothing was run: the operator or a broker lied.')),
    report_rejected: lied(trans.__('The runner’s report did not verify, so it was not published.')),
    digest_mismatch: lied(trans.__('What the machine was given is not what was signed, so nothing was run.')),
    signature_invalid: lied(trans.__('Something that the machine was given is not signed as it should be, so nothing was run.')),
    invalid_object: lied(trans.__('Something that the machine was given is malformed, so nothing was run.')),
    invalid_json: lied(trans.__('Something that the machine was given is malformed, so nothing was run.')),
    not_canonical: lied(trans.__('Something that the machine was given is malformed, so nothing was run.')),
    not_found: lied(trans.__('Something that the job needs was not there.')),
    payload_too_large: lied(trans.__('A service refused what the machine sent, as too large.')),
    already_exists: lied(trans.__('Two different results were stored for one attempt.')),
    not_admitted: lied(trans.__('The machine was not admitted to report about this job.')),
    attempt_stale: lied(trans.__('The machine worked at an attempt that no longer counts.')),
    attempt_superseded: lied(trans.__('A newer attempt of this job had its keys already.')),
    challenge_unknown: lied(trans.__('The owner’s broker did not know the challenge that the machine answered.')),
    session_mismatch: lied(trans.__('The machine’s session is not the one that the owner’s broker asked for.')),
    recipient_changed: lied(trans.__('Another machine had the keys of this attempt already.')),
    idempotency_conflict: lied(trans.__('Two different requests were made under one name.'))
  };
}
