import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

import { MIB, forgetPeak, memoryOf, peakDuring, requireMemory } from './process-memory.js';
import { argumentsOf, descendantsOf, endProcesses, timeCommand } from './processes.js';

const children: ChildProcess[] = [];
const { signal } = new AbortController();

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A Node process that runs `script`; resolves when it has printed its first line. */
async function start(script: string): Promise<{ pid: number; child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const line = await new Promise<string>(resolve => child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim())));
  if (child.pid === undefined) throw new Error('not started');
  return { pid: child.pid, child, line };
}

const PARENT = `const child = require('node:child_process').spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => undefined, 1000)']);
child.stdout.once('data', () => console.log(child.pid)); setInterval(() => undefined, 1000);`;

test('what a process started is found below it and below us, and ends when it is told to', async () => {
  const parent = await start(PARENT);
  const below = descendantsOf(parent.pid);
  expect(below.map(({ pid }) => String(pid))).toEqual([parent.line]);
  expect(descendantsOf(process.pid).map(({ pid }) => pid)).toEqual(expect.arrayContaining([parent.pid, Number(parent.line)]));
  await endProcesses(below, 5000);
  expect(descendantsOf(parent.pid)).toEqual([]);
  expect(parent.child.exitCode ?? parent.child.signalCode).toBeNull();
});

test('a process that has another start time is another one, and is left alone', async () => {
  const { pid, child } = await start('console.log(1); setInterval(() => undefined, 1000)');
  await endProcesses([{ pid, startedAt: '1' }], 5000);
  expect(child.exitCode ?? child.signalCode).toBeNull();
  expect(argumentsOf(pid)[1]).toBe('-e');
});

test('a process that does not want to end is killed', async () => {
  const { pid, child } = await start('process.on("SIGTERM", () => undefined); console.log(1); setInterval(() => undefined, 1000)');
  const exited = once(child, 'exit');
  await endProcesses(descendantsOf(process.pid).filter(found => found.pid === pid), 100);
  expect(await exited).toEqual([null, 'SIGKILL']);
});

test('a command is timed to its end, with its output where it was asked for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cloister-bench-test-'));
  try {
    const stdout = join(folder, 'out');
    expect(await timeCommand({ command: 'sh', args: ['-c', 'pwd'], cwd: folder, stdout, signal })).toBeGreaterThan(0);
    expect(readFileSync(stdout, 'utf8')).toBe(`${folder}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  { command: 'sh', args: ['-c', 'echo why >&2; exit 3'], says: 'ended with 3: why' },
  { command: 'sh', args: ['-c', 'kill -9 $$'], says: 'ended with a signal' },
  { command: 'cloister-no-such-program', args: [], says: 'ENOENT' }
])('a command that fails is no time: $says', async ({ command, args, says }) => {
  await expect(timeCommand({ command, args, signal })).rejects.toThrow(says);
});

test('memory is what a process holds now, and its peak is what it held since it was forgotten', async () => {
  const { pid, child } = await start(`let held = Buffer.alloc(${200 * MIB}, 1); console.log(held.length);
    process.stdin.once('data', () => { held = undefined; global.gc(); console.log('freed') });
    require('node:v8').setFlagsFromString('--expose-gc'); global.gc = require('node:vm').runInNewContext('gc')`);
  const full = requireMemory(pid);
  expect(full.now).toBeGreaterThan(200 * MIB);
  expect(full.anonymous).toBeGreaterThan(200 * MIB);
  const freed = once(child.stdout ?? child, 'data');
  child.stdin?.write('free\n');
  await freed;
  // The kernel counts pages in batches, so the two may differ by a few.
  expect(requireMemory(pid).peak).toBeGreaterThan(full.now - MIB);
  // Node gives the memory back from a thread of its own.
  const newPeak = (): number => {
    forgetPeak(pid);
    return requireMemory(pid).peak;
  };
  await expect.poll(newPeak, { timeout: 10_000 }).toBeLessThan(150 * MIB);
});

test('the peak of a process that ends is kept; of one that never was there is none', async () => {
  let pid: number | undefined;
  let looked: () => void = () => undefined;
  const find = (): number | undefined => {
    if (pid !== undefined) looked();
    return pid;
  };
  const peak = await peakDuring(find, async () => {
    const { child, ...started } = await start(`const held = Buffer.alloc(${200 * MIB}, 1); console.log(held.length); process.stdin.once('data', () => process.exit())`);
    const exited = once(child, 'exit');
    await new Promise<void>(resolve => {
      looked = resolve;
      pid = started.pid;
    });
    child.stdin?.write('end\n');
    await exited;
  });
  expect(peak).toBeGreaterThan(200 * MIB);
  expect(pid === undefined || memoryOf(pid)).toBeUndefined();
  await expect(peakDuring(() => undefined, async () => undefined)).rejects.toThrow('was not seen');
  expect(() => requireMemory(pid)).toThrow('has ended');
});
