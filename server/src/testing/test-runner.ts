import { AppError, RELEASE_AUDIENCE, sessionNonce, type Digest, type Report, type RunPredicate, type Session, type Thumbprint } from '@cloister/protocol';
import { createTestReport, createTestSigner, type TestVerifier, type TestWorld } from '@cloister/protocol/testing';
import { instanceName } from '../backends/port.js';
import type { AttemptService } from '../jobs/attempt-service.js';

/** What a runner of one attempt will say: its keys, outputs and report, made beforehand. */
export interface RunnerScript {
  readonly attempt: number;
  readonly instance: string;
  /** Thumbprint of the key that signs its requests. */
  readonly signer: Thumbprint;
  readonly session: Session;
  readonly report: Report;
  /** Sealed files by subject name. */
  readonly sealed: ReadonlyMap<string, Uint8Array>;
}

export interface ScriptOptions {
  readonly attempt: number;
  readonly key?: Thumbprint;
  readonly outcome?: RunPredicate['outcome'];
}

export async function scriptRunner(world: TestWorld, verifier: TestVerifier, options: ScriptOptions): Promise<RunnerScript> {
  const { attempt, outcome } = options;
  const key = options.key ?? (await createTestSigner()).thumbprint;
  const instance = instanceName(world.manifest.digest, attempt);
  const { report, session, sealed } = await createTestReport(world, verifier, {
    session: { key, attempt },
    receipt: receipt => ({ ...receipt, attempt, instance }),
    witness: witness => ({ ...witness, attempt }),
    predicate: predicate => ({ ...predicate, attempt, ...(outcome === undefined ? {} : { outcome }) }),
    instance
  });
  return { attempt, instance, signer: key, session, report, sealed };
}

export async function releaseToken(world: TestWorld, verifier: TestVerifier, script: RunnerScript, issuedAt: Date): Promise<string> {
  return verifier.mint({ audience: RELEASE_AUDIENCE, nonces: [sessionNonce(script.report.session)], image: world.image, instance: script.instance, issuedAt });
}

type Step = (attempts: AttemptService) => Promise<unknown>;

/** The calls of a runner in order, each of which may be made again. */
export function stepsOf(job: Digest, script: RunnerScript, token: () => Promise<string>, digestOf: (bytes: Uint8Array) => Digest): Step[] {
  const { signer, report, sealed } = script;
  const ref = { job, attempt: script.attempt };
  let stored: Digest | undefined;
  return [
    async attempts => attempts.describe(ref),
    async attempts => attempts.admit(ref, { signer, session: report.session, token: await token() }),
    async attempts => attempts.progress(ref, signer, { state: 'running', cells: { done: 0, total: 1 } }),
    async attempts => attempts.progress(ref, signer, { state: 'sealing', cells: { done: 1, total: 1 } }),
    ...[...sealed].map(([name, bytes]): Step => {
      const output = name === 'index' ? 'index' : Number(name.slice('output/'.length));
      return async attempts => attempts.putOutput(ref, signer, output, { bytes: once(bytes), digest: digestOf(bytes) });
    }),
    async attempts => {
      stored = await attempts.putReport(ref, signer, report);
    },
    async attempts => {
      if (stored === undefined) throw new AppError('internal', 'the report comes before the pointer');
      return attempts.publish(ref, signer, stored);
    }
  ];
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
