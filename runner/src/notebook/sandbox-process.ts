import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

import { bubblewrapOptions, type SandboxForm, type SandboxRoot } from './bubblewrap.js';
import { closeInheritedFiles } from './inherited-files.js';
import { RUN_MARK, type Trace } from './reaper.js';
import { namespaceFilter } from './seccomp.js';

const OPTIONS_FD = 3;
const STATUS_FD = 4;
const FILTER_FD = 5;
const BLOCK_FD = 6;
const MAX_STATUS_CHARACTERS = 4096;
const MAX_STDERR_CHARACTERS = 8192;
/** What a sandbox wrote is in its pipes when it ends, so this is a bound against the impossible, not a wait. */
const PIPES_GRACE_MS = 1000;

/** How a sandbox ended. */
export interface SandboxEnd {
  /** As a shell reads it: 128 + n where signal n ended the command. A command may also exit with such a number. */
  readonly status: number;
  /** Whether the command ran at all; otherwise the sandbox could not be made. */
  readonly ran: boolean;
}

/** One running sandbox. Whoever starts it must `kill` it and reap its `trace`. */
export interface Sandbox {
  readonly trace: Trace;
  /** Resolves when it is on the list of sandboxes, just before its command starts; never where it was not made. */
  readonly listed: Promise<void>;
  readonly ended: Promise<SandboxEnd>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** The last lines that it wrote to standard error: for the analyst, never for a log. */
  stderr(): string;
  kill(): void;
}

export interface SandboxCommand {
  readonly root: SandboxRoot;
  readonly command: readonly string[];
}

/** Starts a command in a sandbox. Options and filter go by pipes, so that /proc/1/cmdline inside shows no host path. */
export function startSandbox(form: SandboxForm, { root, command }: SandboxCommand): Sandbox {
  closeInheritedFiles();
  const mark = randomUUID();
  const pipes = ['--json-status-fd', `${STATUS_FD}`, '--add-seccomp-fd', `${FILTER_FD}`, '--block-fd', `${BLOCK_FD}`];
  const child = spawn(form.bubblewrap, ['--args', `${OPTIONS_FD}`, '--', ...command], {
    cwd: '/',
    // A session of its own: the terminal’s Ctrl-C reaches the runner, which ends the run in order.
    detached: true,
    env: { [RUN_MARK]: mark, ...form.list?.env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe']
  });
  const numbers = new Set<number>();
  const pidNamespaces = new Set<string>();
  const trace: Trace = { mark, pidNamespaces, forget: () => numbers.forEach(each => form.list?.remove(each)) };
  feed(child, OPTIONS_FD, Buffer.from([...pipes, ...bubblewrapOptions(form, root)].map(option => `${option}\0`).join('')));
  feed(child, FILTER_FD, namespaceFilter(process.arch));
  const status = followStatus(child, pidNamespace => {
    pidNamespaces.add(`pid:[${pidNamespace}]`);
    form.list?.add(pidNamespace);
    numbers.add(pidNamespace);
  });
  const stderr = keepTail(child.stderr);
  return {
    trace,
    listed: status.released,
    ended: end(child, status),
    stdin: quiet(child.stdin),
    stdout: quiet(child.stdout),
    stderr,
    kill: () => void child.kill('SIGKILL')
  };
}

const StatusLine = z.looseObject({
  'child-pid': z.optional(z.int().positive()),
  'pid-namespace': z.optional(z.int().positive()),
  'exit-code': z.optional(z.int())
});

interface Status {
  readonly released: Promise<void>;
  /** Whether the command ran, given whether a signal ended bubblewrap itself. */
  readonly ran: (signalled: boolean) => boolean;
  readonly closed: Promise<void>;
}

/**
 * Reads bubblewrap’s own word on the sandbox: its pid namespace, and whether the command ran and ended. The command waits
 * until `register` has its namespace; one that cannot be registered does not run.
 */
function followStatus(child: ChildProcess, register: (pidNamespace: number) => void): Status {
  const stream = readable(child.stdio[STATUS_FD]);
  let text = '';
  let ran = false;
  let released = false;
  let tell: () => void = () => undefined;
  const told = new Promise<void>(resolve => {
    tell = resolve;
  });
  const release = (pidNamespace: number) => {
    try {
      register(pidNamespace);
    } catch {
      child.kill('SIGKILL');
      return;
    }
    released = true;
    feed(child, BLOCK_FD, Buffer.from('.'));
    tell();
  };
  const read = (line: string) => {
    const parsed = StatusLine.safeParse(parseJson(line));
    if (!parsed.success) return;
    const { 'child-pid': pid, 'pid-namespace': pidNamespace, 'exit-code': exitCode } = parsed.data;
    if (pidNamespace !== undefined) release(pidNamespace);
    // A bubblewrap that does not say the namespace of its child is too old.
    else if (pid !== undefined) child.kill('SIGKILL');
    else if (exitCode !== undefined) ran = true;
  };
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = (lines.pop() ?? '').slice(0, MAX_STATUS_CHARACTERS);
    lines.forEach(read);
  });
  return { released: told, ran: signalled => ran || (signalled && released), closed: closeOf(stream) };
}

/** Resolves once the sandbox ended and all that it said is read. Somebody must read its standard output. */
async function end(child: ChildProcess & { stdout: Readable }, status: Status): Promise<SandboxEnd> {
  const pipes = Promise.all([status.closed, closeOf(child.stdout)]);
  const result = await new Promise<{ code: number; signalled: boolean }>(resolve => {
    child.once('error', () => resolve({ code: 127, signalled: false }));
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), signalled: signal !== null });
    });
  });
  await Promise.race([pipes, delay(PIPES_GRACE_MS, undefined, { ref: false })]);
  return { status: result.code, ran: status.ran(result.signalled) };
}

function closeOf(stream: Readable): Promise<void> {
  return new Promise(resolve => void stream.once('close', resolve));
}

function feed(child: ChildProcess, fd: number, bytes: Uint8Array): void {
  const stream = child.stdio[fd];
  if (stream instanceof Writable) quiet(stream).end(bytes);
}

function keepTail(stream: Readable): () => string {
  let tail = '';
  quiet(stream).setEncoding('utf8').on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-MAX_STDERR_CHARACTERS);
  });
  return () => tail;
}

function readable(stream: unknown): Readable {
  return quiet(stream instanceof Readable ? stream : Readable.from([]));
}

/** A pipe to a process that died breaks; its end is what tells, so the broken pipe says nothing more. */
function quiet<S extends Readable | Writable>(stream: S): S {
  stream.on('error', () => undefined);
  return stream;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
