import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Digest } from '@cloister/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { cloister, jsonOf, type CliEnd } from '../harness/cli.js';
import { COUNT_ROWS, notebookOf, writeWorkspace } from '../harness/notebooks.js';
import { filesBelow, readOperatorDatabase } from '../harness/operator-files.js';
import { flip } from '../harness/refusals.js';
import { createWorld, type World } from '../harness/world.js';

const Opened = z.object({ verdict: z.string(), folder: z.string(), report: z.string(), checks: z.record(z.string(), z.string()) });

let world: World;
let workspace: string;
let submitted: CliEnd;
let opened: z.infer<typeof Opened>;

const run = async (...args: readonly string[]): Promise<CliEnd> => cloister(world.home, args, workspace);

beforeAll(async () => {
  world = await createWorld();
  workspace = world.newFolder();
  await writeWorkspace(workspace, COUNT_ROWS, { 'helper.py': 'x = 1\n' });
  submitted = await run('submit', 'analysis.ipynb', '--wait', '--yes');
  opened = Opened.parse(jsonOf(await run('outputs', 'latest', '--json')));
});
afterAll(async () => world.close());

describe('cloister submit --wait', () => {
  test('shows what is sent, what the policies say, each state, and how it ended', () => {
    expect(submitted).toMatchObject({ code: 0 });
    const said = submitted.stdout + submitted.stderr;
    for (const word of ['analysis.ipynb', 'helper.py', 'hospital/measurements', 'registry/outcomes', 'sha256:', 'attesting', 'running', 'sealing', 'succeeded']) {
      expect(said).toContain(word);
    }
  });

  test('names the job as every other command does', async () => {
    const job = Digest.parse(/sha256:[0-9a-f]{64}/.exec(submitted.stdout.slice(submitted.stdout.lastIndexOf('Job')))?.[0]);
    const listed = await run('jobs');
    expect(listed.stdout).toContain(job.slice(7, 15));
    expect(listed.stdout).toContain('succeeded');
    const shown = await run('show', job.slice(7, 15));
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toContain(job);
  });
});

describe('cloister outputs', () => {
  test('verifies, then puts notebook, outputs and report beside the notebook', () => {
    expect(opened.verdict).toBe('simulated');
    expect(opened.folder.startsWith(join(workspace, 'results'))).toBe(true);
    expect(filesBelow(opened.folder)).toEqual(['analysis.attestation.json', 'analysis.ipynb', 'index.json', 'outputs/counts.txt']);
    expect(readFileSync(join(opened.folder, 'outputs/counts.txt'), 'utf8')).toBe('4 4');
  });

  test('writes nothing over what is there', async () => {
    const before = filesBelow(workspace);
    const end = await run('outputs', 'latest');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('(file_exists)');
    expect(filesBelow(workspace)).toEqual(before);
  });
});

describe('cloister verify', () => {
  const verify = async (...more: readonly string[]): Promise<CliEnd> => run('verify', opened.report, ...more);

  test('exits with 3 where only a simulator vouches, and never says VERIFIED', async () => {
    const { code, stdout } = await verify('--outputs', opened.folder);
    expect(code).toBe(3);
    expect(stdout).toContain('SIMULATED ONLY');
    expect(stdout).not.toMatch(/^\s*VERIFIED/m);
  });

  test('exits with 1 where an output was changed', async () => {
    const copy = join(world.root, 'changed');
    cpSync(opened.folder, copy, { recursive: true });
    const file = join(copy, 'outputs/counts.txt');
    writeFileSync(file, flip(readFileSync(file)));
    expect((await verify('--outputs', copy)).code).toBe(1);
  });

  test('exits with 1 where the report was changed', async () => {
    const path = join(world.root, 'changed.attestation.json');
    writeFileSync(path, readFileSync(opened.report, 'utf8').replace(/("session":".*?attempt\\":)1/, '$12'));
    expect((await run('verify', path)).code).toBe(1);
    writeFileSync(path, 'no report');
    expect((await run('verify', path)).code).toBe(1);
  });

  test('exits with 2 where it could not check: no file, no trust, no policy, an owner who is not pinned', async () => {
    expect((await run('verify', join(world.root, 'nothing.json'))).code).toBe(2);
    const trust = join(world.root, 'trust.json');
    expect((await verify('--trust', trust)).code).toBe(2);
    writeFileSync(trust, JSON.stringify({ ...world.trust, owners: [] }));
    expect((await verify('--trust', trust)).code).toBe(2);
    expect((await verify('--policy', join(world.root, 'no-policy.json'))).code).toBe(2);
  });

  test('needs no daemon: it checks from files alone', async () => {
    await world.daemon().stop();
    try {
      expect((await verify()).code).toBe(3);
      expect(existsSync(join(world.home, 'run/gateway.sock'))).toBe(false);
    } finally {
      await world.restart();
    }
  });
});

