import { expect, test } from 'vitest';

import { processesOf, reap } from './reaper.js';
import { findSandbox } from './sandbox-form.js';
import { startSandbox, type Sandbox } from './sandbox-process.js';

const root = { readOnly: [], writable: [], workingFolder: '/', environment: {} };

async function start(command: readonly string[]): Promise<Sandbox> {
  const sandbox = startSandbox(await findSandbox(), { root, command });
  sandbox.stdout.resume();
  return sandbox;
}

async function said(sandbox: Sandbox): Promise<string> {
  for await (const chunk of sandbox.stdout) return String(chunk);
  return '';
}

test('the processes of a sandbox are found by its pid namespace, daemons with another environment too', async () => {
  const command = ['/bin/sh', '-c', 'setsid env -i sleep 1000 & echo up; exec sleep 1000'];
  const sandbox = startSandbox(await findSandbox(), { root, command });
  expect(await said(sandbox)).toBe('up\n');
  // bubblewrap outside, its init inside, and the two sleepers (setsid may not have become env yet).
  expect((await processesOf([sandbox.trace])).length).toBeGreaterThanOrEqual(4);
  expect(await processesOf([{ ...sandbox.trace, mark: 'another' }])).toHaveLength((await processesOf([sandbox.trace])).length - 1);
  await reap([sandbox.trace]);
  expect(await processesOf([sandbox.trace])).toEqual([]);
  await sandbox.ended;
});

test('a sandbox whose bubblewrap is killed while it starts leaves nothing, whenever the kill comes', async () => {
  for (let delayMs = 0; delayMs < 12; delayMs++) {
    const sandbox = await start(['/bin/sh', '-c', 'setsid sleep 1000 & exec sleep 1000']);
    await new Promise(resolve => setTimeout(resolve, delayMs));
    sandbox.kill();
    await sandbox.ended;
    await reap([sandbox.trace]);
    expect(await processesOf([sandbox.trace])).toEqual([]);
  }
});

test.each([
  ['exit 0', { status: 0, ran: true }],
  ['exit 3', { status: 3, ran: true }],
  ['kill -KILL $$', { status: 137, ran: true }],
  ['kill -SEGV $$', { status: 139, ran: true }]
])('%s: how the command ended is told', async (script, end) => {
  const sandbox = await start(['/bin/sh', '-c', script]);
  expect(await sandbox.ended).toEqual(end);
  await reap([sandbox.trace]);
});

test('a sandbox that cannot be made is told from a command that fails', async () => {
  const form = await findSandbox();
  const sandbox = startSandbox(form, { root: { ...root, readOnly: [{ from: '/nowhere', to: '/x' }] }, command: ['/bin/true'] });
  sandbox.stdout.resume();
  expect(await sandbox.ended).toMatchObject({ ran: false });
  expect(sandbox.stderr()).toContain('/nowhere');
});

test('inside: no host path in the first process’s arguments, no pipe of the options, no setting of the host to change', async () => {
  const form = await findSandbox();
  const script = 'tr "\\0" " " </proc/1/cmdline; ls /proc/self/fd | tr "\\n" " "; echo x >/proc/sys/kernel/core_pattern';
  const sandbox = startSandbox(form, { root, command: ['/bin/sh', '-c', script] });
  let text = '';
  sandbox.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await sandbox.ended;
  const fresh = form.kind === 'fresh-proc';
  expect(text).toBe(fresh ? `${form.bubblewrap} --args 3 -- /bin/sh -c ${script} 0 1 2 3 ` : '');
  expect(sandbox.stderr()).toContain(fresh ? 'Read-only file system' : 'nonexistent');
});
