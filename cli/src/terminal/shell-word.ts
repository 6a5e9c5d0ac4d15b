/**
 * A path as one word of a shell's command, to be copied from a line that we print. Names of folders come from other
 * people's repositories: a blank, a quote or `$(…)` in one must stay a part of the name, and an escape sequence must not
 * reach the terminal, so that one is written as text in bash's `$'…'` form.
 */
export function shellWord(path: string): string {
  const word = path.startsWith('-') ? `./${path}` : path;
  if (/^[A-Za-z0-9_./@%+=:,-]+$/.test(word)) return word;
  if (!UNPRINTABLE.test(word)) return `'${word.replace(/'/g, "'\\''")}'`;
  const text = word.replace(/[\\']/g, '\\$&').replace(EACH_UNPRINTABLE, char => `\\U${(char.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`);
  return `$'${text}'`;
}

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const EACH_UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