describe('bad input', () => {
  const put = (name: string, text: string): string => putFile(join(world.newFolder(), name), text);

  test.each<{ what: string; notebook: () => string; code: string }>([
    { what: 'no notebook', notebook: () => 'nothing.ipynb', code: 'notebook_missing' },
    { what: 'a notebook that is not JSON', notebook: () => put('n.ipynb', '{'), code: 'notebook_not_json' },
    { what: 'an unknown asset', notebook: () => put('n.ipynb', notebookOf(['import cloister\ncloister.path("hospital/nothing")'])), code: 'asset_unknown' },
    { what: 'a computed asset name', notebook: () => put('n.ipynb', notebookOf(['import cloister\nname = str(1)\ncloister.path(name)'])), code: 'asset_not_literal' },
    { what: 'no asset and no custodian', notebook: () => put('n.ipynb', notebookOf(['print(1)'])), code: 'no_custodian' }
  ])('$what is refused in a sentence with a hint and the code $code, without a stack', async ({ notebook, code }) => {
    const jobs = readOperatorDatabase(world.home, database => database.count('jobs'));
    const end = await run('submit', notebook(), '--wait', '--yes');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(`(${code})`);
    expect(end.stderr).not.toMatch(/^\s+at /m);
    expect(readOperatorDatabase(world.home, database => database.count('jobs'))).toBe(jobs);
  });

  test('what looks like a secret is sent by nobody who did not say so', async () => {
    const notebook = put('n.ipynb', notebookOf([...COUNT_ROWS, 'aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"']));
    const end = await run('submit', notebook);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('(secret_likely)');
  });

  test('an unknown command, option or job is a mistake of use', async () => {
    expect((await run('sumbit', 'analysis.ipynb')).code).toBe(2);
    expect((await run('submit', 'analysis.ipynb', '--nonsense')).code).toBe(2);
    expect((await run('show', 'zzzz')).code).toBe(2);
  });

  test('with --json an error is a problem document on stdout', async () => {
    const end = await run('submit', 'nothing.ipynb', '--json');
    expect(jsonOf(end)).toMatchObject({ type: 'urn:cloister:error:notebook_missing' });
  });
});

test('a failed notebook shows its own traceback, and exits with an error', async () => {
  const notebook = putFile(join(world.newFolder(), 'failing.ipynb'), notebookOf(['import cloister\nraise ValueError("seen by her alone")' + '\ncloister.path("hospital/measurements")']));
  const end = await run('submit', notebook, '--wait', '--yes');
  expect(end.code).toBe(1);
  const shown = await run('outputs', 'latest');
  expect(shown.stdout).toContain('seen by her alone');
});

test('an owner stops her policy, and sees in her ledger what was released and what was denied', async () => {
  const ownerDir = world.hospital.owner.dir;
  expect(await run('policy', 'stop', 'measurements', '--owner', ownerDir)).toMatchObject({ code: 0 });
  const denied = await run('submit', 'analysis.ipynb', '--yes');
  expect(denied.code).toBe(1);
  expect(denied.stderr).toContain('(asset_denied)');
  const ledger = await run('ledger', 'show', '--owner', ownerDir);
  expect(ledger).toMatchObject({ code: 0 });
  expect(ledger.stdout).toContain('release');
  expect(ledger.stdout).toContain(world.agent.analyst.slice(0, 8));
});

test('B7 no command leaves a key or a row of the data in the daemon’s log', () => {
  const log = readFileSync(join(world.home, 'daemon.log'), 'utf8');
  expect(log).not.toContain('AGE-SECRET-KEY');
  const keys = z.object({ signing: z.object({ d: z.string() }) }).parse(JSON.parse(readFileSync(join(world.home, 'agent/keys.json'), 'utf8')));
  expect(log).not.toContain(keys.signing.d);
  expect(log).toContain('released');
});

function putFile(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
