// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { AGENT_ROUTES, AppError, type Digest } from '@cloister/protocol';
import { digest } from '../jobs/testing/fake-agent';
import { SubmitPanel } from './submit-panel';
import { draftOf, ruleOf, submitRig, trans, type ISubmitRig } from './testing/rig';

vi.mock('@jupyterlab/ui-components', async () => (await import('../jobs/testing/lab-stand-ins')).uiComponents());
vi.mock('@jupyterlab/apputils', async () => (await import('../jobs/testing/lab-stand-ins')).apputils());

afterEach(cleanup);

interface IShown extends ISubmitRig {
  readonly shownJobs: Digest[];
}

async function shown(rig: ISubmitRig): Promise<IShown> {
  const shownJobs: Digest[] = [];
  render(<SubmitPanel context={{ model: rig.model, agent: rig.agent, trans, showJob: job => shownJobs.push(job) }} />);
  await act(async () => rig.model.start());
  return { ...rig, shownJobs };
}

const submitButton = (): HTMLButtonElement => screen.getByRole('button', { name: /^Submit(ting…)?$/ });
const why = (): string => document.getElementById(submitButton().getAttribute('aria-describedby') ?? '')?.textContent ?? '';
const region = (name: string): HTMLElement => screen.getByRole('region', { name });

test('while the draft is made, the panel says so and Submit is closed', async () => {
  const rig = submitRig();
  let open = (): void => undefined;
  rig.agent.gate = new Promise(resolve => (open = resolve));
  render(<SubmitPanel context={{ model: rig.model, agent: rig.agent, trans, showJob: undefined }} />);
  act(() => void rig.model.start());
  await screen.findAllByText('Packaging and asking the owners…');
  expect(submitButton().disabled).toBe(true);
  await act(async () => open());
  await waitFor(() => expect(submitButton().disabled).toBe(false));
});

test('what will be sent: every file with size and reason, what is large, what stays', async () => {
  await shown(submitRig());
  const part = within(region('What will be sent'));
  expect(part.getByRole('row', { name: /a\.ipynb the notebook 2\.0 KiB/ })).toBeTruthy();
  expect(part.getByRole('row', { name: /model\.py Large imported by a\.ipynb 3\.0 MiB/ })).toBeTruthy();
  expect(part.getByText(/\.cloisterignore/)).toBeTruthy();
  expect(part.getByText('2 files, 3.0 MiB; sealed 4.0 KiB')).toBeTruthy();
  expect(part.getByText('1 file or folder stays here')).toBeTruthy();
  expect(part.getByText(digest(100))).toBeTruthy();
});

test('data that is allowed: the owner’s policy in words, and no green', async () => {
  await shown(submitRig());
  const card = screen.getByRole('article', { name: 'hospital/visits' });
  expect(within(card).getByText('Allowed').className).toContain('jp-mod-neutral');
  expect(within(card).getByText('Any notebook may read it.')).toBeTruthy();
  expect(within(card).getByText(/Owner hospital · version 3/)).toBeTruthy();
  expect(why()).toBe('You can close this tab after submitting; the job goes on.');
  expect(submitButton().disabled).toBe(false);
});

test('data that would be denied: why, what to do, and Submit is closed', async () => {
  const denials = [{ code: 'analyst', rule: 'research' }, { code: 'expired', rule: 'research' }];
  await shown(submitRig(draftOf({ decision: 'deny', rule: undefined, denials, reasons: ['your key is not among the analysts whom the owner lists', 'the permission has expired'] })));
  const card = within(screen.getByRole('article', { name: 'hospital/visits' }));
  expect(card.getByText('Would be denied')).toBeTruthy();
  expect(card.getByText('the permission has expired')).toBeTruthy();
  expect(card.getByText('Send hospital your analyst key, and ask to be listed. Ask hospital for a new date.')).toBeTruthy();
  expect(submitButton().disabled).toBe(true);
  expect(why()).toContain('hospital would deny: your key is not among the analysts whom the owner lists.');
});

test('data that waits for approval: whose turn it is, and the job can be submitted', async () => {
  await shown(submitRig(draftOf({ decision: 'wait', rule: ruleOf({ code: 'approved' }), denials: [{ code: 'approval_missing' }], reasons: ['the owner has not approved this code yet'] })));
  expect(screen.getByText('Waits for approval')).toBeTruthy();
  expect(screen.getByText('The owner reads each notebook first, and approves it or not.')).toBeTruthy();
  expect(why()).toContain('The job will wait for approval by hospital.');
  expect(submitButton().disabled).toBe(false);
});

