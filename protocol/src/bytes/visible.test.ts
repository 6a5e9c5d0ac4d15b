import { expect, test } from 'vitest';
import { LONGEST_SHOWN, splitVisible, visibleLine, visibleText } from './visible.js';

test.each([
  ['plain', 'outcome-model.ipynb', 'outcome-model.ipynb'],
  ['other scripts and emoji', 'Übersicht 概要 مرحبا 👩🏽', 'Übersicht 概要 مرحبا 👩🏽'],
  ['markup, which stays text', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['an override of direction', 'exe\u202efdp.ipynb', 'exeU+202Efdp.ipynb'],
  ['isolates', '\u2066a\u2069', 'U+2066aU+2069'],
  ['controls', 'a\u0000b\nc\u001b[31m', 'aU+0000bU+000AcU+001B[31m'],
  ['blanks of no width', 'a\u200bb\ufeff', 'aU+200BbU+FEFF'],
  ['tags beyond the first plane', 'a\u{e0041}', 'aU+E0041'],
  ['fillers', 'a\u3164b', 'aU+3164b'],
  ['half a pair', 'a\ud800', 'aU+D800'],
  ['separators', 'a\u2028b', 'aU+2028b'],
  ['piled marks', `e${'\u0301'.repeat(500)}x`, `e${'\u0301'.repeat(4)}…x`],
  ['the marks of a language', 'a\u0302\u0301', 'a\u0302\u0301']
])('shows %s as it is', (_, hostile, seen) => {
  expect(visibleText(hostile)).toBe(seen);
});

test('a line is cut by whole characters, and only then says so', () => {
  expect(visibleLine('👩'.repeat(9), 3)).toBe('👩👩👩…');
  expect(visibleLine('abc', 3)).toBe('abc');
  expect(visibleLine('a'.repeat(1_000_000), 3)).toBe('aaa…');
  expect(visibleLine(`e${'\u0301'.repeat(20)}`, 5)).toMatch(/…$/);
});

test('a long text is cut by whole characters and nothing of it is lost', () => {
  const long = '👩'.repeat(5000);
  const { start, rest } = splitVisible(long);
  expect(Array.from(start)).toHaveLength(LONGEST_SHOWN);
  expect(start + rest).toBe(long);
  expect(splitVisible('abc', 3)).toEqual({ start: 'abc', rest: '' });
});
