/**
 * The one error table. Append only: a code, once published, keeps its meaning (RFC 9457 `type` is
 * `urn:cloister:error:<code>`). `status` is the HTTP status at a service's edge, `retry` whether the same
 * request may succeed later, `title` a sentence a person understands, `hint` what to do next.
 */
interface ErrorEntry {
  readonly status: number;
  readonly retry: boolean;
  readonly title: string;
  readonly hint: string;
}

const entry = (status: number, title: string, hint: string, retry = false): ErrorEntry => ({
  status,
  retry,
  title,
  hint
});

/** Every code there is. */
export const ERRORS = {
  // requests
  invalid_request: entry(400, 'The request is not what this route takes.', 'Compare it with /openapi.json.'),
  invalid_json: entry(400, 'The text is not strict JSON.', 'Remove duplicate keys, trailing text and invalid characters.'),
  payload_too_large: entry(413, 'The body is larger than this route takes.', 'Send less.'),
  unsupported_media_type: entry(415, 'The content type is not the one this route takes.', 'Send application/json, or the type in /openapi.json.'),
  not_found: entry(404, 'There is nothing here.', 'Check the address; things of other people look as if they were not there.'),
  method_not_allowed: entry(405, 'This address does not take that method.', 'Compare it with /openapi.json.'),
  proof_missing: entry(401, 'The request carries no proof of its sender.', 'Sign it: header Cloister-Proof, see docs/protocol.md.'),
  proof_invalid: entry(401, 'The proof does not fit this request.', 'Sign method, full URL and body digest of this very request.'),
  proof_stale: entry(401, 'The proof is too old, or from the future.', 'Set the clock; the reply says the server’s time.', true),
  proof_replayed: entry(401, 'This proof was used before.', 'Sign every request anew.', true),
  not_permitted: entry(403, 'This key may not do that here.', 'Ask whoever runs the service to list the key.'),
  idempotency_conflict: entry(409, 'This Idempotency-Key was used with another body.', 'Use a new key for a new request.'),
  invalid_cursor: entry(400, 'The page cursor is not one that this server made.', 'Start again from the first page.'),
  rate_limited: entry(429, 'Too many requests.', 'Wait as long as Retry-After says.', true),
  unavailable: entry(503, 'The service cannot answer now.', 'Try again; nothing was lost.', true),
  internal: entry(500, 'Something went wrong inside the service.', 'Give the request id to whoever runs it.', true),
  storage_full: entry(507, 'The disk is full.', 'Free some space; then try again.', true),
  // bytes and signed objects
  invalid_object: entry(400, 'The object has members it must not have, or lacks some it must have.', 'See docs/protocol.md for its shape.'),
  not_canonical: entry(400, 'The bytes are not in canonical form.', 'Write JSON by RFC 8785 and base64url without padding or blanks.'),
  signature_invalid: entry(400, 'The signature is not by the expected key.', 'Somebody changed the object, or another key signed it.'),
  wrong_signer: entry(400, 'The object is signed by another key than the one expected here.', 'Check which owner, analyst or broker this belongs to.'),
  digest_mismatch: entry(400, 'The bytes are not those that the signed digest names.', 'They changed on the way; get them again.'),
  // sealing
  sealed_for_another: entry(400, 'The file is not sealed to this key.', 'Use the identity that belongs to one of its recipients.'),
  sealed_corrupt: entry(400, 'The sealed file is damaged, cut short or tampered with.', 'Get it again from where it came.'),
  header_mismatch: entry(400, 'The header of the sealed file is not the one its descriptor signs.', 'The file was swapped; get it again from its owner.'),
  // attestation
  attestation_rejected: entry(403, 'The attestation token does not pass its checks.', 'The failed checks say what was expected and what came.'),
  // packaging
  notebook_missing: entry(400, 'There is no such notebook.', 'Check the path.'),
  notebook_not_json: entry(400, 'The notebook is not JSON.', 'Open it in JupyterLab and save it again.'),
  notebook_unsupported: entry(400, 'The notebook is not in nbformat 4.', 'Open it in JupyterLab and save it; that converts it.'),
  notebook_not_canonical: entry(400, 'The notebook in the bundle carries outputs, counts or metadata.', 'Submit it with cloister, which takes them out.'),
  asset_unknown: entry(400, 'The notebook reads an asset that nobody you trust publishes.', 'See `cloister assets` for the names; check the spelling and your trust file.'),
  asset_not_literal: entry(400, 'An asset name in the notebook is computed, so it cannot be found before the run.', 'Write the name as text, or list the assets with --asset.'),
  asset_denied: entry(403, 'An owner’s policy would deny this job.', 'The denial says what was expected; change it or ask the owner.'),
  no_custodian: entry(400, 'No broker would keep the key of the code.', 'Name an input asset, or a code custodian with --custodian.'),
  workspace_unsafe: entry(400, 'The workspace holds something that cannot be sent.', 'Remove links, devices and odd names, or list them in .cloisterignore.'),
  workspace_case_clash: entry(400, 'Two files differ only in case or in Unicode form.', 'Rename one of them.'),
  bundle_too_large: entry(413, 'The files to send are too large.', 'Put large files in .cloisterignore, or make them an asset.'),
  bundle_invalid: entry(400, 'The bundle is not well formed.', 'Submit again.'),
  manifest_expired: entry(403, 'The job’s manifest has expired.', 'Submit again with a later limit.'),
  manifest_early: entry(403, 'The job’s id was made in the future.', 'Set the clock of the machine that submits; then submit again.', true),
  // brokers
  asset_not_here: entry(404, 'This broker does not keep that asset.', 'Check the broker that the descriptor names.'),
  policy_missing: entry(403, 'There is no policy for this asset, so nobody may open it.', 'The owner signs one with `cloister policy sign`.'),
  policy_rollback: entry(409, 'A newer version of this policy is in force.', 'Sign a version higher than the one in force.'),
  released_never: entry(403, 'No rule of the policy allows this.', 'The denials say what each rule expected.'),
  challenge_unknown: entry(403, 'The challenge is not one of this broker’s, was used, or has expired.', 'Ask for a new one.'),
  session_mismatch: entry(403, 'The session is not the one that the challenge was issued for.', 'Use job, step and attempt of the challenge.'),
  recipient_changed: entry(403, 'Another key was bound to this attempt.', 'Start a new attempt; keys are fresh per attempt.'),
  attempt_superseded: entry(403, 'A higher attempt of this job was released already.', 'Only the newest attempt may have keys.'),
  attempts_exhausted: entry(403, 'All attempts that the policy or the manifest allows are used.', 'Submit a new job, or ask the owner.'),
  uses_exhausted: entry(403, 'All uses that the policy allows are used.', 'Ask the owner for a new version of the policy.'),
  use_reserved: entry(409, 'The last use is reserved by another job.', 'Wait as long as Retry-After says.', true),
  code_not_bound: entry(403, 'The wrapped code key is not for this analyst and bundle.', 'Submit with cloister, which wraps it right.'),
  approval_missing: entry(403, 'The owner has not approved this code yet.', 'Wait for the approval, or ask for it.', true),
  rolled_back: entry(503, 'The broker was restored from an old backup and releases nothing.', 'The owner signs a higher policy version that states the remaining uses.'),
  ledger_broken: entry(500, 'The ledger’s chain does not hold.', 'Do not trust this broker before its owner has looked.'),
  // jobs
  job_finished: entry(409, 'The job has ended already.', 'Look at its outputs, or retry it.'),
  job_not_finished: entry(409, 'The job has not ended yet.', 'Wait for it, or cancel it.'),
  state_conflict: entry(409, 'The job changed meanwhile.', 'Read it again; then decide.', true),
  attempt_stale: entry(409, 'A newer attempt runs, so this one’s word no longer counts.', 'Nothing to do.'),
  not_admitted: entry(403, 'The runner has not shown an attested session for this attempt.', 'Admit the session first.'),
  launch_failed: entry(502, 'The TEE could not be started.', 'See the operator’s log; the job is tried again where attempts remain.', true),
  runner_lost: entry(502, 'The runner ended without a result.', 'Retry the job.', true),
  report_rejected: entry(400, 'The report does not verify for this attempt.', 'The failed checks say why.'),
  already_exists: entry(409, 'Something else is stored under this name.', 'Names are written once; use a new one.'),
  // runs
  deadline_exceeded: entry(408, 'The notebook ran longer than its limit.', 'Raise --timeout, or do less.'),
  cell_failed: entry(422, 'A cell raised an error.', 'Read the traceback among the outputs.'),
  kernel_exited: entry(422, 'A cell ended the kernel.', 'Remove exit() or os._exit() from the notebook.'),
  kernel_killed: entry(422, 'The kernel was killed, most often for want of memory.', 'Use less memory.'),
  kernel_unavailable: entry(422, 'The notebook’s kernel is not in the runner’s image.', 'Choose a kernel that the image has.'),
  input_requested: entry(422, 'A cell asked for keyboard input, and nobody is there.', 'Remove input() and getpass().'),
  install_refused: entry(422, 'A cell tried to install packages; there is no network inside.', 'Use what the image has; no other environment can be named yet.'),
  output_too_large: entry(422, 'The outputs are larger than an owner allows.', 'Write less, or ask the owner.'),
  output_refused: entry(422, 'An output is not a regular file.', 'Write plain files under outputs/.'),
  receipt_rejected: entry(422, 'A broker’s receipt does not hold.', 'Nothing was run; the operator or a broker lied.'),
  release_denied: entry(403, 'A broker denied the release.', 'The denial says which rule expected what.'),
  obligation_unknown: entry(422, 'A broker demands something this runner cannot do.', 'Use a newer runner image.'),
  sandbox_unavailable: entry(503, 'The sandbox cannot be made on this host.', 'Install bubblewrap and allow user namespaces; see README.'),
  sandbox_leaks: entry(503, 'A probe got out of the sandbox, so the runner refuses to work.', 'See which probe, and mend the host.'),
  runner_failed: entry(500, 'The runner failed.', 'Retry the job; if it stays, tell the operator.', true),
  kernel_misbehaved: entry(422, 'The kernel did not behave as one, so the run gave no result that holds.', 'Remove what interferes with the kernel, its messages or its driver from the notebook.'),
  cancelled: entry(409, 'The job was cancelled.', 'Submit it again if you want it.'),
  // this machine
  config_invalid: entry(400, 'The configuration is not valid.', 'The message names the key.'),
  key_missing: entry(400, 'A key file is missing.', 'Restore it from your backup: `cloister keys restore`.'),
  key_unsafe: entry(400, 'A key file can be read by others.', 'chmod 600 it.'),
  file_exists: entry(409, 'A file is in the way.', 'Move it, or choose another place; nothing is written over.'),
  usage: entry(400, 'The command was not understood.', 'See --help.'),
  daemon_unreachable: entry(503, 'The Cloister daemon does not answer.', 'Start it: `cloister start`.', true),
  state_locked: entry(409, 'Another process uses this state directory.', 'Use that one, or stop it: `cloister stop`.', true),
  trust_missing: entry(400, 'Nobody is pinned to trust for this.', 'Run `npm run demo` once, or name the state directory that you use: $CLOISTER_HOME or --home.'),
  output_not_verified: entry(403, 'The report does not verify, so nothing was unsealed.', 'Run `cloister verify` to see which check failed.'),
  secret_likely: entry(409, 'Something that would be sent looks like a secret.', 'Take it out or list the file in .cloisterignore; to send it all the same, say so with --yes.'),
  // an operator's word that contradicts what is known
  wrong_job: entry(502, 'The server answered about another job than the one asked about.', 'Nothing of its answer was used. Ask the operator.'),
  statement_conflict: entry(409, 'Another statement was witnessed for this attempt.', 'Each attempt has one statement. Keep both reports, and ask the operator.'),
  asset_rollback: entry(409, 'The catalog shows an older version of this asset than it did before.', 'Ask the owner which version is in force; the operator may hide the newer one.'),
  // keys that verifiers publish
  verifier_keys_unavailable: entry(503, 'The verifier’s keys cannot be had now, so its tokens cannot be checked.', 'Try again later; see that the machine reaches the verifier’s address.', true),
  verifier_keys_refused: entry(502, 'What came from the verifier’s address is not what it publishes.', 'Something answers in its place, such as a proxy or a login page. Nothing of it was used.')
} as const satisfies Record<string, ErrorEntry>;

/** A code of the table. */
export type ErrorCode = keyof typeof ERRORS;

/** Whether a text, as from a reply, is a code of the table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** What an error may carry besides its code and detail. */
export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Replaces the table's hint where a better one is known. */
  readonly hint?: string;
  /** Public members of the problem document, such as `denials` or `checks`. Never secrets. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** The only error that crosses a module boundary. `detail` is public: no paths of others, no secrets. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: string;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = detail;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.members = options.members ?? {};
  }

  /** What the code means, as a sentence for people. */
  get title(): string {
    return ERRORS[this.code].title;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}
