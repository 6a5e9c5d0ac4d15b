import { AppError } from '@cloister/protocol';

/**
 * `.cloisterignore`, in the notebook's folder: an exact subset of gitignore(5). Blank lines and `#` comments; `*` and `?`
 * within a name, `**` over folders; a `/` at the start or in the middle ties a pattern to the notebook's folder; a `/`
 * at the end means folders only; `!` takes a name back in; the last pattern that matches decides, and nothing below an
 * ignored folder can be taken back. Brackets and backslashes are refused, so that no line is read otherwise than meant.
 */
export interface IgnoreRules {
  /** @param path relative to the notebook's folder, `/` between names */
  readonly ignores: (path: string, isFolder: boolean) => boolean;
}

/** One name as the characters of a glob, or any number of names. */
type NamePattern = readonly string[] | 'any folders';

interface IgnoreRule {
  readonly names: readonly NamePattern[];
  readonly foldersOnly: boolean;
  readonly takesBack: boolean;
}

const MAX_RULES = 1000;
const MAX_PATTERN = 256;

/** @throws AppError config_invalid, naming the line */
export function parseIgnoreRules(text: string): IgnoreRules {
  const rules = text.split(/\r?\n/).flatMap((line, at) => {
    const pattern = line.trimEnd();
    return pattern === '' || pattern.startsWith('#') ? [] : [parseRule(pattern, at + 1)];
  });
  if (rules.length > MAX_RULES) throw new AppError('config_invalid', `.cloisterignore has more than ${MAX_RULES} patterns`);
  const budget: Budget = { left: MAX_STEPS };
  return {
    ignores: (path, isFolder) => {
      const names = path.split('/').map(name => Array.from(name));
      const decisive = rules.findLast(rule => (isFolder || !rule.foldersOnly) && matchesPath(rule.names, names, budget));
      return decisive !== undefined && !decisive.takesBack;
    }
  };
}

function parseRule(line: string, number: number): IgnoreRule {
  if (line.length > MAX_PATTERN) throw new AppError('config_invalid', `.cloisterignore line ${number}: pattern too long`);
  if (/[[\]\\]/.test(line)) {
    throw new AppError('config_invalid', `.cloisterignore line ${number}: brackets and backslashes are not understood here`);
  }
  const takesBack = line.startsWith('!');
  const body = takesBack ? line.slice(1) : line;
  const foldersOnly = body.endsWith('/');
  const path = foldersOnly ? body.slice(0, -1) : body;
  const names = (path.startsWith('/') ? path.slice(1) : path).split('/');
  // At the end, `**` is everything in a folder and not the folder itself.
  const patterns = names.flatMap((name, at): NamePattern[] => {
    if (name !== '**') return [Array.from(name)];
    return at === names.length - 1 ? ['any folders', ['*']] : ['any folders'];
  });
  return { names: path.includes('/') ? patterns : ['any folders', ...patterns], foldersOnly, takesBack };
}

/** Characters compared for one workspace, all rules and paths together: a second or two. */
const MAX_STEPS = 50_000_000;

/** The rules may be another's, made to take for ever: what they cost is counted. */
interface Budget {
  left: number;
}

function matchesPath(patterns: readonly NamePattern[], names: readonly (readonly string[])[], budget: Budget): boolean {
  return matchesSequence(patterns, names, {
    isAny: pattern => pattern === 'any folders',
    matches: (pattern, name) => pattern !== 'any folders' && matchesName(pattern, name, budget)
  });
}

function matchesName(glob: readonly string[], name: readonly string[], budget: Budget): boolean {
  return matchesSequence(glob, name, {
    isAny: item => item === '*',
    matches: (item, char) => {
      budget.left -= 1;
      if (budget.left < 0) throw new AppError('config_invalid', '.cloisterignore takes too long to apply', { hint: 'Write fewer or simpler patterns.' });
      return item === '?' || item === char;
    }
  });
}

interface Matching<P, I> {
  /** Stands for any number of items, none included. */
  readonly isAny: (pattern: P) => boolean;
  readonly matches: (pattern: P, item: I) => boolean;
}

/**
 * With two pointers: where something does not match, only the last `any` takes one more. What an earlier one could take
 * more need never be tried, so the time is at most pattern times items, where backtracking would be exponential.
 */
function matchesSequence<P, I>(patterns: readonly P[], items: readonly I[], { isAny, matches }: Matching<P, I>): boolean {
  let at = 0;
  let retry: { readonly at: number; item: number } | undefined;
  for (let item = 0; item < items.length; ) {
    const [pattern, current] = [patterns[at], items[item]];
    if (pattern !== undefined && isAny(pattern)) {
      at += 1;
      retry = { at, item };
    } else if (pattern !== undefined && current !== undefined && matches(pattern, current)) {
      at += 1;
      item += 1;
    } else if (retry !== undefined) {
      retry.item += 1;
      ({ at, item } = retry);
    } else {
      return false;
    }
  }
  return patterns.slice(at).every(isAny);
}