test('a broker that does not answer', async () => {
  const [decision] = draftOf().decisions;
  if (decision === undefined) throw new Error('no decision');
  await shown(submitRig(draftOf({}, { decisions: [{ ...decision, decision: 'unreachable', reasons: ['connection refused'], assets: [] }] })));
  expect(within(screen.getByRole('article', { name: 'hospital/visits' })).getByText('No answer')).toBeTruthy();
  expect(screen.getByText('connection refused')).toBeTruthy();
  expect(submitButton().disabled).toBe(true);
});

test('a notebook without data says so plainly', async () => {
  await shown(submitRig(draftOf({}, { assets: [], decisions: [] })));
  expect(screen.getByText(/reads no data of any owner/)).toBeTruthy();
});

test('likely secrets: Submit is closed until a person says that she looked', async () => {
  const rig = await shown(submitRig(draftOf({}, { secrets: [{ path: 'a.ipynb', kind: 'a password', where: 'cell 2' }] })));
  expect(within(region('Likely secrets')).getByRole('listitem').textContent).toBe('a.ipynb, cell 2: a password');
  expect(why()).toContain('Look at the likely secrets first');
  fireEvent.click(screen.getByRole('checkbox', { name: 'I looked at these, send them all the same' }));
  expect(submitButton().disabled).toBe(false);
  fireEvent.click(submitButton());
  await screen.findByRole('region', { name: 'Submitted' });
  expect(rig.agent.calls.find(call => call.id === AGENT_ROUTES.submitDraft.id)?.options).toMatchObject({ body: { acceptLikelySecrets: true } });
});

test('Submit answers at once, twice pressed is one job, and the job is shown with the way on', async () => {
  const rig = await shown(submitRig());
  let open = (): void => undefined;
  rig.agent.gate = new Promise(resolve => (open = resolve));
  fireEvent.click(submitButton());
  expect(submitButton().textContent).toBe('Submitting…');
  expect(submitButton().disabled).toBe(true);
  fireEvent.click(submitButton());
  await act(async () => open());
  const done = within(await screen.findByRole('region', { name: 'Submitted' }));
  expect(await done.findByText('Waiting for a machine')).toBeTruthy();
  expect(done.getByText(/You can close this tab/)).toBeTruthy();
  expect(rig.agent.count(AGENT_ROUTES.submitDraft.id)).toBe(1);
  fireEvent.click(done.getByRole('button', { name: 'Show job' }));
  expect(rig.shownJobs).toEqual([digest(1001)]);
  await act(async () => fireEvent.click(done.getByRole('button', { name: 'Submit another' })));
  await waitFor(() => expect(submitButton().disabled).toBe(false));
});

