import { spawn } from 'node:child_process';

import { SetupError } from './setup-error.mjs';

const KEPT_LINES = 25;

/**
 * Run a program to its end, its output kept for the case that it fails and otherwise shown to `onLine` alone.
 * Throws a SetupError with the last lines of the output and the `remedy`.
 */
export function run(command, args, { cwd, env, signal, onLine, what, remedy }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = [];
    for (const stream of [child.stdout, child.stderr]) {
      eachLine(stream, line => {
        tail.push(line);
        if (tail.length > KEPT_LINES) tail.shift();
        onLine?.(line);
      });
    }
    // An aborted child reports `error` at once and closes later: only `close` says that nothing writes any more.
    let failure;
    child.on('error', error => {
      failure = error;
      if (child.pid === undefined) reject(new SetupError(`${what} could not be started: ${error.message}.`, remedy));
    });
    child.on('close', (code, killedBy) => {
      if (failure) reject(failure);
      else if (code === 0) resolve();
      else reject(new SetupError(`${what} failed (${killedBy ?? `exit code ${code}`}).`, [...tail, '', remedy].join('\n')));
    });
  });
}

/** Run a program that answers quickly; never throws. `missing` where there is no such program. */
export function probe(command, args) {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', text => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
    child.on('error', error => resolve({ ok: false, missing: error.code === 'ENOENT', stdout, stderr: error.message }));
    child.on('close', code => resolve({ ok: code === 0, missing: false, stdout: stdout.trim(), stderr: stderr.trim() }));
  });
}

function eachLine(stream, onLine) {
  let rest = '';
  stream.setEncoding('utf8').on('data', text => {
    const lines = (rest + text).split(/\r?\n|\r/);
    rest = lines.pop();
    for (const line of lines) if (line.trim()) onLine(line);
  });
  stream.on('end', () => rest.trim() && onLine(rest));
}
