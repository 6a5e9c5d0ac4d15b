import { beforeAll, expect, test } from 'vitest';
import { nullTranslator } from '@jupyterlab/translation';
import { AppError, OPENED_OUTPUTS } from '@cloister/protocol';
import { AgentUnreachable } from '../api/agent-unreachable';
import { FakeAgent, ownJob } from '../jobs/testing/fake-agent';
import { ReportSession, type IReportSessionDeps } from './report-session';
import { overallVerdict } from './report-state';
import { NOW, asFile, makeReport, type IMadeReport } from './testing/made-report';

const trans = nullTranslator.load('cloister');
const PATH = 'results/run/run.attestation.json';
let made: IMadeReport;

beforeAll(async () => {
  made = await makeReport();
});

function agentWithTrust(): FakeAgent {
  const agent = new FakeAgent();
  agent.handlers.set('getTrust', () => ({ trust: made.trust, policy: made.policy, where: '/home/ada/.config/cloister' }));
  return agent;
}

function sessionOf(agent: FakeAgent | null, deps: Partial<IReportSessionDeps> = {}): ReportSession {
  return new ReportSession({ agent, trans, loadVerifier: () => import('./verify-content'), canVerify: () => true, now: () => NOW, ...deps }, PATH);
}

test('verifies by the analyst’s own trust, and says where that came from', async () => {
  const session = sessionOf(agentWithTrust());
  await session.open(PATH, asFile(made.report));
  expect(overallVerdict(session.state)).toBe('verified');
  expect(session.state.trust).toEqual({ kind: 'own', where: '/home/ada/.config/cloister', owners: 2, verifiers: 1, images: 1, hasPolicy: true });
  expect(session.state.checking).toBe(false);
});

test('nothing is green while the first check runs', () => {
  const session = sessionOf(agentWithTrust());
  expect(overallVerdict(session.state)).toBe('inconclusive');
});

test('the same content is verified once; asked to, it is verified again by the trust of that moment', async () => {
  const agent = agentWithTrust();
  const session = sessionOf(agent);
  await session.open(PATH, asFile(made.report));
  await session.open(PATH, asFile(made.report));
  expect(agent.count('getTrust')).toBe(1);
  agent.handlers.set('getTrust', () => ({ trust: { ...made.trust, owners: [] }, policy: made.policy, where: '/x' }));
  await session.check();
  expect(overallVerdict(session.state)).toBe('inconclusive');
});

test('another content gets another verdict, and of two checks that overlap the last one counts', async () => {
  const agent = agentWithTrust();
  const session = sessionOf(agent);
  const [first, second] = [session.open(PATH, asFile(made.report)), session.open(PATH, asFile({ ...made.report, session: '{}' }))];
  await Promise.all([first, second]);
  expect(overallVerdict(session.state)).toBe('failed');
});

const withoutTrust: [string, () => FakeAgent | null, RegExp][] = [
  ['the plugin is disabled', () => null, /plugin is disabled/],
  ['the agent is missing', () => answering(new AgentUnreachable('missing')), /does not know/],
  ['the login expired', () => answering(new AgentUnreachable('signed-out')), /login/],
  ['there are no trust settings', () => answering(new AppError('trust_missing', '/home/ada/trust.json')), /trust/i]
];

function answering(error: Error): FakeAgent {
  const agent = new FakeAgent();
  agent.handlers.set('getTrust', () => {
    throw error;
  });
  return agent;
}

test.each(withoutTrust)('could not check where %s, and says so', async (_name, agent, words) => {
  const session = sessionOf(agent());
  await session.open(PATH, asFile(made.report));
  expect(overallVerdict(session.state)).toBe('inconclusive');
  const { trust } = session.state;
  expect(trust?.kind === 'none' ? trust.problem.title : '').toMatch(words);
});

test('an agent that comes back brings the verdict', async () => {
  const agent = answering(new AgentUnreachable('failed'));
  const session = sessionOf(agent);
  await session.open(PATH, asFile(made.report));
  agent.handlers.set('getTrust', () => ({ trust: made.trust, policy: made.policy, where: '/x' }));
  agent.stateChanged.emit('ready');
  await expect.poll(() => overallVerdict(session.state)).toBe('verified');
});

test.each<[string, Partial<IReportSessionDeps>, string, string]>([
  ['the page is not secure', { canVerify: () => false }, asFile('{}'), 'insecure_page'],
  ['the code does not load', { loadVerifier: () => Promise.reject(new Error('404')) }, asFile('{}'), 'unavailable'],
  ['the file is too large', {}, 'A'.repeat(12 << 20), 'payload_too_large']
])('could not check where %s, and says so', async (_name, deps, content, code) => {
  const session = sessionOf(agentWithTrust(), deps);
  await session.open(PATH, content);
  expect(overallVerdict(session.state)).toBe('inconclusive');
  expect(session.state.view).toBeUndefined();
  expect(session.state.obstacle?.code).toBe(code);
});

test('a file that went leaves no verdict behind', async () => {
  const session = sessionOf(agentWithTrust());
  await session.open(PATH, asFile(made.report));
  session.refuse(new Error('gone'));
  expect(overallVerdict(session.state)).toBe('inconclusive');
  await session.check(asFile(made.report));
  expect(overallVerdict(session.state)).toBe('verified');
});

function agentWithJob(own: Parameters<typeof ownJob>[2], outputs: 'pass' | 'fail'): FakeAgent {
  const agent = agentWithTrust();
  const known = ownJob(1, { job: made.job }, own);
  agent.jobs = [known];
  agent.handlers.set('verifyLocalReport', () => ({
    verdict: outputs === 'pass' ? 'verified' : 'failed',
    checks: [{ ...OPENED_OUTPUTS, status: outputs, expected: null, actual: ['a'] }]
  }));
  return agent;
}

test('of an own job it says so, and the files around it are compared by the agent', async () => {
  const agent = agentWithJob({ results: 'results/run', report: PATH }, 'pass');
  const session = sessionOf(agent);
  await session.open(PATH, asFile(made.report));
  expect(session.state.view?.checks.find(check => check.id === 'own_job')?.status).toBe('pass');
  expect(session.state.comparison).toMatchObject({ kind: 'done', folder: 'results/run', outputs: { status: 'pass' } });
  expect(agent.calls.find(call => call.id === 'verifyLocalReport')?.options).toEqual({ body: { report: PATH, outputs: 'results/run' } });
});

test('changed files beside a good report: not verified', async () => {
  const session = sessionOf(agentWithJob({ results: 'results/run' }, 'fail'));
  await session.open(PATH, asFile(made.report));
  expect(session.state.view?.verdict).toBe('verified');
  expect(overallVerdict(session.state)).toBe('failed');
  expect(session.state.comparison).toMatchObject({ outputs: { expected: '', actual: '["a"]' } });
});

test('a job that the operator lists and this machine does not remember is not called one’s own', async () => {
  const agent = agentWithTrust();
  const { view } = ownJob(1, { job: made.job });
  agent.jobs = [{ view, denials: [] }];
  const session = sessionOf(agent);
  await session.open(PATH, asFile(made.report));
  expect(session.state.view?.checks.find(check => check.id === 'own_job')?.status).toBe('skipped');
  expect(agent.count('verifyLocalReport')).toBe(0);
});

test('after it was closed nothing is told any more', async () => {
  const session = sessionOf(agentWithTrust());
  let told = 0;
  session.changed.connect(() => (told += 1));
  const opening = session.open(PATH, asFile(made.report));
  session.dispose();
  await opening;
  expect(told).toBe(1);
});