test('an error of submitting keeps what was typed, and says what to do', async () => {
  const rig = await shown(submitRig());
  fireEvent.change(screen.getByRole('textbox', { name: 'Purpose' }), { target: { value: 'a study' } });
  rig.agent.handlers.set(AGENT_ROUTES.submitDraft.id, () => {
    throw new AppError('unavailable', 'the server does not answer');
  });
  await act(async () => fireEvent.click(submitButton()));
  const alert = within(await screen.findByRole('alert'));
  expect(alert.getByText('the server does not answer')).toBeTruthy();
  expect(alert.getByText('Try again; nothing was lost.')).toBeTruthy();
  expect(screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Purpose' }).value).toBe('a study');
  expect(submitButton().disabled).toBe(false);
});

test.each([
  ['notebook_not_json', 'a.ipynb is not JSON', /save it again/],
  ['workspace_unsafe', 'data is a symbolic link', /Remove links/],
  ['asset_not_literal', 'a.ipynb, cell 3: read_csv(name)', /list the data here/],
  ['asset_unknown', 'hospital/vists', /Check the spelling/]
] as const)('no draft for %s: what, why, and a way on', async (code, detail, hint) => {
  const rig = await shown(submitRig(new AppError(code, detail)));
  const alert = within(screen.getByRole('alert'));
  expect(alert.getByText(detail)).toBeTruthy();
  expect(alert.getByText(hint)).toBeTruthy();
  expect(submitButton().disabled).toBe(true);
  fireEvent.click(alert.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(rig.agent.count(AGENT_ROUTES.createDraft.id)).toBe(2));
});

test('where a name is computed, the data can be listed by hand', async () => {
  const base = submitRig(new AppError('asset_not_literal', 'a.ipynb, cell 3: read_csv(name)'));
  await shown(base);
  base.next = draftOf();
  fireEvent.change(screen.getByRole('textbox', { name: 'Data that the notebook reads' }), { target: { value: 'hospital/visits' } });
  await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Try again' })));
  expect(await screen.findByRole('article', { name: 'hospital/visits' })).toBeTruthy();
  expect(base.agent.calls.at(-1)?.options).toMatchObject({ body: { assets: ['hospital/visits'] } });
});

test('a notebook that changed meanwhile: look again, and nothing was sent', async () => {
  const base = submitRig();
  await shown(base);
  act(() => base.notebooks.changed.emit({ path: 'study/a.ipynb', change: 'edited' }));
  expect(screen.getByText('The notebook has edits that are not saved.')).toBeTruthy();
  act(() => base.notebooks.changed.emit({ path: 'study/a.ipynb', change: 'saved' }));
  expect(screen.getByRole('button', { name: 'Package it again' })).toBeTruthy();
  base.next = draftOf({}, { code: digest(500) });
  await act(async () => fireEvent.click(submitButton()));
  expect(await screen.findByText('The notebook or its files changed since you looked: look again.')).toBeTruthy();
  expect(screen.getByText(digest(500))).toBeTruthy();
  expect(base.agent.count(AGENT_ROUTES.submitDraft.id)).toBe(0);
});

test('the time limit is held to its bounds as it is typed', async () => {
  await shown(submitRig());
  const field = screen.getByRole<HTMLInputElement>('textbox', { name: 'Time limit' });
  fireEvent.change(field, { target: { value: '200' } });
  fireEvent.change(screen.getByRole('combobox', { name: 'Unit of the time limit' }), { target: { value: 'hours' } });
  expect(screen.getAllByText('The time limit is at most seven days: 168 hours.').length).toBeGreaterThan(0);
  expect(field.getAttribute('aria-invalid')).toBe('true');
  expect(submitButton().disabled).toBe(true);
});

test('near its end the purpose counts what is left', async () => {
  await shown(submitRig());
  fireEvent.change(screen.getByRole('textbox', { name: 'Purpose' }), { target: { value: 'x'.repeat(4000) } });
  expect(screen.getByText(/96 characters left/)).toBeTruthy();
});

test.each([
  ['fetched', 'The mock is in study/mocks/hospital/visits.csv.'],
  ['current', 'You have it: study/mocks/hospital/visits.csv.'],
  ['differs', 'Another file is at study/mocks/hospital/visits.csv. It was left as it is.']
])('a mock that is %s', async (state, words) => {
  const rig = await shown(submitRig());
  rig.agent.handlers.set(AGENT_ROUTES.fetchMocks.id, () => ({ mocks: [{ name: 'hospital/visits', state, path: 'study/mocks/hospital/visits.csv' }] }));
  await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Get mock' })));
  expect(await screen.findByText(words)).toBeTruthy();
  if (state !== 'differs') return;
  await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Replace it by the mock' })));
  expect(rig.agent.calls.at(-1)?.options).toMatchObject({ body: { replace: true } });
});

test('hostile text of owners and files is text, with what is unseen written out', async () => {
  const name = 'hospital/<img src=x onerror=alert(1)>\u202e';
  const [asset] = draftOf().assets;
  if (asset === undefined) throw new Error('no asset');
  await shown(
    submitRig(
      draftOf({ name, decision: 'deny', reasons: ['<script>x</script>'] }, { assets: [{ ...asset, name }], files: [{ path: '<b>\u202e.py', size: 1, digest: digest(1), why: '<i>', large: false }] })
    )
  );
  expect(screen.getByRole('heading', { name: 'hospital/<img src=x onerror=alert(1)>U+202E' })).toBeTruthy();
  expect(screen.getByText('<b>U+202E.py')).toBeTruthy();
  expect(document.querySelector('img, script, b')).toBeNull();
});
