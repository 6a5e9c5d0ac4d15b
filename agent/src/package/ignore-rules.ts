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

interface IgnoreRule {
  readonly pattern: RegExp;
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
  return {
    ignores: (path, isFolder) => {
      const decisive = rules.findLast(rule => (isFolder || !rule.foldersOnly) && rule.pattern.test(path));
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
  const tied = path.includes('/');
  const source = sourceOf(path.startsWith('/') ? path.slice(1) : path);
  return { pattern: new RegExp(`^${tied ? '' : '(?:.*/)?'}${source}$`, 'u'), foldersOnly, takesBack };
}

/** `**` as a whole name spans folders, none included; anything else stays within one name. */
function sourceOf(path: string): string {
  const names = path.split('/');
  return names
    .map((name, at) => {
      const last = at === names.length - 1;
      if (name === '**') return last ? '.+' : '(?:.*/)?';
      const source = name
        .replace(/[.+^${}()|]/g, '\\$&')
        .replace(/\*+/g, '[^/]*')
        .replace(/\?/g, '[^/]');
      return last ? source : `${source}/`;
    })
    .join('');
}
