import { ERRORS, isErrorCode, type DenialReason, type Json } from '@cloister/protocol';

/** Codes of what a policy says of a job. */
const OF_THE_JOB: Readonly<Record<string, string>> = {
  analyst: 'your key is not among the analysts whom the owner lists',
  code: 'this exact code is not among those that the owner lists',
  approval_missing: 'the owner has not approved this code yet',
  approval_refused: 'the owner refused this code',
  environment: 'the environment is not among those that the owner lists',
  parameters: 'parameters and purpose are not among those that the owner lists',
  inputs: 'the owner does not let it be opened together with these other inputs',
  reviewers: 'the job names reviewers whom the owner does not know',
  expired: 'the permission has expired',
  uses_exhausted: 'all uses that the owner allows are used',
  use_reserved: 'another job holds the last use; it may become free',
  attempts_exhausted: 'all attempts that the owner allows are used',
  policy_empty: 'the owner allows nobody to open it now',
  policy_missing: 'the owner has signed no policy for it',
  asset: 'the job does not name this asset among its inputs',
  asset_not_here: 'the broker does not keep this asset',
  code_not_bound: 'the key of the code is not wrapped for this job',
  rolled_back: 'the broker was restored from an old backup and releases nothing for now'
};

/** Ids of the checks of a token: what was wrong with the machine that asked for keys. */
const OF_THE_TOKEN: Readonly<Record<string, string>> = {
  attestation: 'the machine showed no proof of what it is',
  token_form: 'the machine’s token is not well formed',
  encoding: 'the machine’s token can be decoded in more than one way',
  unique_keys: 'the machine’s token says something twice',
  issuer: 'no verifier that the owner trusts vouches for the machine',
  algorithm: 'the machine’s token is not signed in the way of its verifier',
  key: 'the key that signed the machine’s token is not one that the broker trusts for that time',
  signature: 'the signature on the machine’s token does not hold',
  audience: 'the machine’s token was made for another purpose',
  nonce: 'the machine’s token answers for another session',
  lifetime: 'the machine’s token is valid for longer than an hour, or its times are out of order',
  issued: 'the machine’s token is older than the broker’s challenge, or dated in the future',
  freshness: 'the machine’s token is too old or has expired',
  hardware: 'the owner does not accept this kind of hardware',
  software: 'the machine did not run a valid Confidential Space system',
  secure_boot: 'the machine did not boot signed software only',
  debug: 'somebody could log in to the machine',
  support: 'the machine’s operating system is not supported as the owner demands',
  tcb: 'the machine’s firmware is not as current as the owner demands',
  gpu: 'the machine’s GPU does not keep its memory from the operator',
  image: 'the program on the machine is not one that the owner accepts',
  image_signatures: 'the program on the machine is not signed by a key that the owner accepts',
  command: 'the operator changed the command that starts the program',
  arguments: 'the program was started with arguments that the owner does not accept',
  env_override: 'the operator set variables that the owner does not allow',
  variables: 'the program had variables that the owner does not accept',
  restart: 'the program may be started more than once',
  monitoring: 'the operator watches the machine’s memory',
  project: 'the machine ran in a cloud project that the owner does not accept',
  zone: 'the machine ran in a place that the owner does not accept',
  service_accounts: 'the machine could act as a cloud account that the owner does not accept',
  instance: 'it is not the machine that was launched for this attempt'
};

/** A denial as a sentence, with what was expected and what came where that helps. */
export function describeDenial(denial: DenialReason): string {
  const rule = denial.rule === undefined ? '' : ` (rule ${denial.rule})`;
  return `${sentenceOf(denial)}${rule}${comparedIn(denial)}`;
}

function sentenceOf(denial: DenialReason): string {
  const { code } = denial;
  for (const sentences of [OF_THE_JOB, OF_THE_TOKEN]) if (Object.hasOwn(sentences, code)) return sentences[code] ?? code;
  return isErrorCode(code) ? ERRORS[code].title.replace(/\.$/, '') : `the check ${code} does not pass`;
}

/** Both sides; of a question that could not be asked or answered there are none, only that. */
function comparedIn({ expected, actual }: DenialReason): string {
  if (expected === undefined) return '';
  if (expected === null && actual === 'skipped') return ': not asked, because something before it failed';
  if (expected === null && actual === 'unknown') return ': the broker cannot tell, as it trusts nothing to tell it by';
  return `: expected ${short(expected)}, got ${short(actual ?? null)}`;
}

function short(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}
