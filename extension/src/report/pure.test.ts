import { expect, test } from 'vitest';
import { nullTranslator } from '@jupyterlab/translation';
import { answerWord, notProven, questionWords, statusWord, verdictMeaning, verdictReason, verdictWord } from '../words/verdict-words';
import { createClaimsDictionary, explainClaim } from '../words/claims-dictionary';
import { describeToken } from './describe-token';
import { verifyCommand } from './shell-words';

const trans = nullTranslator.load('cloister');
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('only a verified report is called verified, and every verdict has words', () => {
  const verdicts = ['verified', 'failed', 'inconclusive', 'simulated'] as const;
  expect(verdicts.map(verdict => verdictWord(verdict, trans))).toEqual(['Verified', 'Not verified', 'Could not check', 'Simulated']);
  for (const words of [verdictReason, verdictMeaning]) expect(new Set(verdicts.map(verdict => words(verdict, trans))).size).toBe(4);
  expect(notProven(trans)).toHaveLength(5);
});

test('only a pass is called yes or passed', () => {
  const statuses = ['pass', 'fail', 'unknown', 'skipped', 'simulated'] as const;
  expect(statuses.map(status => answerWord(status, trans))).toEqual(['Yes', 'No', 'Unknown', 'Not all checked', 'Simulated']);
  expect(statuses.map(status => statusWord(status, trans))).toEqual(['Passed', 'Failed', 'Unknown', 'Not checked', 'Simulated']);
  expect(questionWords('other', trans)).toBe('Other checks');
});

test.each([
  ['eat_nonce', /fingerprint of this report/],
  ['submods.container.env.PATH', /variable that the program could see/i],
  ['submods.container.env_override.JOB', /operator set/],
  ['submods.container.environment', undefined],
  ['tdx.attester_tcb_status', /Intel Trust Authority appraised/],
  ['tdx.gcp_attester_tcb_status', /Google appraised/],
  ['submods.nvidia_gpu.cc_mode', /GPU protects its memory/],
  ['jku', /only keys that you pinned/],
  ['constructor', undefined]
])('the dictionary explains %s', (path, words) => {
  const said = explainClaim(path, createClaimsDictionary(trans), trans);
  if (words === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(words);
});

test('no claim passes for another one by its name', () => {
  const claims = { '': { hwmodel: 'GCP_INTEL_TDX' }, 'tdx.date': '1', '"tdx.date"': '2', tdx: { date: '3' }, hwmodel: 'SIMULATED' };
  const paths = describeToken(`${part({ alg: 'RS256' })}.${part(claims)}.AAAA`).claims.map(({ path, value }) => `${path} ${value}`);
  expect(paths).toEqual(['"".hwmodel GCP_INTEL_TDX', '"tdx.date" 1', '"\\"tdx.date\\"" 2', 'tdx.date 3', 'hwmodel SIMULATED']);
});

test('issuer and times are named only where the verification could read them', () => {
  const named = (claims: unknown): unknown => {
    const { issuer, issuedAt, expiresAt } = describeToken(`${part({ alg: 'RS256' })}.${part(claims)}.AAAA`);
    return [issuer, issuedAt, expiresAt];
  };
  expect(named({ iss: 'https://verifier.test', iat: 1_772_366_400, exp: 253_402_300_799 })).toEqual(['https://verifier.test', '2026-03-01T12:00:00.000Z', '9999-12-31T23:59:59.000Z']);
  expect(named({ iss: 7, iat: '1772366400', exp: 1e300 })).toEqual([undefined, undefined, undefined]);
});

test.each([
  [['a/run.attestation.json', undefined], 'cloister verify a/run.attestation.json'],
  [['my run/x.attestation.json', 'my run'], "cloister verify 'my run/x.attestation.json' --outputs 'my run'"],
  [['$(rm -rf ~).attestation.json', undefined], "cloister verify '$(rm -rf ~).attestation.json'"],
  [["it's.attestation.json", ''], "cloister verify 'it'\\''s.attestation.json' --outputs ."],
  [['-x.attestation.json', undefined], 'cloister verify ./-x.attestation.json'],
  [['=ls.attestation.json', undefined], "cloister verify '=ls.attestation.json'"],
  [['~root/x.attestation.json', undefined], "cloister verify '~root/x.attestation.json'"],
  [['a\nrm -rf ~.attestation.json', undefined], undefined],
  [['a\u202e.attestation.json', undefined], undefined],
  [['a\u001b[31m.attestation.json', undefined], undefined]
] as const)('the command for %j', ([path, outputs], command) => {
  expect(verifyCommand(path, outputs)).toBe(command);
});
