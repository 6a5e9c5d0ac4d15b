import { describe, expect, test } from 'vitest';
import { findAssets } from './assets-in-code.js';
import { pythonOfCell } from './notebook-code.js';

const find = (...cells: string[]) => findAssets({ path: 'n.ipynb', pieces: cells.map((code, at) => ({ where: `cell ${at + 1}`, code: pythonOfCell(code) })) });
const names = (...cells: string[]): string[] => find(...cells).uses.map(use => use.name);
const computed = (...cells: string[]): number => find(...cells).computed.length;

describe('literal names', () => {
  const FOUND: readonly (readonly [string, string])[] = [
    ['a plain call', 'import cloister\ndf = cloister.read_csv("a/b")'],
    ['single quotes, blanks and more arguments', "import cloister\ndf = cloister . read_csv (\n  'a/b' ,\n  sep=';')"],
    ['a raw string', 'import cloister\ncloister.open(r"a/b")'],
    ['three quotes', 'import cloister\ncloister.path("""a/b""")'],
    ['literals side by side', 'import cloister\ncloister.path("a/"\n  "b")'],
    ['a named argument', 'import cloister\ncloister.read_csv(name="a/b")'],
    ['the module under another name', 'import cloister as c\nc.read_csv("a/b")'],
    ['the module among others', 'import os, cloister as c, json\nc.read_csv("a/b")'],
    ['the function imported', 'from cloister import read_csv\nread_csv("a/b")'],
    ['the function under another name', 'from cloister import (is_mock,\n  read_csv as rc)\nrc("a/b")'],
    ['everything imported', 'from cloister import *\nopen("a/b")'],
    ['the module given another name later', 'import cloister\nc = cloister\nc.read_csv("a/b")'],
    ['the function given another name later', 'import cloister\nread = cloister.read_csv\nread("a/b")'],
    ['within an expression', 'import cloister\nx = len(f(cloister.read_csv("a/b").columns))'],
    ['an import within a function', 'def load():\n    import cloister\n    return cloister.read_csv("a/b")'],
    ['behind a line magic', 'import cloister\n%time df = cloister.read_csv("a/b")'],
    ['under a cell magic', '%%time\nimport cloister\ncloister.read_csv("a/b")']
  ];
  test.each(FOUND)('are found: %s', (_, code) => {
    expect(names(code)).toEqual(['a/b']);
    expect(computed(code)).toBe(0);
  });

  test('are found across cells, with their place', () => {
    expect(find('import cloister', '# text\n\ncloister.read_csv("a/b")').uses).toEqual([{ name: 'a/b', path: 'n.ipynb', where: 'cell 2, line 3' }]);
  });
});

test.each([
  ['a comment', 'import cloister\n# cloister.read_csv("a/b")'],
  ['a text', 'import cloister\nx = """\ncloister.read_csv("a/b")\n"""'],
  ['another module', 'import pandas as pd\npd.read_csv("a/b")'],
  ['Python’s own open', 'import cloister\nopen("a/b")'],
  ['a member of that name', 'from cloister import read_csv\nx.read_csv("a/b")'],
  ['a cell of another language', '%%bash\nimport cloister\ncloister.read_csv("a/b")'],
  ['a shell line', 'import cloister\n!cloister.read_csv("a/b")']
])('finds nothing in %s', (_, code) => {
  expect(names(code)).toEqual([]);
  expect(computed(code)).toBe(0);
});

test.each([
  ['a variable', 'import cloister\ncloister.read_csv(name)'],
  ['an f-string', 'import cloister\ncloister.read_csv(f"a/{x}")'],
  ['a sum', 'import cloister\ncloister.read_csv("a/" + x)'],
  ['a format', 'import cloister\ncloister.read_csv("a/%s" % x)'],
  ['a method of the text', 'import cloister\ncloister.read_csv("a/b".lower())'],
  ['arguments unpacked', 'import cloister\ncloister.read_csv(*args)'],
  ['no argument', 'import cloister\ncloister.read_csv()'],
  ['the function handed on', 'import cloister\nlist(map(cloister.read_csv, names))'],
  ['the imported function handed on', 'from cloister import read_csv\nframes = [*map(read_csv, names)]'],
  ['a call within an f-string', 'import cloister\nprint(f"{len(cloister.read_csv(name))}")'],
  ['an escape, which no name has', 'import cloister\ncloister.read_csv("a\\x2fb")']
])('says that the name is computed: %s', (_, code) => {
  expect(names(code)).toEqual([]);
  expect(computed(code)).toBe(1);
});

test.each(['"""', "x = 'not closed", '((((', '))))', 'import', 'from', 'from . import', 'import cloister\ncloister.read_csv(', '\\', 'rb"', '%', '%%', '\u0000', 'from cloister import ('])(
  'does not stumble over what is no Python: %j',
  code => {
    expect(() => find(code)).not.toThrow();
  }
);
