import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError, type Digest } from '@cloister/protocol';
import { createWorkbench, READS_BOTH, type Workbench } from '../testing/workbench.js';

let bench: Workbench;
let elsewhere: string;
beforeEach(async () => {
  bench = await createWorkbench();
  elsewhere = join(bench.home, 'elsewhere');
  await mkdir(elsewhere);
});
afterEach(async () => bench.close());

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AppError ? error.code : String(error))
  );

async function finished(): Promise<Digest> {
  const plan = await bench.agent.plan({ notebook: await bench.put('sub/study.ipynb', READS_BOTH) });
  const { job } = await bench.agent.submit({ plan, draft: await bench.agent.draft(plan) });
  await bench.finish(job);
  return job;
}

describe('results do not follow a link out of the notebook’s folder', () => {
  test('in the place of results/', async () => {
    const job = await finished();
    await symlink(elsewhere, join(bench.workspace, 'sub/results'));
    expect(await codeOf(bench.agent.results(job))).toBe('workspace_unsafe');
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('further down, where a folder was named', async () => {
    const job = await finished();
    await mkdir(join(bench.workspace, 'sub/a'));
    await symlink(elsewhere, join(bench.workspace, 'sub/a/b'));
    expect(await codeOf(bench.agent.results(job, { into: join(bench.workspace, 'sub/a/b/c') }))).toBe('workspace_unsafe');
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('a folder elsewhere is the person’s own choice', async () => {
    const job = await finished();
    const into = join(bench.workspace, 'new/place');
    expect((await bench.agent.results(job, { into })).folder).toBe(into);
  });
});

describe('a report that is no plain file of a fit size is not read', () => {
  const MADE: readonly (readonly [string, string, (path: string) => Promise<unknown>])[] = [
    ['a pipe that nobody writes to', 'usage', async path => Promise.resolve(execFileSync('mkfifo', [path]))],
    ['a folder', 'usage', async path => mkdir(path)],
    ['a device', 'usage', async path => symlink('/dev/zero', path)],
    ['nothing', 'usage', async () => undefined],
    ['a file of a tebibyte', 'payload_too_large', async path => {
      const handle = await open(path, 'w');
      await handle.truncate(1024 ** 4);
      await handle.close();
    }]
  ];
  test.each(MADE)('%s', async (_, code, make) => {
    const path = join(bench.workspace, 'x.attestation.json');
    await make(path);
    expect(await codeOf(bench.agent.verify(path))).toBe(code);
  });

  test('a small file that is no report is checked, and fails', async () => {
    const path = join(bench.workspace, 'x.attestation.json');
    await writeFile(path, 'no');
    expect((await bench.agent.verify(path)).verdict).toBe('failed');
  });
});
