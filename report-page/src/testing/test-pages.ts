import { GOOGLE_ISSUER, MANIFEST, SIMULATOR_ISSUER, createAppraisal, signObject, toUtf8, type Digest, type Trust } from '@cloister/protocol';
import { createTestReport, createTestVerifier, createTestWorld, type TestReportOptions, type TestVerifier, type TestWorld } from '@cloister/protocol/testing';
import type { ReportPageInput } from '../build-report-page.js';

/** When the runs of these reports were; pages are exported a little later. */
export const RUN_AT = new Date('2026-06-01T12:00:00.000Z');
const EXPORTED_AT = new Date('2026-06-02T08:30:00.000Z');

export interface TestPageOptions extends TestReportOptions {
  /** A verifier of the kind that stands on hardware, with keys of the test. */
  readonly genuine?: boolean;
}

/** A report with the trust and the policy that fit it: simulated, or verified where it is genuine. */
export async function createTestPage({ genuine = false, ...options }: TestPageOptions = {}): Promise<ReportPageInput> {
  const verifier = genuine ? await createTestVerifier({ kind: 'google', issuer: GOOGLE_ISSUER, hardware: 'GCP_INTEL_TDX' }) : await createTestVerifier();
  const issuer = genuine ? GOOGLE_ISSUER : SIMULATOR_ISSUER;
  const world = await createWorld(issuer);
  const { report } = await createTestReport(world, verifier, options);
  return {
    report: toUtf8(JSON.stringify(report)),
    trust: trustOf(world, verifier),
    policy: createAppraisal({ verifiers: [issuer], images: [world.image], projects: 'any', hardware: genuine ? 'any' : ['SIMULATED'] }),
    exportedAt: EXPORTED_AT
  };
}

async function createWorld(issuer: string): Promise<TestWorld> {
  const rule = { verifiers: [issuer], hardware: 'any' as const, maxOutputBytes: 1_000_000 };
  const world = await createTestWorld({ now: RUN_AT, owners: ['hospital', 'registry'], rule });
  const { payload } = world.manifest;
  const runner = { verifiers: [issuer], images: [world.image], hardware: issuer === SIMULATOR_ISSUER ? ['SIMULATED'] : ('any' as const), debug: false as const };
  return { ...world, manifest: await signObject(MANIFEST, { ...payload, code: { ...payload.code, runner } }, world.analyst) };
}

function trustOf({ owners, image }: { readonly owners: TestWorld['owners']; readonly image: Digest }, { pinned }: TestVerifier): Trust {
  return { v: 1, owners: owners.map(({ name, owner }) => ({ name, thumbprint: owner.thumbprint })), verifiers: [pinned], images: [{ image, source: 'built here, twice, with the same digest' }] };
}

/** The input with its report changed as text. */
export function changeReport(input: ReportPageInput, change: (text: string) => string): ReportPageInput {
  return { ...input, report: toUtf8(change(new TextDecoder().decode(input.report))) };
}

/** One letter of the manifest's payload is another. */
export function tamper(text: string): string {
  const at = text.indexOf('"manifest":"') + 400;
  return `${text.slice(0, at)}${text.charAt(at) === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}
