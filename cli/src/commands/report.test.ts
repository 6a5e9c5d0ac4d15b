import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, toUtf8, type Transport } from '@cloister/protocol';
import { anotherReport, createReportDesk, type ReportDesk } from '../testing/report-desk.js';
import { codeOf, runHere, type RunHere } from '../testing/run-here.js';

let desk: ReportDesk;
let own: readonly string[];
let a: string;
beforeAll(async () => {
  desk = await createReportDesk();
  own = ['--trust', await desk.put('trust.json', desk.trust), '--policy', await desk.put('policy.json', desk.policy)];
  a = await desk.put('a.json', desk.first.report);
}, 60_000);
afterAll(async () => desk.remove());

const noNetwork: Transport = async () => {
  throw new Error('the network was asked');
};
const run = async (...args: readonly string[]): Promise<RunHere> => runHere(['report', ...args], { home: join(desk.folder, 'no-home'), internet: noNetwork });

describe('diff', () => {
  test('0: a report and itself', async () => {
    const { exitCode, stdout } = await run('diff', a, a, ...own);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Nothing differs');
    expect(stdout.match(/VERIFIED/g)).toHaveLength(2);
    expect(readdirSync(desk.folder)).not.toContain('no-home');
  });

  test('1: says what differs, what nobody can tell and what is the same, in 80 columns', async () => {
    const b = await desk.put('b.json', (await anotherReport(desk, { outputs: { 'notebook.ipynb': toUtf8('{}') } })).report);
    const { exitCode, stdout } = await run('diff', a, b, ...own);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('number of outputs');
    expect(stdout).toMatch(/Nobody can tell\n {2}outputs/);
    expect(stdout.slice(stdout.indexOf('The same'))).toContain('code, environment, image');
    expect(stdout.slice(stdout.indexOf('They differ')).split('\n').filter(line => line.length > 80)).toEqual([]);
  });

  test('with both outputs opened, contents are compared', async () => {
    const made = await anotherReport(desk, { outputs: { 'notebook.ipynb': toUtf8('{}'), 'outputs/metrics.json': toUtf8('{"auc":2}') } });
    const b = await desk.put('c.json', made.report);
    const folders = ['--outputs-a', await desk.unseal('out-a', desk.first), '--outputs-b', await desk.unseal('out-b', made)];
    const { stdout } = await run('diff', a, b, ...folders, ...own);
    expect(stdout).toContain('outputs: outputs/metrics.json');
    expect(stdout).not.toContain('outputs: notebook.ipynb');
    expect(stdout).not.toContain('Nobody can tell\n  outputs');
    expect(codeOf(await run('diff', a, b, ...folders.slice(0, 2), ...own))).toBe('usage');
  });

  test('says first what each is worth: of reports that do not verify, nothing', async () => {
    const forged = await desk.put('forged.json', { ...desk.first.report, receipts: desk.first.report.receipts.slice(1) });
    const failed = await run('diff', a, forged, ...own);
    expect([failed.exitCode, failed.stdout.includes('NOT VERIFIED'), failed.stdout.includes('Their verdicts differ.')]).toEqual([1, true, true]);
    expect(failed.stdout.replace(/\s+/g, ' ')).toContain('this comparison is worth nothing.');
    expect((await run('diff', a, a)).stdout.replace(/\s+/g, ' ')).toContain('worth nothing yet');
    const json = (await run('diff', a, forged, ...own, '--json')).stdout;
    expect(JSON.parse(json)).toMatchObject({ schema: 'cloister.report-diff.v1', reports: [{ verdict: 'verified' }, { verdict: 'failed' }], exit: 1 });
    expect(json).toContain('"caution":"At least one of them does not verify.');
    expect(json).toContain('{"section":"code","status":"same"}');
  });

  test('what cannot be read has a code', async () => {
    const broken = await desk.put('broken.json', '{}');
    expect(codeOf(await run('diff', a, broken, ...own))).toBe('invalid_object');
    expect(codeOf(await run('diff', a, join(desk.folder, 'nowhere'), ...own))).toBe('usage');
    expect(codeOf(await run('diff', a, a, '--trust', join(desk.folder, 'nowhere')))).toBe('trust_missing');
  });
});

describe('export', () => {
  const target = (name: string): string => join(desk.folder, name);

  test('writes one page that others may read, and says its size, the verdict and what it tells', async () => {
    const file = target('page.html');
    const { stdout, exitCode, error } = await run('export', a, '--html', file, ...own);
    expect([error, exitCode]).toEqual([undefined, 0]);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain(Buffer.from(readFileSync(a)).toString('base64'));
    for (const { thumbprint } of desk.trust.owners) expect(page).toContain(thumbprint);
    for (const part of [' KiB', 'VERIFIED', 'hospital', 'registry', 'your policy', 'cloister verify']) expect(stdout).toContain(part);
    expect(readdirSync(desk.folder).filter(name => name.includes('partial'))).toEqual([]);
  });

  test('never over a file, but by --force', async () => {
    const file = await desk.put('mine.html', 'mine');
    const refused = await run('export', a, '--html', file, ...own);
    expect([codeOf(refused), readFileSync(file, 'utf8')]).toEqual(['file_exists', 'mine']);
    expect((await run('export', a, '--html', file, '--force', ...own)).exitCode).toBe(0);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test('a report that does not verify is exported with that said', async () => {
    const others = await desk.put('others.json', { ...desk.trust, images: [{ image: digestOf(toUtf8('another')), source: 'x' }] });
    const { stdout } = await run('export', a, '--html', target('failed.html'), '--trust', others, '--policy', own[3] ?? '');
    expect(stdout).toContain('NOT VERIFIED');
  });

  test('--json', async () => {
    const file = target('json.html');
    const { stdout } = await run('export', a, '--html', file, '--json', ...own);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'cloister.report-export.v1', file, size: statSync(file).size, verdict: 'verified' });
  });

  test('what is no report, and a place where nothing can be written, have a code; nothing is left behind', async () => {
    const broken = await desk.put('broken.json', '{}');
    const before = readdirSync(desk.folder);
    expect(codeOf(await run('export', broken, '--html', target('x.html'), ...own))).toBe('invalid_object');
    expect(codeOf(await run('export', a, '--html', join(desk.folder, 'nowhere/x.html'), ...own))).toBe('usage');
    expect(codeOf(await run('export', a, '--html', desk.folder, ...own))).toBe('file_exists');
    expect(readdirSync(desk.folder)).toEqual(before);
  });
});
