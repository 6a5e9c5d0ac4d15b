/** What a check asks, and what could be wrong where it does not pass. For people who have never read the protocol. */
export interface Explanation {
  readonly means: string;
  readonly matters: string;
}

const explain = (means: string, matters: string): Explanation => ({ means, matters });

/** Of a token: checks of `verifyAttestation`. */
const OF_TOKENS = {
  token_form: explain('The token has three parts and a bounded size.', 'What is not a token at all must not be read as one.'),
  encoding: explain('Each part is base64url in its one canonical form.', 'A text that can be written in several ways could be changed without breaking its signature.'),
  unique_keys: explain('Header and claims are JSON objects that name each key once.', 'With a key named twice, two programs could read two different tokens under one signature.'),
  issuer: explain('The token names a verifier that your trust file pins and your policy accepts.', 'Anybody can issue tokens. Only those of verifiers whom you chose say anything.'),
  algorithm: explain('The token is signed in the way that this verifier signs, and its header asks for nothing else.', 'A forger could ask for a weaker way, or for none.'),
  key: explain('The key is in your own key archive for the time of issue, or a certificate chain leads to a root that you pinned.', 'A token that brings its own key vouches for itself.'),
  signature: explain('The signature holds for these very bytes, under that key.', 'Without it anybody could have written the token.'),
  audience: explain('The token was made for exactly this purpose.', 'A token for another purpose or another reader, shown here, would be a borrowed one.'),
  nonce: explain('The token carries exactly the value that it must answer, once.', 'This ties the token to this report or session. Without it an old token, or another run’s, could be shown.'),
  lifetime: explain('The token’s times of issue, start and end follow one another, within an hour.', 'No genuine token lives longer. A long life is a sign of a forgery.'),
  issued: explain('The token was not issued in the future and, where keys depend on it, not before the challenge.', 'A token from before the challenge cannot be an answer to it.'),
  freshness: explain('For keys: the token is minutes old and has not expired. For reports: it is judged at its time of issue.', 'An old token says nothing of the machine as it is now.'),
  hardware: explain('The machine is of a kind that keeps its memory from its operator, and one that you accept.', 'On any other machine the operator could read everything.'),
  software: explain('The machine booted Google’s Confidential Space image.', 'On another system the other claims would be that system’s own word.'),
  secure_boot: explain('The machine started only signed software.', 'Without it somebody could have put other software below the program.'),
  debug: explain('Debugging was off since the machine started.', 'On a debug image the operator can log in and look.'),
  support: explain('The image has the support attributes that you demand, such as STABLE.', 'Images with known holes lose them.'),
  tcb: explain('On Intel TDX: the firmware is as current as you demand, and not revoked.', 'Old firmware has known holes.'),
  gpu: explain('A GPU, where there is one, runs in confidential-compute mode.', 'In any other mode its memory is open to the operator.'),
  image: explain('The program that ran is, by its digest, one that you list.', 'Any program can run in genuine hardware. Only the digest says which one did.'),
  image_signatures: explain('Where you demand it, a key that you accept signed the program.', 'It shows who made the program, where you go by makers and not by digests.'),
  command: explain('The program was started by its own command, or by the one that you list.', 'Another command is another program in the same image.'),
  arguments: explain('The command line as it ran is one that you accept.', 'Arguments can change what a program does.'),
  env_override: explain('The operator set only variables that you allow.', 'A variable such as LD_PRELOAD can change what a program does.'),
  variables: explain('Where you list them, the program had no other variables than those.', 'A variable can carry a secret or a switch.'),
  restart: explain('The program is not started again when it ends.', 'A second run under the same launch could be another run than the one reported.'),
  monitoring: explain('The operator does not monitor the machine’s memory.', 'How much memory is used, and when, tells something of the data.'),
  project: explain('The machine ran in a cloud project that you accept.', 'Another project has another operator, other logs and other accounts.'),
  zone: explain('The machine stood in a zone that you accept.', 'Some data may not leave a country.'),
  service_accounts: explain('The machine could act in no other names than you accept.', 'In another name it could reach other people’s storage.'),
  instance: explain('The token names the machine and, where that is known, the one that was launched.', 'Keys are released to one machine. Another one’s word does not count for it.')
} as const satisfies Readonly<Record<string, Explanation>>;

/** Of a report: checks of `verifyReport` besides those of its token. */
const OF_REPORTS = {
  report_form: explain('Every part can be read and is signed by the key that it names.', 'A part that anybody could have changed says nothing.'),
  policy: explain('You said what you demand of a runner: an appraisal policy.', 'Without it nobody can say whether a genuine machine is one that is good enough for you.'),
  job: explain('Statement, session and receipts name one job and one attempt.', 'Parts of two runs, put together, would describe a run that never was.'),
  session: explain('The keys were released to the session that made the statement.', 'Else one run got the keys and another one spoke.'),
  same_machine: explain('The machine that got the keys is the one that made the statement.', 'Else a second machine could speak for what it never did.'),
  owners: explain('Every input was described by an owner whose key you pinned.', 'Anybody can describe data and call it a hospital’s.'),
  inputs: explain('The run read exactly the inputs that the analyst signed.', 'Other data gives other results.'),
  runner_requirements: explain('Program and hardware are among those that the analyst demanded for her code.', 'Her code and her parameters must not be opened anywhere else.'),
  receipts: explain('Every key came from the broker that its owner named, under the policy that the statement names.', 'Else data was made up, or a laxer policy was put in the place of the owner’s.'),
  receipts_exact: explain('The report has exactly the receipts that the statement lists.', 'A receipt that was exchanged would hide how a key was got.'),
  policies: explain('Policies that the report carries are the ones that were applied.', 'A policy shown beside a report is worth nothing if another one was in force.'),
  code: explain('The code, its parameters and its environment are the ones that the analyst signed.', 'Else the results are of another program.'),
  statement_image: explain('The statement names the very program that the hardware measured.', 'Else the program could speak for another one.'),
  obligations: explain('The run kept what the owners bound it to: output size, isolation, expiry.', 'An owner’s data was given on these terms only.'),
  recipients: explain('The outputs were sealed to the recipients whom the analyst signed, and to nobody else.', 'Else somebody else can open them too.'),
  subjects: explain('Every output has one digest and one commitment, and the index is among them.', 'An output that is listed nowhere could come from anywhere.'),
  outcome: explain('Whether it succeeded fits the cells that ran.', 'A run that stopped halfway must not pass for a whole one.'),
  timing: explain('Keys, run and statement follow one another in time, before the job’s limit.', 'Another order is that of a forgery or of a wrong clock.'),
  witnesses: explain('Brokers that released the keys countersigned this statement, and no other for this attempt.', 'It shows that nobody was given a second, different report of the same attempt.'),
  own_job: explain('It is the report of the job that you yourself submitted.', 'A genuine report of another job is not an answer to yours.'),
  sealed_outputs: explain('The sealed files are, by their digests, the ones of the statement.', 'Else they come from somewhere else.'),
  opened_outputs: explain('The opened files are exactly the ones of the statement: none changed, none missing, none added.', 'Else what you look at is not what came out.')
} as const satisfies Readonly<Record<string, Explanation>>;

/** By check id. */
export const EXPLANATIONS: ReadonlyMap<string, Explanation> = new Map(Object.entries({ ...OF_TOKENS, ...OF_REPORTS }));
