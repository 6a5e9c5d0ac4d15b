import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { printable, printableLine } from './printable.js';
import { formatAge, formatBytes, formatDuration } from './quantities.js';
import { parseGivenTime } from './given-time.js';
import { jsonText } from './json-text.js';
import { shellWord } from './shell-word.js';
import { formatTable } from './table.js';
import { indent, wrap } from './wrap.js';

test('columns are aligned by characters, and colours do not count', () => {
  const paint = (text: string): string => `<${text}>`;
  expect(formatTable([['a', { text: 'bb', paint }, 'c'], ['äöü', 'b', '']], { head: ['X', 'Y', 'Z'], align: ['left', 'right'] })).toBe(
    ['X     Y  Z', 'a    <bb>  c', 'äöü   b'].join('\n')
  );
  expect(formatTable([])).toBe('');
});

test.each([[0, '0 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1_500_000, '1.4 MiB'], [5 * 1024 ** 4, '5.0 TiB']])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([[-5, '0.0 s'], [400, '0.4 s'], [59_900, '59.9 s'], [185_000, '3 min 05 s'], [7_620_000, '2 h 07 min']])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('ages have one unit and are never negative', () => {
  const now = new Date('2026-01-02T00:00:00Z');
  const at = (seconds: number): string => formatAge(new Date(now.getTime() - seconds * 1000), now);
  expect([at(-5), at(5), at(65), at(3700), at(90_000)]).toEqual(['0 s ago', '5 s ago', '1 min ago', '1 h ago', '1 d ago']);
});

test('nothing that steers a terminal or turns text around gets through', () => {
  expect(printable('a\u001b[2Jb\u0007\u009b1m\u202ec\tx\n')).toBe('aU+001B[2JbU+0007U+009B1mU+202Ec\tx\n');
  expect(printableLine('a\r\nb\u0000 c')).toBe('a bU+0000 c');
});

test.each(['\u200b', '\u200d', '\u00ad', '\u2028', '\ufeff', '\u115f', '\u{e0041}', '\ue000'])('%j is not seen, so it is written out', unseen => {
  const code = (unseen.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  expect(printableLine(`a${unseen}b`)).toBe(`aU+${code}b`);
});

test('JSON shows nothing unseen either, and stays the same JSON', () => {
  const hostile = { name: '\u009b2J\u001b[2J\u007f', path: ['a\u202eb\u200bc\u2066\ufeff\u2028\u3164\ufe0f', 'tag\u{e0041}'], own: 'höflich ✓ 漢字 😀\n' };
  const text = jsonText(hostile);
  expect(JSON.parse(text)).toEqual(hostile);
  expect(text.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
  for (const part of ['\\u009b2J', '\\u202e', '\\u200b', '\\udb40\\udc41', 'höflich ✓ 漢字 😀']) expect(text).toContain(part);
});

test.each(['results/study-1', '-rf', 'a b', "it's", '$(touch x);`y`', '"', 'back\\slash', '\u001b[2J\u202ea\'b\\', 'new\nline', 'tag\u{e0041}', ''])('%j is one word of a shell, and shows nothing that steers a terminal', path => {
  const word = shellWord(path);
  expect(word).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const said = execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${word}`], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } });
  expect(said).toBe(`${path.startsWith('-') ? './' : ''}${path}\0`);
});

test('long text is broken at blanks; a digest stays whole on a line of its own', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap(`see ${'a'.repeat(20)} now`, 10)).toEqual(['see', 'a'.repeat(20), 'now']);
  expect(wrap('', 10)).toEqual(['']);
  expect(indent('one two', 2, 6)).toBe('  one\n  two');
});

test.each([
  ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
  ['2026-03-01T12:00:00.5Z', '2026-03-01T12:00:00.500Z'],
  ['2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z']
])('the time %s is %s', (text, time) => {
  expect(parseGivenTime('--now', text).toISOString()).toBe(time);
});

test.each(['', 'now', '2026-03-01', '2026-03-01T12:00:00', '2026-03-01 12:00:00Z', '2026-3-1T12:00:00Z', '2026-02-30T12:00:00Z', '2026-13-01T12:00:00Z', '2026-03-01T24:00:00Z', '2026-03-01T12:60:00Z', '2026-03-01T23:59:60Z', '2026-03-01T12:00:00+24:00', '2026-03-01T12:00:00+02:60', ' 2026-03-01T12:00:00Z', '2026-03-01T12:00:00.Z', '1772366400'])('%j is no time, and an example says how to write one', text => {
  expect(() => parseGivenTime('--now', text)).toThrow(expect.objectContaining({ code: 'usage', hint: 'Write it like --now 2026-03-01T12:00:00Z.' }));
});
