import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DESCRIPTOR, SIMULATOR_ISSUER, createAppraisal, digestOf, signObject, toUtf8, type Digest, type JobView, type Trust } from '@cloister/protocol';
import { createTestIdentity, createTestOwner, createTestReport, createTestVerifier, createTestWorld, type TestOwner, type TestReport, type TestReportOptions, type TestVerifier } from '@cloister/protocol/testing';
import { systemClock } from '@cloister/kit';
import { createAgent, type Agent } from '../app.js';
import type { DraftRequest } from '../job/draft-job.js';
import { readKeys } from '../keys/analyst-keys.js';
import { stateFolderOf } from '../state-folder.js';
import { createFakeOperator, type FakeOperator } from './fake-operator.js';

/** An analyst's machine with a workspace, two owners whom she trusts, and an operator: for tests of the agent and its users. */
export interface Workbench {
  readonly home: string;
  readonly workspace: string;
  readonly operator: FakeOperator;
  readonly agent: Agent;
  readonly owners: readonly TestOwner[];
  readonly verifier: TestVerifier;
  readonly image: Digest;
  readonly put: (path: string, content: string | Uint8Array) => Promise<string>;
  /** Ends a job as a run would: a true report, really sealed outputs. */
  readonly finish: (job: Digest, options?: TestReportOptions) => Promise<TestReport>;
  readonly close: () => Promise<void>;
}

export const MOCK = toUtf8('id,value\n1,2\n');

export async function createWorkbench(): Promise<Workbench> {
  const root = await mkdtemp(join(tmpdir(), 'cloister-bench-'));
  const home = join(root, 'home');
  const workspace = join(root, 'work');
  await mkdir(workspace);
  const operator = await createFakeOperator(['hospital', 'registry']);
  const agent = await createAgent({ home, transport: operator.transport, serverUrl: operator.serverUrl, clock: systemClock });
  const state = stateFolderOf(home);
  const { signer } = await readKeys(state.keys);
  const image = digestOf(toUtf8('runner image'));
  const owners = await Promise.all(['hospital', 'registry'].map(async name => withMock(await createTestOwner(name, { analyst: signer, image }))));
  for (const { owner, descriptor } of owners) operator.catalog.push({ asset: descriptor.digest, owner: owner.thumbprint, descriptor: descriptor.jws });
  operator.files.set(digestOf(MOCK), MOCK);
  const verifier = await sharedVerifier();
  const trust: Trust = { v: 1, owners: owners.map(({ name, owner }) => ({ name, thumbprint: owner.thumbprint })), verifiers: [verifier.pinned], images: [{ image, source: 'made by a test' }] };
  const policy = createAppraisal({ verifiers: [SIMULATOR_ISSUER], images: [image], hardware: ['SIMULATED'], attributes: 'any', projects: 'any', envOverrides: 'any' });
  await writeFile(state.trust, JSON.stringify(trust));
  await writeFile(state.appraisal, JSON.stringify(policy));
  await writeFile(state.settings, JSON.stringify({ server: operator.serverUrl, gateway: operator.socketPath }));
  return {
    home, workspace, operator, agent, owners, verifier, image,
    put: async (path, content) => {
      await mkdir(join(workspace, path, '..'), { recursive: true });
      await writeFile(join(workspace, path), content);
      return join(workspace, path);
    },
    finish: (job, options) => finish({ operator, agent, owners, verifier, image, home }, job, options),
    close: async () => {
      await operator.close();
      await rm(root, { recursive: true, force: true });
    }
  };
}

let verifier: Promise<TestVerifier> | undefined;

/** RSA keys take a second to make; one verifier serves all tests of a file. */
async function sharedVerifier(): Promise<TestVerifier> {
  verifier ??= createTestVerifier();
  return verifier;
}

/** The same asset with a mock, signed anew by its owner. */
async function withMock(owner: TestOwner): Promise<TestOwner> {
  const payload = { ...owner.descriptor.payload, mock: { digest: digestOf(MOCK), size: MOCK.length, mediaType: 'text/csv' } };
  return { ...owner, descriptor: await signObject(DESCRIPTOR, payload, owner.owner) };
}

type Parts = Pick<Workbench, 'operator' | 'agent' | 'owners' | 'verifier' | 'image' | 'home'>;

async function finish({ operator, agent, owners, verifier, image, home }: Parts, job: Digest, options: TestReportOptions = {}): Promise<TestReport> {
  const stored = operator.jobs.get(job);
  if (stored === undefined) throw new Error('no such job');
  const { signer } = await readKeys(stateFolderOf(home).keys);
  // Receipts must follow the statement within the limits that the manifest sets, so the run is now.
  const world = {
    ...(await createTestWorld({ now: new Date(), image })),
    analyst: signer,
    analystIdentity: { ...(await createTestIdentity()), recipient: agent.recipient },
    owners: stored.manifest.payload.inputs.flatMap(input => owners.filter(owner => owner.descriptor.digest === input.asset)),
    manifest: stored.manifest
  };
  const made = await createTestReport(world, verifier, options);
  stored.report = made.report;
  for (const [name, bytes] of made.sealed) stored.outputs.set(name, bytes);
  operator.advance(job, 'succeeded', { attempt: 1, report: digestOf(toUtf8(JSON.stringify(made.report))) });
  return made;
}

/** A notebook as Jupyter writes it, of these code cells. */
export function notebookOf(...cells: string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3' } },
    cells: cells.map((source, at) => ({ id: `c${at}`, cell_type: 'code', source, metadata: {}, execution_count: 1, outputs: [] }))
  });
}

export const READS_BOTH = notebookOf('import cloister\na = cloister.read_csv("hospital/table")\nb = cloister.read_csv("registry/table")');

/** Drafts a notebook and submits it; under an idempotency key that was used before, sends the same job again. */
export async function submitNotebook({ agent }: Pick<Workbench, 'agent'>, request: DraftRequest, key?: string): Promise<JobView> {
  const plan = await agent.plan(request);
  const known = key === undefined ? undefined : await agent.findSubmission(key, plan);
  if (known !== undefined) return agent.resend(known);
  return agent.submit({ plan, draft: await agent.draft(plan) }, key === undefined ? {} : { idempotencyKey: key });
}
