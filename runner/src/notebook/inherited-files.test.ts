import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';

const MODULE = transformSync(readFileSync(join(import.meta.dirname, 'inherited-files.ts'), 'utf8'), { loader: 'ts', format: 'esm' }).code;
const CHILD_FILES = `import { execFileSync } from 'node:child_process';
process.stdout.write(execFileSync('/bin/ls', ['/proc/self/fd'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));`;

/** The open files of a child of a Node process that was itself started with file 251 open. */
function filesOfChild(script: string): string[] {
  const input = `${CHILD_FILES.split('\n')[0] ?? ''}\n${script}\n${CHILD_FILES.split('\n')[1] ?? ''}`;
  const args = ['-c', 'exec 251</dev/null; exec "$0" --input-type=module -', process.execPath];
  return execFileSync('/bin/bash', args, { input, encoding: 'utf8' }).trim().split('\n');
}

test('what the runner inherited reaches no child: without this it would', () => {
  expect(filesOfChild('')).toContain('251');
  expect(filesOfChild(`${MODULE}\ncloseInheritedFiles();`)).toEqual(['0', '1', '2', '3']);
});
