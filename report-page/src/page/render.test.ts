// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- jsdom has no types, and a module cannot declare another
/// <reference path="../testing/jsdom.d.ts" />
import { JSDOM } from 'jsdom';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { RUN_AT, changeReport, createTestPage, tamper } from '../testing/test-pages.js';
import type { ReportPageInput } from '../build-report-page.js';
import type { EmbeddedData } from './embedded-data.js';
import { verifyEmbedded, type Outcome } from './outcome.js';
import type { Frame } from './parts/banner.js';
import { openInPrint } from './print.js';
import { render, renderObstacle } from './render.js';

let genuine: ReportPageInput;
let simulated: ReportPageInput;
let frame: Frame;

beforeAll(async () => {
  genuine = await createTestPage({ genuine: true });
  simulated = await createTestPage();
  // In Node's own realm: jsdom's has other byte arrays, and cryptography refuses them.
  const { window } = new JSDOM('<!doctype html><title>-</title>');
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', window.document);
});

afterAll(() => void vi.unstubAllGlobals());

beforeEach(() => {
  document.body.replaceChildren();
  const [page, banner, verdict, running, contents] = Array.from({ length: 5 }, () => document.createElement('div'));
  if (page === undefined || banner === undefined || verdict === undefined || running === undefined || contents === undefined) throw new Error('five were made');
  document.body.append(running, page);
  page.append(banner, contents);
  banner.append(verdict);
  frame = { page, banner, verdict, running, contents };
});

async function open({ report, trust, policy }: ReportPageInput, change: (outcome: Outcome) => Outcome = same): Promise<string> {
  const data: EmbeddedData = { report: report.slice(), trust, exportedAt: '2026-06-02T08:30:00.000Z', ...(policy === undefined ? {} : { policy }) };
  render(frame, change(await verifyEmbedded(data, RUN_AT)), data);
  return document.body.textContent;
}

const same = (outcome: Outcome): Outcome => outcome;

test.each<[string, () => ReportPageInput, string, string]>([
  ['verified', () => genuine, 'Verified', 'tone-good'],
  ['simulated', () => simulated, 'Simulated', 'tone-caution'],
  ['tampered', () => changeReport(genuine, tamper), 'Not verified', 'tone-bad'],
  ['without a policy', () => ({ ...genuine, policy: undefined }), 'Could not check', 'tone-caution']
])('says what was found in a report that is %s, green only where it is verified', async (_, page, words, tone) => {
  await open(page());
  expect(frame.verdict.querySelector('h1')?.textContent).toBe(words);
  expect(Array.from(frame.banner.classList)).toEqual([tone]);
  expect(frame.running.textContent).toContain(`${words}: attestation report of`);
  expect(document.title).toContain(words);
  expect(frame.page.classList.contains('is-verified')).toBe(words === 'Verified');
});

test('lists the whole trust, the policy and the checks', async () => {
  const text = await open(genuine);
  const { trust, policy } = genuine;
  for (const owner of trust.owners) expect(text).toContain(owner.thumbprint);
  for (const { issuer, roots, jwks, source } of trust.verifiers) {
    for (const part of [issuer, source, ...roots.map(root => root.fingerprint), ...jwks.flatMap(set => [set.source, ...set.keys.map(key => key.n)])]) expect(text).toContain(part);
  }
  for (const { image, source } of trust.images) expect(text).toContain(image + source);
  expect(document.querySelectorAll('#policy dt')).toHaveLength(Object.keys(policy ?? {}).length);
  expect(text).toContain('This page was made by someone. It shows what its verifier found with the trust inside it. To be sure, check the report with your own:');
  expect(text).toMatch(/cloister verify [0-9a-f]{12}-1\.attestation\.json --trust your-trust\.json/);
});

test('every check has its title, its id and a word for its answer', async () => {
  let checks: Outcome['checks'] = [];
  await open(genuine, outcome => {
    checks = outcome.checks;
    return outcome;
  });
  const shown = Array.from(document.querySelectorAll('.check'), item => item.querySelector('code')?.textContent);
  expect([...shown].sort()).toEqual(checks.map(check => check.id).sort());
  expect(document.querySelectorAll('.check-status')).toHaveLength(checks.length);
});

test('what a check compared is shown where it did not pass, and folded groups are those that passed', async () => {
  const text = await open({ ...genuine, trust: { ...genuine.trust, images: [{ image: genuine.trust.images[0]?.image ?? never(), source: 'x' }] } }, outcome => ({
    ...outcome,
    verdict: 'failed',
    checks: outcome.checks.map(check => (check.id === 'image' ? { ...check, status: 'fail', expected: 'the expected image', actual: '', hint: 'Do this.' } : check))
  }));
  expect(text).toContain('Expectedthe expected imageFound(nothing)');
  expect(text).toContain('Do this.');
  for (const details of Array.from(document.querySelectorAll<HTMLDetailsElement>('.question'))) expect(details.open).toBe(!details.classList.contains('is-pass'));
});

test('hostile text stays text, with everything unseen written out', async () => {
  const hostile = '</script><img src=x onerror=hacked()>\u202egnp\u2028\u0000';
  const [image] = genuine.trust.images;
  const text = await open({ ...genuine, trust: { ...genuine.trust, images: [{ image: image?.image ?? never(), source: hostile }] } }, outcome => ({
    ...outcome,
    verdict: 'failed',
    checks: outcome.checks.map(({ id }) => ({ id: id + hostile, title: hostile, status: 'fail', expected: hostile, actual: hostile.repeat(10_000), hint: hostile }))
  }));
  expect(document.querySelectorAll('img, script')).toHaveLength(0);
  expect(text).toContain('</script><img src=x onerror=hacked()>U+202EgnpU+2028U+0000');
  expect(text).not.toMatch(/[\u202e\u2028\0]/);
});

test('a file that is no report: what is wrong, the trust, and no questions', async () => {
  const text = await open(changeReport(genuine, () => '{'));
  expect(text).toContain('This file cannot be read as an attestation report: not JSON');
  expect(document.querySelector('#checks')).toBeNull();
  expect(document.querySelector('#trust')).not.toBeNull();
  expect(text).toContain('cloister verify report.attestation.json');
});

test('where nothing could be verified there is no verdict, and the report is still offered', () => {
  const { report, trust } = genuine;
  renderObstacle(frame, { why: 'No cryptography.', next: 'Do that.' }, { report: report.slice(), trust, exportedAt: '2026-06-02T08:30:00.000Z' });
  expect(frame.verdict.textContent).toBe('Nothing was verifiedNo cryptography. The report may be good or bad. Do that.');
  expect(document.querySelectorAll('.icon')).toHaveLength(0);
  expect(document.querySelector('a[download]')?.getAttribute('href')).toMatch(/^blob:/);
});

test('everything is open in print and folded again afterwards', async () => {
  await open(genuine);
  openInPrint(window);
  const open_ = (): number => document.querySelectorAll('details[open]').length;
  const [before, all] = [open_(), document.querySelectorAll('details').length];
  window.dispatchEvent(new window.Event('beforeprint'));
  expect(open_()).toBe(all);
  window.dispatchEvent(new window.Event('afterprint'));
  expect(open_()).toBe(before);
});

function never(): never {
  throw new Error('the page has an image');
}
