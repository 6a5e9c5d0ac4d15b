import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { GOOGLE_ISSUER, MANIFEST, createAppraisal, signObject, type AppraisalPolicy, type Trust } from '@cloister/protocol';
import { createTestReport, createTestVerifier, createTestWorld, type TestReport, type TestReportOptions, type TestVerifier, type TestWorld } from '@cloister/protocol/testing';

/** Where a test looks at reports that hardware vouches for: a folder, a run of two owners' data, and whom to trust. */
export interface ReportDesk {
  readonly folder: string;
  readonly world: TestWorld;
  readonly verifier: TestVerifier;
  readonly trust: Trust;
  readonly policy: AppraisalPolicy;
  readonly first: TestReport;
  /** Another statement of the same attempt. */
  readonly second: TestReport;
  /** Writes a file below the folder, an object as JSON; gives its path. */
  readonly put: (name: string, content: unknown) => Promise<string>;
  /** A folder of opened outputs, as `cloister outputs` makes one. */
  readonly unseal: (name: string, report: TestReport) => Promise<string>;
  readonly remove: () => Promise<void>;
}

export async function createReportDesk(): Promise<ReportDesk> {
  const folder = await mkdtemp(join(tmpdir(), 'cloister-desk-'));
  const now = new Date(Date.now() - 60_000);
  const verifier = await createTestVerifier({ kind: 'google', seen: now });
  const world = await createHardwareWorld(now);
  const [first, second] = [await createTestReport(world, verifier), await createTestReport(world, verifier)];
  const put: ReportDesk['put'] = async (name, content) => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
    return path;
  };
  return {
    folder, world, verifier, first, second, put,
    trust: { v: 1, owners: world.owners.map(({ name, owner }) => ({ name, thumbprint: owner.thumbprint })), verifiers: [verifier.pinned], images: [{ image: world.image, source: 'made by a test' }] },
    policy: createAppraisal({ verifiers: [GOOGLE_ISSUER], images: [world.image], projects: 'any' }),
    unseal: async (name, report) => {
      await put(join(name, 'index.json'), report.index);
      for (const [path, bytes] of report.opened) await put(join(name, path), bytes);
      return join(folder, name);
    },
    remove: async () => rm(folder, { recursive: true })
  };
}

/** Its analyst demands hardware. */
async function createHardwareWorld(now: Date): Promise<TestWorld> {
  const made = await createTestWorld({ now, owners: ['hospital', 'registry'] });
  const { payload } = made.manifest;
  const runner = { ...payload.code.runner, verifiers: [GOOGLE_ISSUER], hardware: ['GCP_INTEL_TDX'] };
  return { ...made, manifest: await signObject(MANIFEST, { ...payload, code: { ...payload.code, runner } }, made.analyst) };
}

/** One report of the same world with something changed before it was signed. */
export async function anotherReport({ world, verifier }: ReportDesk, options: TestReportOptions): Promise<TestReport> {
  return createTestReport(world, verifier, options);
}
