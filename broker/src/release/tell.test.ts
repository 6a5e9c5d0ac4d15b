import { digestOfJson, type DenialReason } from '@cloister/protocol';
import { expect, test } from 'vitest';
import { tellable } from './tell.js';

const asset = digestOfJson('table');
const reasons: DenialReason[] = [
  { asset, policy: asset, rule: 'study', code: 'analyst', expected: ['somebody'], actual: 'me' },
  { asset, policy: asset, rule: 'study', code: 'code', expected: [digestOfJson('secret project')], actual: digestOfJson('mine') },
  { asset, policy: asset, rule: 'audit', code: 'analyst', expected: ['an auditor'], actual: 'me' }
];

test('a stranger learns that no rule names her, and nothing of the rules', () => {
  expect(tellable(reasons, false)).toEqual([{ asset, code: 'analyst' }]);
  expect(tellable([{ asset, code: 'policy_empty', expected: 'a rule', actual: 'none' }], false)).toEqual([{ asset, code: 'policy_empty' }]);
});

test('an analyst whom some rule names learns what to change, and not who else is named', () => {
  const told = tellable(reasons, true);
  expect(told).toHaveLength(3);
  expect(told[1]).toEqual(reasons[1]);
  expect(JSON.stringify(told)).not.toContain('auditor');
});
