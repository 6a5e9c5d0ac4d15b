import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseIgnoreRules } from './ignore-rules.js';

const PATTERNS = [
  '*.log', 'build', 'build/', '/build', 'a/b', '/a/*.txt', 'a/**', '**/tmp', 'x/**/y', '**/deep/file.txt', 'a?c', '*', 'data-*-old.csv',
  '*.log\n!keep.log', 'a/*\n!a/keep.log', '#no\nreal', '  lead', 'trail   ', 'dot.d', 'a+b(c)', '**', 'x/**', '!keep.log\n*.log', '/', '***', 'f**o', '*a*b*', '**/a/**', '/**/y', 'a/**/**', '?*?', '//a', '*/*/*'
];
const PATHS = ['keep.log', 'x.log', 'a/keep.log', 'build', 'src/build', 'a/b', 'z/a/b', 'a/one.txt', 'a/b/one.txt', 'tmp', 'q/tmp', 'x/y', 'x/1/y', 'x/1/2/y', 'deep/file.txt', 'p/deep/file.txt', 'abc', 'a/c', 'data-1-old.csv', 'real', 'lead', 'trail', 'dot.d', 'dotxd', 'a+b(c)', 'foo', 'fo', 'f/o'];

/** git is the judge of its own syntax; `--no-index` asks about paths that need not exist. */
function askGit(rules: string): Set<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cloister-ignore-'));
  try {
    execFileSync('git', ['init', '-q', folder]);
    writeFileSync(join(folder, '.gitignore'), rules);
    const input = PATHS.map(path => `${path}\n`).join('');
    const verbose = execFileSync('git', ['-C', folder, 'check-ignore', '--no-index', '-v', '-n', '--stdin'], { input, encoding: 'utf8' });
    return new Set(verbose.split('\n').flatMap(line => {
      const [rule = '', path = ''] = line.split('\t');
      const pattern = rule.split(':').slice(2).join(':');
      return pattern !== '' && !pattern.startsWith('!') ? [path] : [];
    }));
  } catch (error) {
    // git says 1 where nothing is ignored.
    if (error instanceof Error && 'status' in error && error.status === 1) return new Set();
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each(PATTERNS)('decides as git does: %j', rules => {
  const { ignores } = parseIgnoreRules(rules);
  // As the walk does: what lies below an ignored folder is never asked for.
  const ours = PATHS.filter(path => {
    const names = path.split('/');
    return names.some((_, at) => ignores(names.slice(0, at + 1).join('/'), at < names.length - 1));
  });
  const theirs = askGit(rules);
  expect(ours).toEqual(PATHS.filter(path => theirs.has(path)));
});

/** Operations are counted and not timed: the expression that backtracked took 20 s for the first of these. */
test.each([
  ['*a'.repeat(6), `${'a'.repeat(250)}b`],
  [`${'*a'.repeat(100)}c`, 'a'.repeat(255)],
  [`${'**/a/'.repeat(40)}c`, 'a/'.repeat(32) + 'b']
])('a pattern made to take for ever is decided at once: %s', (pattern, path) => {
  expect(parseIgnoreRules(pattern).ignores(path, false)).toBe(false);
});

test('a thousand costly patterns over many files are refused, not endured', () => {
  const { ignores } = parseIgnoreRules(`*${'a'.repeat(120)}b\n`.repeat(1000));
  const path = 'a'.repeat(255);
  expect(() => {
    for (let file = 0; file < 4096; file += 1) ignores(path, false);
  }).toThrow(/config_invalid: .*too long/);
});

test.each(['[a]', 'a\\b'])('refuses what it does not understand: %s', line => {
  expect(() => parseIgnoreRules(line)).toThrow(/config_invalid/);
});
