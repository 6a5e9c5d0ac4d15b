import { visibleText } from '@cloister/protocol';

/** The command that verifies a report without any network; undefined where its path cannot be pasted safely. */
export function verifyCommand(report: string, outputs?: string): string | undefined {
  const words = ['cloister', 'verify', pathWord(report), ...(outputs === undefined ? [] : ['--outputs', pathWord(outputs)])];
  return words.every(word => word !== undefined) ? words.join(' ') : undefined;
}

/** A path as one word of a POSIX shell. A path with unseen characters is none: a terminal would obey them. */
function pathWord(path: string): string | undefined {
  if (visibleText(path) !== path) return undefined;
  const named = path === '' ? '.' : path.startsWith('-') ? `./${path}` : path;
  return /^[A-Za-z0-9_./@+:,-]+$/.test(named) ? named : `'${named.replaceAll("'", `'\\''`)}'`;
}
