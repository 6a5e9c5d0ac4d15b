import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DenialReason, digestOf, toTime, toUtf8, type ErrorCode } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { forgeBundle, forgeManifest, sendRaw } from '../harness/forge.js';
import { draft, ended, submit } from '../harness/jobs.js';
import { COUNT_ROWS, notebookOf, writeWorkspace } from '../harness/notebooks.js';
import { filesBelow, readOperatorDatabase } from '../harness/operator-files.js';
import { codeOf, refusal } from '../harness/refusals.js';
import { createWorld, type World } from '../harness/world.js';

const OTHER = digestOf(toUtf8('some other code'));

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => world.close());

interface BadWorkspace {
  readonly what: string;
  readonly code: ErrorCode;
  /** Spoils a folder with a sound notebook in it; gives the path to submit where it is another one. */
  readonly spoil: (folder: string) => string | undefined;
}

const bad = (what: string, code: BadWorkspace['code'], spoil: (folder: string) => unknown): BadWorkspace => ({
  what,
  code,
  spoil: folder => {
    const path = spoil(folder);
    return typeof path === 'string' ? path : undefined;
  }
});
const put = (folder: string, name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const WORKSPACES: readonly BadWorkspace[] = [
  bad('no notebook', 'notebook_missing', folder => join(folder, 'nothing.ipynb')),
  bad('a folder in place of the notebook', 'notebook_missing', folder => folder),
  bad('a notebook that is not JSON', 'notebook_not_json', folder => put(folder, 'analysis.ipynb', '{"cells": [')),
  bad('a notebook with a member twice', 'notebook_not_json', folder => put(folder, 'analysis.ipynb', notebookOf(COUNT_ROWS).replace('"nbformat":4', '"nbformat":3,"nbformat":4'))),
  bad('nbformat 3', 'notebook_unsupported', folder => put(folder, 'analysis.ipynb', JSON.stringify({ nbformat: 3, nbformat_minor: 0, metadata: {}, worksheets: [{ cells: [] }] }))),
  bad('a script in place of the notebook', 'notebook_unsupported', folder => put(folder, 'analysis.py', 'print(1)')),
  bad('an asset that nobody publishes', 'asset_unknown', folder => put(folder, 'analysis.ipynb', notebookOf(['import cloister\ncloister.read_csv("hospital/measurement")']))),
  bad('an asset of an owner whom she does not trust', 'asset_unknown', folder => put(folder, 'analysis.ipynb', notebookOf(['import cloister\ncloister.read_csv("clinic/measurements")']))),
  bad('a computed asset name', 'asset_not_literal', folder => put(folder, 'analysis.ipynb', notebookOf(['import cloister\nfor name in ["hospital/measurements"]:\n    cloister.read_csv(name)']))),
  bad('a notebook that is a symbolic link', 'workspace_unsafe', folder => {
    symlinkSync(join(folder, 'analysis.ipynb'), join(folder, 'link.ipynb'));
    return join(folder, 'link.ipynb');
  }),
  bad('a symbolic link to a secret', 'workspace_unsafe', folder => symlinkSync('/etc/passwd', join(folder, 'data.csv'))),
  bad('a linked folder that leads out', 'workspace_unsafe', folder => symlinkSync('/etc', join(folder, 'etc'))),
  bad('a name that climbs on another system', 'workspace_unsafe', folder => void put(folder, 'a\\..\\..\\up.txt', 'x')),
  bad('a name that turns the direction of text', 'workspace_unsafe', folder => void put(folder, 'a\u202etxt.py', 'x')),
  bad('a pipe', 'workspace_unsafe', folder => execFileSync('mkfifo', [join(folder, 'pipe')])),
  ...(process.getuid?.() === 0 ? [bad('a device', 'workspace_unsafe', folder => execFileSync('mknod', [join(folder, 'zero'), 'c', '1', '5']))] : []),
  bad('two files that differ only in case', 'workspace_case_clash', folder => [put(folder, 'Data.txt', 'a'), put(folder, 'data.txt', 'b')]),
  bad('two files that differ only in Unicode form', 'workspace_case_clash', folder => [put(folder, 'caf\u00e9.txt', 'a'), put(folder, 'cafe\u0301.txt', 'b')])
];

test.each(WORKSPACES)('$what is refused with $code, and nothing is stored', async ({ code, spoil }) => {
  const folder = world.newFolder();
  const notebook = await writeWorkspace(folder, COUNT_ROWS);
  const path = spoil(folder) ?? notebook;
  const before = await stored();
  const { code: actual, hint } = await refusal(world.agent.plan({ notebook: path }));
  expect(actual).toBe(code);
  expect(hint).not.toBe('');
  expect(await stored()).toEqual(before);
});

test('a socket in the workspace is refused', async () => {
  const folder = world.newFolder();
  const notebook = await writeWorkspace(folder, COUNT_ROWS);
  const server = createServer();
  await new Promise<void>(resolve => server.listen(join(folder, 's'), resolve));
  try {
    expect(await codeOf(world.agent.plan({ notebook }))).toBe('workspace_unsafe');
  } finally {
    server.close();
  }
});

test('an unknown name says which one was probably meant', async () => {
  const notebook = await writeWorkspace(world.newFolder(), ['import cloister\ncloister.read_csv("hospital/measurement")']);
  expect((await refusal(world.agent.plan({ notebook }))).hint).toContain('hospital/measurements');
});

test('a computed name runs where the analyst lists the assets by hand', async () => {
  const notebook = await writeWorkspace(world.newFolder(), ['import cloister\nname = "/".join(["hospital", "measurements"])\nprint(len(cloister.path(name).read_text()))']);
  const plan = await world.agent.plan({ notebook, assets: ['hospital/measurements'] });
  const { job } = await world.agent.submit({ plan, draft: await world.agent.draft(plan) });
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

test('a notebook without assets has no custodian; with one named it runs', async () => {
  const notebook = await writeWorkspace(world.newFolder(), ['print(1 + 1)']);
  const before = await stored();
  expect(await codeOf(async () => world.agent.draft(await world.agent.plan({ notebook })))).toBe('no_custodian');
  expect(await stored()).toEqual(before);
  const plan = await world.agent.plan({ notebook, custodians: ['registry'] });
  const { job } = await world.agent.submit({ plan, draft: await world.agent.draft(plan) });
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

test.each([
  { what: 'what was expected and what came', change: { code: [OTHER] }, denial: { rule: 'study', code: 'code', expected: [OTHER] } },
  { what: 'to an analyst who is not listed nothing of the terms', change: { analysts: [] }, denial: { code: 'analyst' } }
])('an asset whose policy would deny is told before anything is sent: $what', async ({ change, denial }) => {
  await world.hospital.allow('measurements', [world.rule(change)]);
  try {
    const before = await stored();
    const { code, detail, members } = await refusal(submit(world));
    expect(code).toBe('asset_denied');
    expect(detail).toContain('hospital/measurements');
    expect(detail).not.toContain('registry/outcomes');
    const denials = z.array(DenialReason).parse(members['denials']);
    expect(denials).toMatchObject([denial]);
    expect('actual' in (denials[0] ?? {})).toBe('expected' in denial);
    expect(await stored()).toEqual(before);
  } finally {
    await world.hospital.allow('measurements', [world.rule()]);
  }
});

test('an asset whose policy would deny is refused by the server too, where the agent does not ask', async () => {
  const drafted = await draft(world);
  await world.hospital.stop('measurements');
  try {
    const { job } = await world.agent.submit(drafted);
    expect(await ended(world, job)).toMatchObject({ state: 'failed', attempt: 0, code: 'released_never' });
    expect(await world.hospital.releases(job)).toEqual([]);
    expect(await world.registry.releases(job)).toEqual([]);
  } finally {
    await world.hospital.allow('measurements', [world.rule()]);
  }
});

test('an expired manifest is refused by the server', async () => {
  const forged = await forgeManifest(world, await draft(world), { notAfter: toTime(new Date(Date.now() - 1000)) });
  const jobs = readOperatorDatabase(world.home, database => database.count('jobs'));
  expect(await codeOf(sendRaw(world, forged))).toBe('manifest_expired');
  expect(readOperatorDatabase(world.home, database => database.count('jobs'))).toBe(jobs);
});

test('a manifest without custodians is no manifest', async () => {
  const drafted = await draft(world);
  const { code } = drafted.draft.manifest.payload;
  expect(await codeOf(forgeManifest(world, drafted, { code: { ...code, custodians: [] } }))).toBe('invalid_object');
});

test('a bundle with a path that leads out is refused in the enclave, before anything runs', async () => {
  const drafted = await draft(world);
  const { header } = drafted.draft.bundle;
  const entry = '../analysis.ipynb';
  const files = header.files.map(file => ({ ...file, path: entry }));
  const contents = new Map([...drafted.plan.made.contents.values()].map(content => [entry, content]));
  const { job } = await sendRaw(world, await forgeBundle(world, drafted, { header: { ...header, entry, files }, files: contents }));
  expect(await ended(world, job)).toMatchObject({ state: 'failed', code: 'bundle_invalid' });
});

test('a notebook with outputs, which no approver sees, is refused in the enclave', async () => {
  const drafted = await draft(world);
  const { header } = drafted.draft.bundle;
  const content = toUtf8(notebookOf(COUNT_ROWS));
  const digest = digestOf(content);
  const files = header.files.map(file => ({ ...file, size: content.length, digest }));
  const { job } = await sendRaw(world, await forgeBundle(world, drafted, { header: { ...header, files }, files: new Map([[header.entry, content]]) }));
  expect(await ended(world, job)).toMatchObject({ state: 'failed', code: 'notebook_not_canonical' });
});

test('the same idempotency key with the same notebook is the same job, with another notebook a conflict', async () => {
  const idempotencyKey = 'monday-run';
  const { agent } = world;
  const folder = world.newFolder();
  const notebook = await writeWorkspace(folder, COUNT_ROWS);
  const plan = await agent.plan({ notebook });
  const { job } = await agent.submit({ plan, draft: await agent.draft(plan) }, { idempotencyKey });
  const kept = await agent.findSubmission(idempotencyKey, await agent.plan({ notebook }));
  if (kept === undefined) throw new Error('the submission was forgotten');
  const jobs = readOperatorDatabase(world.home, database => database.count('jobs'));
  expect((await agent.resend(kept)).job).toBe(job);
  writeFileSync(notebook, notebookOf([...COUNT_ROWS, 'print("more")']));
  expect(await codeOf(async () => agent.findSubmission(idempotencyKey, await agent.plan({ notebook })))).toBe('idempotency_conflict');
  expect(readOperatorDatabase(world.home, database => database.count('jobs'))).toBe(jobs);
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

test('the server holds a key to the first manifest that came with it', async () => {
  const drafted = await draft(world);
  const [first, second] = [await forgeManifest(world, drafted, {}), await forgeManifest(world, drafted, {})];
  const { job } = await sendRaw(world, first, 'key-1');
  const jobs = readOperatorDatabase(world.home, database => database.count('jobs'));
  expect((await sendRaw(world, first, 'key-1')).job).toBe(job);
  expect(await codeOf(sendRaw(world, second, 'key-1'))).toBe('idempotency_conflict');
  expect(readOperatorDatabase(world.home, database => database.count('jobs'))).toBe(jobs);
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

test('after all of this the world still runs a job', async () => {
  const { job } = await submit(world);
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

/** What the operator keeps, and what the agent remembers to have sent. */
async function stored(): Promise<unknown> {
  const counts = readOperatorDatabase(world.home, database => [database.count('jobs'), database.count('files'), database.count('idempotency')]);
  return { counts, bundles: filesBelow(join(world.home, 'server/blobs/bundles')), sent: (await world.agent.records()).length };
}
