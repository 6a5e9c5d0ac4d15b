// @vitest-environment jsdom
import { describe, expect, test } from 'vitest';
import { AGENT_ROUTES, AppError } from '@cloister/protocol';
import { AgentUnreachable } from '../api/agent-unreachable';
import { digest, jobEvent } from '../jobs/testing/fake-agent';
import { blockersOf } from './submit-state';
import { initialValues } from './submit-values';
import { draftOf, FakeKeptPanels, submitRig, trans } from './testing/rig';

const PATH = 'study/a.ipynb';
const SECRET = { path: 'a.ipynb', kind: 'a password', where: 'cell 2' };
const sent = AGENT_ROUTES.submitDraft.id;
const drafted = AGENT_ROUTES.createDraft.id;

test('looking makes one draft, with the default time limit', async () => {
  const { model, agent } = submitRig();
  await model.start();
  await model.start();
  expect(model.state.phase).toBe('ready');
  expect(agent.calls.map(call => call.options)).toEqual([{ body: { notebook: PATH, purpose: '', timeoutSeconds: 3600 } }]);
});

describe('submit', () => {
  test('sends what is shown, says so, and keeps the job instead of what was typed', async () => {
    const { model, agent, announced, kept } = submitRig();
    await model.start();
    await model.submit();
    expect(model.state).toMatchObject({ phase: 'submitted', job: digest(1001), own: { view: { state: 'queued' } } });
    expect(announced).toEqual([digest(1001)]);
    expect(kept.all.get(PATH)).toEqual({ job: digest(1001) });
    expect([agent.count(drafted), agent.count(sent)]).toEqual([1, 1]);
  });

  test('answers at once, and a second press sends nothing', async () => {
    const { model, agent, announced } = submitRig();
    await model.start();
    let open = (): void => undefined;
    agent.gate = new Promise(resolve => (open = resolve));
    const first = model.submit();
    expect(model.state.phase).toBe('submitting');
    const second = model.submit();
    open();
    await Promise.all([first, second]);
    await model.submit();
    expect(agent.count(sent)).toBe(1);
    expect(announced).toHaveLength(1);
  });

  test('another purpose or time limit makes the draft anew and sends it, where it says the same', async () => {
    const { model, agent } = submitRig();
    await model.start();
    model.change({ purpose: 'a study', time: '2', unit: 'hours' });
    await model.submit();
    expect(agent.calls[1]?.options).toEqual({ body: { notebook: PATH, purpose: 'a study', timeoutSeconds: 7200 } });
    expect(model.state).toMatchObject({ phase: 'submitted', job: digest(1002) });
  });

  test.each([
    ['the code', { code: digest(500) }, 'code-changed'],
    ['the data', { assets: [] }, 'answers-changed'],
    ['an answer', draftOf({ decision: 'wait' }), 'answers-changed'],
    ['a policy', draftOf({ version: 4 }), 'answers-changed']
  ])('where %s changed meanwhile, it is shown and nothing is sent before a second press', async (_, changes, notice) => {
    const rig = submitRig();
    await rig.model.start();
    rig.model.change({ purpose: 'a study' });
    rig.next = { ...draftOf(), ...changes };
    await rig.model.submit();
    expect(rig.model.state).toMatchObject({ phase: 'ready', notice, values: { purpose: 'a study' } });
    expect(rig.agent.count(sent)).toBe(0);
    await rig.model.submit();
    expect(rig.model.state.phase).toBe('submitted');
  });

  test('a notebook that was saved since is packaged again first', async () => {
    const rig = submitRig();
    await rig.model.start();
    rig.notebooks.changed.emit({ path: PATH, change: 'edited' });
    rig.notebooks.changed.emit({ path: PATH, change: 'saved' });
    expect(rig.model.state.notebook).toBe('saved');
    rig.next = draftOf({}, { code: digest(500) });
    await rig.model.submit();
    expect(rig.model.state).toMatchObject({ notice: 'code-changed', notebook: 'as-drafted' });
    expect(rig.agent.count(sent)).toBe(0);
  });

  test('secrets of other code must be looked at again', async () => {
    const rig = submitRig(draftOf({}, { secrets: [SECRET] }));
    await rig.model.start();
    await rig.model.submit();
    expect(rig.agent.count(sent)).toBe(0);
    rig.model.acceptSecrets(true);
    rig.model.change({ purpose: 'x' });
    rig.next = draftOf({}, { code: digest(500), secrets: [SECRET] });
    await rig.model.submit();
    expect(rig.model.state.secretsAccepted).toBe(false);
    expect(rig.agent.count(sent)).toBe(0);
    rig.model.acceptSecrets(true);
    await rig.model.submit();
    expect(rig.agent.calls.at(-2)).toMatchObject({ id: sent, options: { body: { acceptLikelySecrets: true } } });
  });

  test('a draft that the agent no longer has is made again', async () => {
    const rig = submitRig();
    await rig.model.start();
    const send = rig.agent.handlers.get(sent);
    rig.agent.handlers.set(sent, options => {
      if (rig.agent.count(sent) === 1) throw new AppError('not_found', 'no such draft');
      return send?.(options);
    });
    await rig.model.submit();
    expect(rig.model.state).toMatchObject({ phase: 'submitted', job: digest(1002) });
  });

  test.each(['submit', 'refresh'] as const)('a sending that broke off but arrived is found by %s, and not sent twice', async action => {
    const rig = submitRig();
    await rig.model.start();
    const send = rig.agent.handlers.get(sent);
    rig.agent.handlers.set(sent, options => {
      send?.(options);
      throw new AgentUnreachable('offline');
    });
    rig.model.change({ purpose: 'a study' });
    await rig.model.submit();
    expect(rig.model.state).toMatchObject({ phase: 'ready', problem: { code: 'offline' }, values: { purpose: 'a study' } });
    await rig.model[action]();
    expect(rig.model.state).toMatchObject({ phase: 'submitted', job: digest(1002) });
    expect(rig.agent.count(sent)).toBe(1);
  });

  test('a sending that broke off and did not arrive is sent again', async () => {
    const rig = submitRig();
    await rig.model.start();
    const send = rig.agent.handlers.get(sent);
    rig.agent.handlers.set(sent, () => {
      throw new AppError('unavailable', 'the server does not answer');
    });
    await rig.model.submit();
    expect(rig.model.state.problem?.code).toBe('unavailable');
    rig.agent.handlers.set(sent, options => send?.(options));
    await rig.model.submit();
    expect(rig.model.state.phase).toBe('submitted');
  });
});

