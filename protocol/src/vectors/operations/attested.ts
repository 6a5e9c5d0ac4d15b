import * as z from 'zod/mini';
import { fromBase64Url } from '../../bytes/base64url.js';
import { digestOf } from '../../bytes/digest.js';
import type { Json } from '../../bytes/json.js';
import type { Check, CheckStatus } from '../../attestation/check.js';
import type { AttestationExpectation } from '../../attestation/expectation.js';
import { verifyAttestation } from '../../attestation/verify.js';
import { Attempt, Bytes32, Digest, Time } from '../../objects/primitives.js';
import { AppraisalPolicy, PinnedVerifier, Trust } from '../../objects/trust.js';
import type { ReportOutputs } from '../../report/outputs.js';
import { verifyReport } from '../../report/verify.js';
import { defineOperation, type Operation } from './operation.js';

const TokenExpectation = z.strictObject({
  audience: z.string(),
  nonce: Bytes32,
  policy: AppraisalPolicy,
  freshness: z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('release'), issuedAfter: Time }), z.strictObject({ kind: z.literal('report') })]),
  instance: z.optional(z.string())
});

/** Files by name, base64url. */
const Files = z.record(z.string(), z.string());
const Outputs = z.strictObject({ sealed: z.optional(Files), opened: z.optional(z.strictObject({ index: z.string(), files: Files })) });

/** Attestation results and reports: which checks did not pass, and the verdict. */
export const ATTESTED_OPERATIONS: Readonly<Record<string, Operation>> = {
  verifyAttestation: defineOperation(
    z.strictObject({ token: z.string(), verifiers: z.array(PinnedVerifier), expect: TokenExpectation, now: Time }),
    async ({ token, verifiers, expect, now }) => {
      const result = await verifyAttestation(token, { trust: { verifiers }, expect: expectationOf(expect), now: new Date(now) });
      return { accepted: result.accepted, simulated: result.simulated, ...notPassed(result.checks) };
    }
  ),
  verifyReport: defineOperation(
    z.strictObject({
      report: z.json(),
      trust: Trust,
      policy: z.optional(AppraisalPolicy),
      now: Time,
      outputs: z.optional(Outputs),
      expect: z.optional(z.strictObject({ job: Digest, attempt: Attempt }))
    }),
    async ({ report, trust, policy, now, outputs, expect }) => {
      const result = await verifyReport(report, {
        trust,
        now: new Date(now),
        ...(policy === undefined ? {} : { policy }),
        ...(outputs === undefined ? {} : { outputs: outputsOf(outputs) }),
        ...(expect === undefined ? {} : { expect })
      });
      return { verdict: result.verdict, ...notPassed(result.checks) };
    }
  )
};

function expectationOf({ freshness, instance, ...rest }: z.output<typeof TokenExpectation>): AttestationExpectation {
  const dated = freshness.kind === 'report' ? freshness : { kind: freshness.kind, issuedAfter: new Date(freshness.issuedAfter) };
  return { ...rest, freshness: dated, ...(instance === undefined ? {} : { instance }) };
}

const digestsOf = (files: Readonly<Record<string, string>>): Map<string, Digest> => new Map(Object.entries(files).map(([name, file]) => [name, digestOf(fromBase64Url(file))]));

function outputsOf({ sealed, opened }: z.output<typeof Outputs>): ReportOutputs {
  return {
    ...(sealed === undefined ? {} : { sealed: digestsOf(sealed) }),
    ...(opened === undefined ? {} : { opened: { index: fromBase64Url(opened.index), files: digestsOf(opened.files) } })
  };
}

/** Ids of checks by status, in the order of the checks. */
export function notPassed(checks: readonly Check[]): Record<'failed' | 'unknown' | 'skipped', Json[]> {
  const ids = (status: CheckStatus): Json[] => checks.filter(check => check.status === status).map(check => check.id);
  return { failed: ids('fail'), unknown: ids('unknown'), skipped: ids('skipped') };
}
