import { expect, test } from 'vitest';
import { nullTranslator } from '@jupyterlab/translation';
import { answerWord, notProven, questionWords, statusWord, verdictMeaning, verdictReason, verdictWord } from '../words/verdict-words';
import { createClaimsDictionary, explainClaim } from '../words/claims-dictionary';
import { groupChecks, worstOf } from './check-groups';
import { describeToken } from './describe-token';
import type { IShownCheck, ShownStatus } from './report-view';
import { verifyCommand } from './shell-words';

const trans = nullTranslator.load('cloister');
const check = (status: ShownStatus, id = 'code'): IShownCheck => ({ id, title: id, status });

test.each<[ShownStatus[], ShownStatus]>([
  [['pass', 'pass'], 'pass'],
  [['pass', 'simulated'], 'simulated'],
  [['simulated', 'skipped'], 'skipped'],
  [['skipped', 'unknown'], 'unknown'],
  [['unknown', 'fail', 'pass'], 'fail'],
  [[], 'skipped']
])('the worst of %j is %s', (statuses, worst) => {
  expect(worstOf(statuses.map(status => check(status)))).toBe(worst);
});

test('a check that nobody knows is shown under “other”, also one named like a member of every object', () => {
  const groups = groupChecks([check('pass'), check('fail', 'invented'), check('pass', 'constructor')]);
  expect(groups.map(({ question, status }) => [question, status])).toEqual([['code', 'pass'], ['other', 'fail']]);
  expect(groups[1]?.checks).toHaveLength(2);
});

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
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { '': { hwmodel: 'GCP_INTEL_TDX' }, 'tdx.date': '1', '"tdx.date"': '2', tdx: { date: '3' }, hwmodel: 'SIMULATED' };
  const paths = describeToken(`${part({ alg: 'RS256' })}.${part(claims)}.AAAA`).claims.map(({ path, value }) => `${path} ${value}`);
  expect(paths).toEqual(['"".hwmodel GCP_INTEL_TDX', '"tdx.date" 1', '"\\"tdx.date\\"" 2', 'tdx.date 3', 'hwmodel SIMULATED']);
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
