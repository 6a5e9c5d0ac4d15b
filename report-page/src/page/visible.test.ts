import { expect, test } from 'vitest';
import { visibleLine, visibleLines, visibleText } from './visible.js';

test.each([
  ['plain', 'outcome-model.ipynb', 'outcome-model.ipynb'],
  ['other scripts and emoji', 'Übersicht 概要 مرحبا 👩🏽', 'Übersicht 概要 مرحبا 👩🏽'],
  ['markup, which stays text', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['an override of direction', 'exe\u202efdp.ipynb', 'exeU+202Efdp.ipynb'],
  ['controls', 'a\u0000b\nc\u001b[31m', 'aU+0000bU+000AcU+001B[31m'],
  ['blanks of no width', 'a\u200bb\ufeff', 'aU+200BbU+FEFF'],
  ['tags beyond the first plane', 'a\u{e0041}', 'aU+E0041'],
  ['half a pair', 'a\ud800', 'aU+D800'],
  ['separators', 'a\u2028b', 'aU+2028b'],
  ['piled marks', `e${'\u0301'.repeat(50)}x`, `e${'\u0301'.repeat(4)}…x`]
])('shows %s as it is', (_, hostile, seen) => {
  expect(visibleText(hostile)).toBe(seen);
});

test('a line is cut by whole characters, and only then says so', () => {
  expect(visibleLine('👩'.repeat(9), 3)).toBe('👩👩👩…');
  expect(visibleLine('abc', 3)).toBe('abc');
  expect(visibleLine('a'.repeat(1_000_000), 3)).toBe('aaa…');
});

test('what the page laid out keeps its lines', () => {
  expect(visibleLines('a\n\u202eb')).toBe('a\nU+202Eb');
});
