import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identify, isAlive, kill, listProcesses, until, type ProcessIdentity } from './processes.js';
import { findSandboxed, killSandboxes, type Sandboxes } from './sandboxes.js';

const UNSHARE = ['unshare', '--user', '--map-root-user', '--pid', '--fork'];
const MARK = 'CLOISTER_SCRATCH=/x/job-0000000000000000-a1/scratch';

let root: string;
let launcher: ProcessIdentity;
let children: ChildProcess[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'clo-'));
  children = [];
  const self = await identify(process.pid);
  if (self === undefined) throw new Error('this process does not see itself');
  launcher = self;
});
afterEach(async () => {
  for (const child of children) if (child.pid !== undefined) kill(-child.pid, 'SIGKILL');
  await rm(root, { recursive: true, force: true });
});

const sandboxes = async (lines: readonly string[], changes: Partial<Sandboxes> = {}): Promise<Sandboxes> => {
  const list = join(root, 'scratch.sandboxes');
  await writeFile(list, lines.map(line => `${line}\n`).join(''));
  return { list, launcher, mark: MARK, ...changes };
};
const inodeOf = (pid: number | string): Promise<string> => stat(`/proc/${pid}/ns/pid`).then(({ ino }) => String(ino));
const pids = (found: readonly ProcessIdentity[]): number[] => found.map(({ pid }) => pid).sort();

/** Starts the command in a group of its own; gives the processes below it, once there are as many as wanted. */
async function start(command: readonly string[], wanted: number, env: Record<string, string> = {}): Promise<ProcessIdentity[]> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin', ...env } });
  children.push(child);
  let below: ProcessIdentity[] = [];
  const came = await until(10_000, async () => {
    const entries = await listProcesses();
    let above = [child.pid];
    below = [];
    while (above.length > 0) {
      const next = entries.filter(({ parent }) => above.includes(parent)).map(({ identity }) => identity);
      below.push(...next);
      above = next.map(({ pid }) => pid);
    }
    return below.length >= wanted;
  });
  if (!came) throw new Error('the processes do not start');
  return below;
}

async function only(command: readonly string[], env: Record<string, string> = {}): Promise<ProcessIdentity> {
  const [process] = await start(command, 1, env);
  if (process === undefined) throw new Error('nothing started');
  return process;
}

describe('processes of sandboxes', () => {
  test('all of a listed namespace are found and killed, and nobody else', async () => {
    const stranger = await only([...UNSHARE, 'sleep', '60']);
    const ours = await start([...UNSHARE, 'sh', '-c', 'setsid sleep 60 & sleep 60'], 3);
    const listed = await sandboxes([await inodeOf(ours[0]?.pid ?? 0)]);
    expect(pids(await findSandboxed(listed))).toEqual(pids(ours));
    await killSandboxes(listed);
    expect(await Promise.all(ours.map(isAlive))).not.toContain(true);
    expect(await isAlive(stranger)).toBe(true);
  });

  test('so are those of a namespace that was made inside', async () => {
    const [outer, ...rest] = await start([...UNSHARE, 'sh', '-c', 'unshare --pid --fork sleep 60 & sleep 60'], 4);
    const listed = await sandboxes([await inodeOf(outer?.pid ?? 0)]);
    expect(await findSandboxed(listed)).toHaveLength(1 + rest.length);
  });

  // Only looked for: to kill here by mistake would be to kill everything.
  test('the own namespace is refused, whatever is listed', async () => {
    const ours = await only([...UNSHARE, 'sleep', '60']);
    const own = await inodeOf('self');
    expect(await findSandboxed(await sandboxes([own]))).toEqual([]);
    expect(pids(await findSandboxed(await sandboxes([own, await inodeOf(ours.pid)])))).toEqual([ours.pid]);
  });

  test.each(['', '0', '-1', '+1', '0x10', '*', '9'.repeat(40), ' 4026531836', 'pid:[4026531836]'])('a line "%s" names nobody', async line => {
    expect(await findSandboxed(await sandboxes([line]))).toEqual([]);
  });

  test('without a list there is nobody', async () => {
    expect(await findSandboxed({ list: join(root, 'none'), launcher, mark: MARK })).toEqual([]);
  });

  test('a namespace that is older than the launcher only has the number of one of ours', async () => {
    const stranger = await only([...UNSHARE, 'sleep', '60']);
    const lines = [await inodeOf(stranger.pid)];
    expect(await findSandboxed(await sandboxes(lines, { launcher: { ...launcher, startTime: stranger.startTime + 1 } }))).toEqual([]);
    expect(await findSandboxed(await sandboxes(lines, { launcher: { ...launcher, boot: 'another' } }))).toEqual([]);
    expect(await findSandboxed(await sandboxes(lines))).toHaveLength(1);
  });

  test('a sandbox below another instance’s workload is left to that instance', async () => {
    const command = ['sh', '-c', `${UNSHARE.join(' ')} sleep 60; true`];
    const below = await start(command, 2, { CLOISTER_SCRATCH: '/y/job-1111111111111111-a1/scratch' });
    const own = await inodeOf('self');
    const inodes = await Promise.all(below.map(({ pid }) => inodeOf(pid)));
    const lines = inodes.filter(inode => inode !== own);
    expect(lines).toHaveLength(1);
    expect(await findSandboxed(await sandboxes(lines))).toEqual([]);
    expect(await findSandboxed(await sandboxes(lines, { mark: 'CLOISTER_SCRATCH=/y/job-1111111111111111-a1/scratch' }))).toHaveLength(1);
  });

  test('an environment that a notebook made up inside does not protect it', async () => {
    const command = [...UNSHARE, 'env', 'CLOISTER_SCRATCH=/y/job-1111111111111111-a1/scratch', 'sh', '-c', 'sleep 60 & sleep 60'];
    const ours = await start(command, 3);
    expect(await findSandboxed(await sandboxes([await inodeOf(ours[0]?.pid ?? 0)]))).toHaveLength(3);
  });

  test('a process whose first thread has ended lives as long as another thread does', async () => {
    const program = 'import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); ctypes.CDLL(None).pthread_exit(None)';
    const child = spawn('python3', ['-c', program], { detached: true, stdio: 'ignore' });
    children.push(child);
    const isZombie = async () => / Z /.test(await readFile(`/proc/${child.pid ?? 0}/stat`, 'utf8'));
    expect(await until(10_000, isZombie)).toBe(true);
    expect(await identify(child.pid ?? 0)).toMatchObject({ pid: child.pid });
  });
});