test('an error of the draft keeps what was typed, and refresh tries again', async () => {
  const rig = submitRig(new AppError('asset_not_literal', 'a.ipynb, cell 3: read_csv(name)'));
  rig.model.change({ purpose: 'a study' });
  await rig.model.start();
  expect(rig.model.state).toMatchObject({ phase: 'ready', problem: { code: 'asset_not_literal' }, values: { purpose: 'a study' } });
  rig.next = draftOf();
  rig.model.change({ assets: 'hospital/visits, registry/outcomes' });
  await rig.model.refresh();
  expect(rig.model.state.problem).toBeUndefined();
  expect(rig.agent.calls[1]?.options).toMatchObject({ body: { assets: ['hospital/visits', 'registry/outcomes'] } });
});

describe('after a reload', () => {
  test('what was typed is back; that secrets were accepted is not', async () => {
    const kept = new FakeKeptPanels();
    const before = submitRig(draftOf({}, { secrets: [SECRET] }), kept);
    await before.model.start();
    before.model.change({ purpose: 'a study', time: '3', unit: 'hours', custodians: ['registry'] });
    before.model.acceptSecrets(true);
    const after = submitRig(draftOf({}, { secrets: [SECRET] }), kept);
    await after.model.start();
    expect(after.model.state).toMatchObject({ values: { purpose: 'a study', time: '3', unit: 'hours', custodians: ['registry'] }, secretsAccepted: false });
    expect(after.agent.calls[0]?.options).toMatchObject({ body: { purpose: 'a study', timeoutSeconds: 10_800, custodians: ['registry'] } });
  });

  test('a submitted panel shows its job, and makes no draft', async () => {
    const kept = new FakeKeptPanels();
    kept.write(PATH, { job: digest(9) });
    const { model, agent } = submitRig(draftOf(), kept);
    await model.start();
    expect(model.state).toMatchObject({ phase: 'submitted', job: digest(9) });
    expect(agent.count(drafted)).toBe(0);
    await model.startAnew();
    expect(model.state.phase).toBe('ready');
    expect(kept.all.get(PATH)).toEqual({ values: initialValues(60) });
  });
});

