import { GOOGLE_ISSUER, INTEL_ISSUER, MANIFEST, SIMULATOR_ISSUER, createAppraisal, signObject, type AppraisalPolicy, type Digest, type Report, type Trust } from '@cloister/protocol';
import { createTestReport, createTestVerifier, createTestWorld, type TestReportOptions, type TestVerifier, type TestWorld } from '@cloister/protocol/testing';

export const NOW = new Date('2026-03-01T12:00:00.000Z');

/** A report that was really signed, and the trust by which it holds. */
export interface IMadeReport {
  readonly report: Report;
  readonly job: Digest;
  readonly code: Digest;
  readonly trust: Trust;
  readonly policy: AppraisalPolicy;
}

export type Maker = 'hardware' | 'intel' | 'simulator';

const VERIFIERS = {
  hardware: { kind: 'google', issuer: GOOGLE_ISSUER, model: 'GCP_AMD_SEV' },
  intel: { kind: 'intel', issuer: INTEL_ISSUER, model: 'INTEL_TDX' },
  simulator: { kind: 'simulator', issuer: SIMULATOR_ISSUER, model: 'SIMULATED' }
} as const;

/** RSA keys take seconds to make; one verifier of a kind serves all tests of a file. */
const made: Partial<Record<Maker, Promise<TestVerifier>>> = {};

/** A report as a runner makes it, attested by a simulator or by a verifier that says the hardware is genuine. */
export async function makeReport(maker: Maker = 'hardware', options: TestReportOptions = {}): Promise<IMadeReport> {
  const { kind, issuer, model } = VERIFIERS[maker];
  const verifier = await (made[maker] ??= createTestVerifier({ kind, issuer, hardware: model }));
  const world = await demanding(await createTestWorld({ now: NOW, owners: ['hospital', 'registry'] }), issuer, model);
  const { report } = await createTestReport(world, verifier, options);
  const owners = world.owners.map(({ owner, name }) => ({ thumbprint: owner.thumbprint, name }));
  return {
    report,
    job: world.manifest.digest,
    code: world.manifest.payload.code.digest,
    trust: { v: 1, owners, verifiers: [verifier.pinned], images: [{ image: world.image, source: 'a test' }] },
    policy: createAppraisal({ verifiers: [issuer], images: [world.image], hardware: [model], attributes: 'any', projects: 'any', envOverrides: 'any' })
  };
}

/** The same job, with an analyst who demands this verifier and this hardware. */
async function demanding(world: TestWorld, issuer: string, hardware: string): Promise<TestWorld> {
  const { payload } = world.manifest;
  const runner = { ...payload.code.runner, verifiers: [issuer], hardware: [hardware] };
  return { ...world, manifest: await signObject(MANIFEST, { ...payload, code: { ...payload.code, runner } }, world.analyst) };
}

/** Text as JupyterLab hands over a file: base64 in lines. */
export function asFile(content: unknown): string {
  const bytes = new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
  return inBase64(bytes);
}

export function inBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/(.{76})/g, '$1\n');
}
