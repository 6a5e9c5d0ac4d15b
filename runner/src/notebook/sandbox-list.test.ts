import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

import { processesOf, reap } from './reaper.js';
import { findSandbox } from './sandbox-form.js';
import { createSandboxList, type SandboxList } from './sandbox-list.js';
import { startSandbox, type Sandbox } from './sandbox-process.js';

const folder = mkdtempSync(join(tmpdir(), 'sandbox-list-'));
const root = { readOnly: [], writable: [], workingFolder: '/', environment: {} };

afterAll(() => rmSync(folder, { recursive: true }));

async function start(list: SandboxList, script: string): Promise<Sandbox> {
  return startSandbox({ ...(await findSandbox()), list }, { root, command: ['/bin/sh', '-c', script] });
}

async function said(sandbox: Sandbox): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of sandbox.stdout) {
    chunks.push(String(chunk));
    if (chunks.join('').endsWith('\n')) break;
  }
  return chunks.join('').trim();
}

test('a sandbox is on the list before its command runs, and off it when none of its processes lives', async () => {
  const path = join(folder, 'scratch.sandboxes');
  const list = createSandboxList(path);
  const first = await start(list, 'echo up; exec sleep 1000');
  const second = await start(list, 'echo up; exec sleep 1000');
  await Promise.all([said(first), said(second)]);
  const lines = readFileSync(path, 'utf8').split('\n');
  const inodeOf = ({ trace }: Sandbox) => /^pid:\[(\d+)\]$/.exec([...trace.pidNamespaces][0] ?? '')?.[1];
  expect(lines.sort()).toEqual(['', inodeOf(first), inodeOf(second)].sort());
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const [process] = await processesOf([{ ...first.trace, mark: 'another' }]);
  expect(statSync(`/proc/${process}/ns/pid`).ino).toBe(Number(inodeOf(first)));
  await reap([first.trace]);
  // Its number may be given to a namespace of somebody else now.
  expect(readFileSync(path, 'utf8')).toBe(`${inodeOf(second)}\n`);
  await reap([second.trace]);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
  await Promise.all([first.ended, second.ended]);
});

test('what cannot be written down does not run', async () => {
  await expect(findSandbox(createSandboxList('/nonexistent/scratch.sandboxes'))).rejects.toMatchObject({ code: 'sandbox_unavailable' });
  const sandbox = await start(createSandboxList('/nonexistent/scratch.sandboxes'), 'echo ran');
  expect(await sandbox.ended).toMatchObject({ ran: false });
  await reap([sandbox.trace]);
  expect(await said(sandbox)).toBe('');
});

test('nothing of the command runs while the list is written', async () => {
  const seen: string[] = [];
  const list: SandboxList = {
    env: {},
    add: inode => {
      for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
        try {
          if (statSync(`/proc/${pid}/ns/pid`).ino === inode) seen.push(readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
        } catch {
          // Another process that ended meanwhile.
        }
      }
    },
    remove: () => undefined
  };
  const sandbox = await start(list, 'echo up');
  expect(await said(sandbox)).toBe('up');
  expect(seen).toEqual(['bwrap']);
  await sandbox.ended;
  await reap([sandbox.trace]);
});
