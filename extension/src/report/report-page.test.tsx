// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest';
import { cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { nullTranslator } from '@jupyterlab/translation';
import { Digest, type ShownCheck, type ShownStatus, type Verdict } from '@cloister/protocol';
import type { IProblem } from '../model/problem';
import { ReportPage } from './report-page';
import type { IReportState } from './report-state';
import type { IReportView, IRunView, ISignerView } from './report-view';

vi.mock('@jupyterlab/ui-components', async () => (await import('../jobs/testing/lab-stand-ins')).uiComponents());

afterEach(cleanup);

const trans = nullTranslator.load('cloister');
const DIGEST = Digest.parse(`sha256:${'ab'.repeat(32)}`);
const TIME = '2026-03-01T12:00:00.000Z';

const RUN: IRunView = {
  job: DIGEST,
  attempt: 1,
  outcome: 'succeeded',
  cells: { done: 3, total: 3 },
  code: DIGEST,
  environment: 'image',
  image: DIGEST,
  analyst: 'A'.repeat(43),
  started: TIME,
  ended: TIME,
  notAfter: TIME,
  inputs: [
    { asset: 'visits', owner: { key: 'K'.repeat(43), pinnedAs: 'hospital' }, digest: DIGEST, version: 1, kind: 'dataset', mediaType: 'text/csv', size: 2048, policy: DIGEST, broker: 'B'.repeat(43), released: TIME }
  ],
  outputs: [{ name: 'index', digest: DIGEST }],
  brokers: 2,
  witnesses: []
};

const check = (id: string, title: string, status: ShownStatus, more: Partial<ShownCheck> = {}): ShownCheck => ({ id, title, status, ...more });
const problem = (code: string, title: string, hint: string): IProblem => ({ code, title, hint });

const PASSED: ShownCheck = check('code', 'It ran exactly the code', 'pass');

function stateOf(view: Partial<IReportView>, more: Partial<IReportState> = {}): IReportState {
  const token = { raw: 'a.b.c', issuer: 'https://verifier.test', header: [{ path: 'alg', value: 'RS256' }], claims: [{ path: 'hwmodel', value: 'GCP_AMD_SEV' }, { path: 'odd', value: '1' }], leftOut: 0 };
  return {
    path: 'results/run/run.attestation.json',
    checking: false,
    checkedAt: new Date(TIME),
    trust: { kind: 'own', where: '/home/ada/cloister', owners: 2, verifiers: 1, images: 1, hasPolicy: true },
    view: { verdict: 'verified', checks: [PASSED], run: RUN, token, ...view },
    ...more
  };
}

const show = (state: IReportState, handlers: { readonly onCheckAgain?: () => void; readonly onDownload?: () => void } = {}): HTMLElement =>
  render(<ReportPage state={state} trans={trans} onCheckAgain={() => undefined} onDownload={() => undefined} {...handlers} />).container;

test.each<[Verdict, string]>([
  ['verified', 'Verified'],
  ['failed', 'Not verified'],
  ['inconclusive', 'Could not check'],
  ['simulated', 'Simulated']
])('%s: the largest words say “%s”, and only verified is green', (verdict, words) => {
  const page = show(stateOf({ verdict }));
  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe(words);
  expect(page.querySelectorAll('.jp-mod-good').length).toBe(verdict === 'verified' ? 1 : 0);
  expect(page.querySelector('article')?.classList.contains('jp-mod-verified')).toBe(verdict === 'verified');
});

test('the first thing to be read is the verdict, then what it means and does not prove, then the questions', () => {
  show(stateOf({}));
  expect(screen.getAllByRole('heading').map(heading => heading.textContent)).toEqual([
    'Verified', 'What this means', 'What it does not prove', 'Questions', 'Inputs', 'hospital/visits', 'Outputs', 'Times', 'Witnesses', 'Evidence', 'Check it yourself'
  ]);
  expect(screen.getByText(/2 owners, 1 verifier, 1 runner image/)).toBeTruthy();
  expect(screen.getByText('/home/ada/cloister')).toBeTruthy();
  expect(screen.getByText('https://verifier.test')).toBeTruthy();
});

test('a question whose answer is not yes is open, and shows both sides and the next step', () => {
  const failed: ShownCheck = check('image', 'The runner is an accepted program', 'fail', { expected: '["sha256:aa"]', actual: 'sha256:bb', hint: 'Rebuild it.' });
  show(stateOf({ verdict: 'failed', checks: [PASSED, failed] }));
  const [passed, open] = screen.getAllByRole('group');
  expect(passed?.hasAttribute('open')).toBe(false);
  expect(open?.hasAttribute('open')).toBe(true);
  expect(open?.textContent).toContain('No');
  for (const text of ['["sha256:aa"]', 'sha256:bb', 'Rebuild it.', 'Failed', 'image']) expect(within(open ?? document.body).getByText(text)).toBeTruthy();
});

test('where nothing was there to compare it says so', () => {
  show(stateOf({ verdict: 'failed', checks: [check('restart', 'The program runs once', 'fail', { expected: 'Never', actual: '' })] }));
  expect(screen.getByText('(nothing)')).toBeTruthy();
});

test('a simulated check never says that it passed', () => {
  const page = show(stateOf({ verdict: 'simulated', checks: [check('hardware', 'The hardware is of an accepted kind', 'simulated')] }));
  expect(page.textContent).not.toContain('Passed');
  expect(screen.getAllByText('Simulated').length).toBeGreaterThan(1);
});

test('an owner whom nobody pinned is shown by the key, whatever the asset is called', () => {
  const [input] = RUN.inputs;
  if (input === undefined) throw new Error('no input');
  show(stateOf({ verdict: 'inconclusive', run: { ...RUN, inputs: [{ ...input, asset: 'hospital/visits', owner: { key: 'K'.repeat(43) } }] } }));
  expect(screen.getByText('Owner not pinned')).toBeTruthy();
  expect(screen.getByText('K'.repeat(12))).toBeTruthy();
});

const WITNESSES = [{ broker: 'B'.repeat(43), owners: ['hospital'], time: TIME }, { broker: 'C'.repeat(43), owners: [], time: TIME }];

test('witnesses are named with their times; where there are none, it says calmly what that means', () => {
  show(stateOf({ checks: [check('witnesses', 'Brokers saw it', 'pass')], run: { ...RUN, witnesses: WITNESSES } }));
  const rows = within(screen.getByRole('region', { name: 'Witnesses' })).getAllByRole('row').map(row => row.textContent);
  expect(rows.slice(1)).toEqual([expect.stringMatching(/^hospitalBBBBBBBBBBBB/), expect.stringMatching(/^Nobody that you knowCCCCCCCCCCCC/)]);
  expect(screen.getByText(/^2 of 2 brokers/)).toBeTruthy();
  cleanup();
  show(stateOf({ checks: [check('witnesses', 'Brokers saw it', 'skipped')] }));
  expect(screen.getByText(/^No broker witnessed this report\. A verdict does not need it\./)).toBeTruthy();
});

test.each<ShownStatus | undefined>(['fail', 'skipped', 'unknown', undefined])('witnesses whose check says %s are not listed as if they saw it', status => {
  show(stateOf({ verdict: 'failed', checks: status === undefined ? [PASSED] : [check('witnesses', 'Brokers saw it', status)], run: { ...RUN, witnesses: WITNESSES } }));
  expect(within(screen.getByRole('region', { name: 'Witnesses' })).queryByRole('table')).toBeNull();
  expect(screen.getByText(/they do not fit this report/)).toBeTruthy();
});

test.each<[string, ISignerView, RegExp[]]>([
  ['a key', { kind: 'intel', key: { id: 'k-1', algorithm: 'PS384', source: 'https://keys.test', seen: TIME } }, [/Intel Trust Authority/, /A key that you pinned k-1/, /https:\/\/keys\.test seen /]],
  ['a root', { kind: 'google', root: { fingerprint: DIGEST, source: 'a file' } }, [/Google Cloud Attestation/, /up to a root that you pinned abababababab/, /a file/]],
  ['a simulator', { kind: 'simulator' }, [/A simulator, which proves nothing about hardware/, /Not confirmed/]],
  ['nobody', {}, [/Nobody whom you trust/, /Not confirmed/]]
])('the evidence names who signed: %s', (_name, signer, texts) => {
  const token = { raw: 'a.b.c', issuer: 'https://verifier.test', signer, header: [], claims: [], leftOut: 0 };
  show(stateOf({ token }));
  const evidence = screen.getByRole('region', { name: 'Evidence' }).textContent;
  for (const text of texts) expect(evidence).toMatch(text);
});

test('claims have their meaning beside them, or the remark that nobody knows it', () => {
  show(stateOf({}));
  fireEvent.click(screen.getByText(/claim by claim/));
  expect(screen.getByText(/hardware that protects/)).toBeTruthy();
  expect(screen.getByText('Not in the dictionary.')).toBeTruthy();
});

test('the file can be checked again, downloaded, and verified by a command', () => {
  const [onCheckAgain, onDownload] = [vi.fn(), vi.fn()];
  show(stateOf({}), { onCheckAgain, onDownload });
  fireEvent.click(screen.getByRole('button', { name: 'Check again' }));
  fireEvent.click(screen.getByRole('button', { name: 'Download the report' }));
  expect([onCheckAgain.mock.calls.length, onDownload.mock.calls.length]).toEqual([1, 1]);
  expect(screen.getByText('cloister verify results/run/run.attestation.json')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Copy the command' })).toBeTruthy();
});

test('what the agent saw in the folder is named as its word, and changed files spoil the verdict', () => {
  const outputs: ShownCheck = check('opened_outputs', 'The opened outputs are the ones of the statement', 'fail', { expected: 'x', actual: 'y' });
  show(stateOf({}, { comparison: { kind: 'done', folder: 'results/run', verdict: 'failed', outputs } }));
  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Not verified');
  expect(screen.getByText('The files beside the report are not the ones that it is about.')).toBeTruthy();
  expect(screen.getByText('The agent also compared the files in this folder: results/run')).toBeTruthy();
  expect(screen.getByText('cloister verify results/run/run.attestation.json --outputs results/run')).toBeTruthy();
});

test.each<[Verdict, Verdict, number]>([
  ['verified', 'verified', 2],
  ['failed', 'verified', 0],
  ['inconclusive', 'verified', 0],
  ['verified', 'simulated', 1]
])('where the page says %s and the agent says %s of the same file, %i boxes are green', (verdict, agents, green) => {
  const page = show(stateOf({ verdict }, { comparison: { kind: 'done', folder: 'results/run', verdict: agents, outputs: check('opened_outputs', 'The opened outputs are the ones of the statement', 'pass') } }));
  expect(page.querySelectorAll('.jp-mod-good')).toHaveLength(green);
});

test('without trust it says what is missing and what to do', () => {
  show(stateOf({ verdict: 'inconclusive' }, { trust: { kind: 'none', problem: problem('agent_missing', 'No agent.', 'Install it.') } }));
  expect(screen.getByText(/No trust settings could be read, so/)).toBeTruthy();
  expect(screen.getByText('Install it.')).toBeTruthy();
});

test('what is no report gets the reason instead of questions that nobody asked', () => {
  const page = show({ path: 'x.attestation.json', checking: false, view: { verdict: 'failed', checks: [{ ...PASSED, status: 'skipped' }], unreadable: 'not JSON' } });
  expect(screen.getByRole('alert').textContent).toContain('not JSON');
  expect(page.textContent).not.toContain('Questions');
});

test('an obstacle is a verdict too: could not check, and why', () => {
  show({ path: 'x.attestation.json', checking: false, obstacle: problem('insecure_page', 'Plain http.', 'Use https.') });
  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Could not check');
  expect(screen.getByText(/Nothing was checked/)).toBeTruthy();
});

test('while the first check runs there is no verdict', () => {
  show({ path: 'x.attestation.json', checking: true });
  expect(screen.queryByRole('heading', { level: 1 })).toBeNull();
  expect(screen.getByRole('status').textContent).toBe('Checking the report…');
});

const HOSTILE = '<img src=x onerror="document.title=1"><script>1</script>\u202e\u0000';

test('hostile text in every field is text', () => {
  const [input] = RUN.inputs;
  if (input === undefined) throw new Error('no input');
  const lie = check(HOSTILE, HOSTILE, 'fail', { expected: HOSTILE, actual: HOSTILE, hint: HOSTILE });
  const run = { ...RUN, outcome: 'failed' as const, failure: HOSTILE, inputs: [{ ...input, asset: HOSTILE, mediaType: HOSTILE, rules: HOSTILE, owner: { key: 'K'.repeat(43) } }], outputs: [{ name: HOSTILE, digest: HOSTILE }] };
  const token = { raw: HOSTILE, issuer: HOSTILE, header: [], claims: [{ path: HOSTILE, value: HOSTILE }], leftOut: 0 };
  const page = show(stateOf({ verdict: 'failed', checks: [lie], run, token }, { path: HOSTILE }));
  expect(page.querySelector('img, script, a')).toBeNull();
  expect(page.textContent).not.toMatch(/[\u202e\u0000]/);
  expect(page.textContent).toContain('U+202E');
});

test('what is endless is bounded: a megabyte of text, ten thousand outputs', () => {
  const long: ShownCheck = check('inputs', 'It read exactly the inputs', 'fail', { expected: 'x'.repeat(1_000_000), actual: 'y' });
  const outputs = Array.from({ length: 10_000 }, (_, at) => ({ name: `output/${at}`, digest: DIGEST }));
  const page = show(stateOf({ verdict: 'failed', checks: [long], run: { ...RUN, outputs } }));
  expect(page.textContent.length).toBeLessThan(60_000);
  expect(screen.getAllByRole('row').length).toBeLessThan(110);
  fireEvent.click(screen.getByRole('button', { name: 'Show 100 more' }));
  expect(screen.getByText('200 of 10000 are shown')).toBeTruthy();
});