test('a submitted job is told live, also without the list of jobs', async () => {
  const { model, agent } = submitRig();
  await model.start();
  await model.submit();
  const [own] = agent.jobs;
  if (own === undefined) throw new Error('no job');
  agent.jobs = [{ ...own, view: { ...own.view, state: 'running', cells: { done: 1, total: 4 } } }];
  agent.events.emit(jobEvent(5, 1));
  agent.events.emit({ ...jobEvent(1, 2), job: own.view.job });
  await expect.poll(() => model.state.own?.view.state).toBe('running');
});

test('unsaved edits: saved and packaged again on wish; a save that fails keeps everything and says so', async () => {
  const rig = submitRig();
  await rig.model.start();
  rig.notebooks.dirty.add(PATH);
  rig.notebooks.changed.emit({ path: PATH, change: 'edited' });
  rig.notebooks.saves = false;
  await rig.model.saveAndRefresh();
  expect(rig.model.state).toMatchObject({ notebook: 'edited', problem: { code: 'not_saved' } });
  rig.notebooks.saves = true;
  await rig.model.saveAndRefresh();
  expect(rig.model.state).toMatchObject({ notebook: 'as-drafted', problem: undefined });
  expect(rig.agent.count(drafted)).toBe(2);
});

test.each([
  ['.', 'a.ipynb'],
  ['study', 'study/a.ipynb']
])('a mock goes beside the notebook: %s', async (folder, path) => {
  const rig = submitRig();
  const state = { name: 'hospital/visits', state: 'differs', path: 'mocks/hospital/visits.csv' };
  rig.agent.handlers.set(AGENT_ROUTES.fetchMocks.id, () => ({ mocks: [state] }));
  const model = Object.assign(rig.model, { path });
  await model.getMock('hospital/visits', false);
  expect(rig.agent.calls[0]?.options).toEqual({ body: { folder, names: ['hospital/visits'], replace: false } });
  expect(model.state.mocks['hospital/visits']).toMatchObject({ state: 'differs' });
});

test.each([
  ['a denial', draftOf({ decision: 'deny', reasons: ['the permission has expired'] }), {}, /hospital would deny: the permission has expired/],
  ['a denial without a reason', draftOf({ decision: 'deny' }), {}, /gives no reason/],
  ['no answer', { ...draftOf(), decisions: [{ ...draftOf().decisions[0], decision: 'unreachable', assets: [] }] }, {}, /hospital gives no answer now/],
  ['a secret', draftOf({}, { secrets: [SECRET] }), {}, /likely secrets/],
  ['a time limit that is none', draftOf(), { time: 'soon' }, /as a number/],
  ['a purpose that is too long', draftOf(), { purpose: 'x'.repeat(4097) }, /too long by 1 character\./]
] as [string, ReturnType<typeof draftOf>, object, RegExp][])('%s keeps Submit closed, and says so', async (_, draft, values, words) => {
  const rig = submitRig(draft);
  await rig.model.start();
  rig.model.change(values);
  expect(blockersOf(rig.model.state, trans).join(' ')).toMatch(words);
  await rig.model.submit();
  expect(rig.agent.count(sent)).toBe(0);
});
