import { expect, test } from 'vitest';
import { ATTESTATION_CHECK_IDS, type DenialReason } from '@cloister/protocol';
import { describeDenial } from './denials-in-words.js';

test('every check of a token has a sentence of its own, and none names the check', () => {
  const sentences = ATTESTATION_CHECK_IDS.map(code => describeDenial({ code, expected: null, actual: 'fail' }));
  expect(new Set(sentences).size).toBe(ATTESTATION_CHECK_IDS.length);
  expect(sentences.filter(sentence => sentence.startsWith('the check '))).toEqual([]);
});

test.each<[string, DenialReason, string]>([
  ['the set of packages that a job names', { code: 'environment', rule: 'r', expected: ['image'], actual: `sha256:${'a'.repeat(64)}` }, 'the environment is not among those that the owner lists (rule r): expected ["image"], got sha256:'],
  ['variables that the operator set', { code: 'env_override', rule: 'r', expected: [], actual: ['LD_PRELOAD'] }, 'the operator set variables that the owner does not allow (rule r): expected [], got ["LD_PRELOAD"]'],
  ['variables that are none', { code: 'env_override', expected: 'an object of overrides', actual: 'something else' }, 'the operator set variables'],
  ['the code of a job', { code: 'code', expected: ['a'], actual: 'b' }, 'this exact code is not among those'],
  ['a question that was not asked', { code: 'gpu', expected: null, actual: 'skipped' }, 'the machine’s GPU does not keep its memory from the operator: not asked'],
  ['a key that the broker does not know', { code: 'key', expected: null, actual: 'unknown' }, 'the key that signed the machine’s token is not one that the broker trusts for that time: the broker cannot tell'],
  ['an error of the table', { code: 'manifest_expired' }, 'The job’s manifest has expired'],
  ['what nobody knows', { code: 'invented' }, 'the check invented does not pass'],
  ['a name that every object has', { code: 'constructor' }, 'the check constructor does not pass']
])('%s has its sentence', (_name, denial, sentence) => {
  expect(describeDenial(denial)).toContain(sentence);
});
