import { ERRORS, isErrorCode, type DenialReason, type Json } from '@cloister/protocol';

const SENTENCES: Readonly<Record<string, string>> = {
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
  asset_not_here: 'the broker does not keep this asset',
  code_not_bound: 'the key of the code is not wrapped for this job',
  rolled_back: 'the broker was restored from an old backup and releases nothing for now'
};

/** A denial as a sentence, with what was expected and what came where that helps. */
export function describeDenial(denial: DenialReason): string {
  const sentence = SENTENCES[denial.code] ?? titleOf(denial.code);
  const rule = denial.rule === undefined ? '' : ` (rule ${denial.rule})`;
  const compared = denial.expected === undefined ? '' : `: expected ${short(denial.expected)}, got ${short(denial.actual ?? null)}`;
  return `${sentence}${rule}${compared}`;
}

/** Codes of the error table have a sentence; the others are ids of attestation checks. */
function titleOf(code: string): string {
  return isErrorCode(code) ? ERRORS[code].title.replace(/\.$/, '') : `the check ${code} does not pass`;
}

function short(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}
