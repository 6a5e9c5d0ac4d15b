import { digestOfJson, labelledHash } from '../bytes/digest.js';
import { jcs } from '../bytes/jcs.js';
import type { Json } from '../bytes/json.js';
import { compareUtf8 } from '../bytes/text.js';
import { expectEqual, fail, pass, unknown, type CheckOutcome } from '../attestation/check.js';
import type { Claims } from '../attestation/claims.js';
import type { Trust } from '../objects/trust.js';
import type { Grant } from '../objects/release.js';
import { intersectObligations } from '../policy/obligations.js';
import type { ReportEvidence } from './evidence.js';

/** What a check of a report may look at. */
export interface ReportContext {
  readonly evidence: ReportEvidence;
  readonly claims: Claims | undefined;
  readonly trust: Trust;
}

/** A pure question about a report whose parts could be read. */
export interface ReportCheck {
  readonly id: string;
  readonly title: string;
  readonly run: (context: ReportContext) => CheckOutcome;
}

const SKEW_MS = 60_000;

const job: ReportCheck = {
  id: 'job',
  title: 'Statement, session and receipts are of one job and attempt',
  run: ({ evidence }) => {
    const { manifest, session, receipts, statement } = evidence;
    const wanted = { job: manifest.digest, attempt: statement.predicate.attempt };
    const all = [statement.predicate, session, ...receipts.map(receipt => receipt.payload)];
    const stranger = all.find(part => part.job !== wanted.job || part.attempt !== wanted.attempt);
    if (stranger !== undefined) return fail(wanted, { job: stranger.job, attempt: stranger.attempt });
    return statement.predicate.attempt <= manifest.payload.maxAttempts ? pass(wanted) : fail(manifest.payload.maxAttempts, wanted.attempt);
  }
};

const session: ReportCheck = {
  id: 'session',
  title: 'Keys were released to the session that made the statement',
  run: ({ evidence }) => {
    const nonces = [evidence.statement.predicate.session, ...evidence.receipts.map(receipt => receipt.payload.session)];
    const stranger = nonces.find(nonce => nonce !== evidence.sessionNonce);
    return stranger === undefined ? pass(evidence.sessionNonce) : fail(evidence.sessionNonce, stranger);
  }
};

const instance: ReportCheck = {
  id: 'same_machine',
  title: 'The machine that got the keys made the statement',
  run: ({ evidence, claims }) => {
    const names = [...new Set(evidence.receipts.map(receipt => receipt.payload.instance))];
    return names.length === 1 && names[0] === claims?.instance ? pass(names[0]) : fail(names, claims?.instance);
  }
};

const owners: ReportCheck = {
  id: 'owners',
  title: 'Every input was described by an owner that you pinned',
  run: ({ evidence, trust }) => {
    const pinned = new Map(trust.owners.map(owner => [owner.thumbprint, owner.name]));
    const strangers = evidence.descriptors.filter(descriptor => !pinned.has(descriptor.payload.owner));
    if (strangers.length > 0) return unknown(`not pinned: ${strangers.map(descriptor => descriptor.payload.owner).join(', ')}`);
    return pass(evidence.descriptors.map(({ payload }) => `${pinned.get(payload.owner) ?? payload.owner}/${payload.name} version ${payload.version}`));
  }
};

const requirements: ReportCheck = {
  id: 'runner_requirements',
  title: 'The program and hardware are ones that the analyst demanded for her code',
  run: ({ evidence, claims }) => {
    const { verifiers, images, hardware } = evidence.manifest.payload.code.runner;
    const ran = { verifier: claims?.issuer ?? null, image: claims?.image ?? null, hardware: claims?.hardware ?? null };
    const met =
      verifiers.some(issuer => issuer === claims?.issuer) &&
      images.some(digest => digest === claims?.image) &&
      (hardware === 'any' || hardware.some(model => model === claims?.hardware));
    return met ? pass(ran) : fail({ verifiers, images, hardware }, ran);
  }
};

const inputs: ReportCheck = {
  id: 'inputs',
  title: 'It read exactly the inputs that the analyst signed',
  run: ({ evidence }) => {
    const signed = evidence.manifest.payload.inputs.map(input => [input.name, input.asset]);
    const ran = evidence.statement.predicate.inputs.map(input => [input.name, input.asset]);
    const described = evidence.descriptors.map(descriptor => descriptor.digest);
    if (jcs(signed) !== jcs(ran)) return fail(signed, ran);
    const misnamed = evidence.manifest.payload.inputs.find(input => nameOf(evidence, input.asset) !== input.name.split('/')[1]);
    if (misnamed !== undefined) return fail(nameOf(evidence, misnamed.asset) ?? 'a descriptor', misnamed.name, 'the owner calls this asset otherwise');
    const named = signed.map(([, asset]) => asset ?? '');
    return jcs([...described].sort(compareUtf8)) === jcs([...named].sort(compareUtf8)) ? pass(signed) : fail(named, described);
  }
};

function nameOf(evidence: ReportEvidence, asset: string): string | undefined {
  return evidence.descriptors.find(descriptor => descriptor.digest === asset)?.payload.name;
}

const receipts: ReportCheck = {
  id: 'receipts',
  title: 'Every key was released by the broker that its owner named, under the policy that the statement names',
  run: ({ evidence }) => {
    const { statement, descriptors, manifest } = evidence;
    for (const input of statement.predicate.inputs) {
      const broker = descriptors.find(descriptor => descriptor.digest === input.asset)?.payload.custodians[0].broker;
      if (broker === undefined || input.broker !== broker) return fail(broker ?? 'a descriptor', input.broker);
      const grants = grantsBy(evidence, broker).filter(grant => 'asset' in grant && grant.asset === input.asset);
      if (grants.length !== 1) return fail(`one receipt for ${input.name}`, grants.length);
      const [grant] = grants;
      if (grant === undefined || !('policy' in grant) || grant.policy !== input.policy) return fail(input.policy, grant);
    }
    const custodians = new Set<string>(manifest.payload.code.custodians.map(custodian => custodian.broker));
    const code = evidence.receipts.filter(({ signer, payload }) => custodians.has(signer) && payload.grants.some(grant => 'bundle' in grant));
    return code.length > 0 ? pass(evidence.receipts.map(receipt => ({ broker: receipt.signer, time: receipt.payload.time }))) : fail('a receipt for the code', 'none');
  }
};

/** No receipt but the ones that the statement lists, one a broker of the session, and no grant that the job did not ask for. */
const exactReceipts: ReportCheck = {
  id: 'receipts_exact',
  title: 'There are exactly the receipts that the statement lists, for this job’s inputs and code only',
  run: ({ evidence }) => {
    const { receipts: given, session: { challenges }, statement, manifest } = evidence;
    const listed = statement.predicate.receipts;
    const digests = given.map(receipt => receipt.digest).sort(compareUtf8);
    if (jcs(digests) !== jcs(listed)) return fail([...listed], digests);
    const asked = new Set<string>(challenges.map(challenge => challenge.broker));
    const signers = given.map(receipt => receipt.signer);
    if (new Set(signers).size !== signers.length || signers.some(signer => !asked.has(signer))) return fail([...asked], signers);
    const wanted = new Set<string>([...manifest.payload.inputs.map(input => input.asset), manifest.payload.code.bundle]);
    const strange = given.flatMap(receipt => receipt.payload.grants).find(grant => !wanted.has('asset' in grant ? grant.asset : grant.bundle));
    return strange === undefined ? pass(signers) : fail([...wanted], strange);
  }
};

const policies: ReportCheck = {
  id: 'policies',
  title: 'Policies that the report carries are the ones that were applied',
  run: ({ evidence }) => {
    const applied = new Map<string, string>(evidence.statement.predicate.inputs.map(input => [input.policy, input.asset]));
    const strange = evidence.policies.find(policy => {
      const descriptor = evidence.descriptors.find(({ digest }) => digest === applied.get(policy.digest));
      return descriptor?.payload.owner !== policy.signer || descriptor.payload.name !== policy.payload.asset.name;
    });
    if (strange !== undefined) return fail([...applied.keys()], strange.digest);
    return new Set(evidence.policies.map(policy => policy.digest)).size === evidence.policies.length ? pass(evidence.policies.length) : fail('each once', evidence.policies.length);
  }
};

const outcome: ReportCheck = {
  id: 'outcome',
  title: 'The outcome fits the cells that ran',
  run: ({ evidence }) => {
    const { outcome: said, cells } = evidence.statement.predicate;
    const fits = said.status === 'succeeded' ? cells.done === cells.total : cells.done <= cells.total;
    return fits ? pass({ ...said, cells }) : fail('all cells done where it succeeded', { ...said, cells });
  }
};

function grantsBy(evidence: ReportEvidence, broker: string): readonly Grant[] {
  return evidence.receipts.filter(receipt => receipt.signer === broker).flatMap(receipt => receipt.payload.grants);
}

const code: ReportCheck = {
  id: 'code',
  title: 'It ran exactly the code, parameters and environment that the analyst signed',
  run: ({ evidence }) => {
    const { digest, bundle, environment, parameters } = evidence.manifest.payload.code;
    const signed = { digest, bundle, environment, parameters };
    const ran = evidence.statement.predicate.code;
    return jcs(signed) === jcs(ran) ? pass(ran) : fail(signed, ran);
  }
};

const image: ReportCheck = {
  id: 'statement_image',
  title: 'The statement names the program that the hardware measured',
  run: ({ evidence, claims }) => expectEqual(evidence.statement.predicate.image, claims?.image)
};

const obligations: ReportCheck = {
  id: 'obligations',
  title: 'It kept what the owners bound it to',
  run: ({ evidence }) => {
    const owed = intersectObligations(evidence.receipts.flatMap(receipt => receipt.payload.grants.map(grant => grant.obligations)));
    const { predicate } = evidence.statement;
    const kept: Json = { ...predicate.obligations, reviewers: [] };
    if (digestOfJson(owed) !== digestOfJson(predicate.obligations)) return fail({ ...owed, reviewers: [] }, kept);
    if (predicate.limits.maxOutputBytes !== owed.maxOutputBytes) return fail(owed.maxOutputBytes, predicate.limits.maxOutputBytes);
    if (owed.expires !== 'any' && predicate.timing.ended > owed.expires) return fail(owed.expires, predicate.timing.ended);
    return pass(kept);
  }
};

const recipients: ReportCheck = {
  id: 'recipients',
  title: 'Outputs were sealed to the recipients that the analyst signed, and to nobody else',
  run: ({ evidence }) => {
    const signed = evidence.manifest.payload.outputs.recipients;
    const sealed = evidence.statement.predicate.recipients;
    return jcs(signed) === jcs(sealed) ? pass(sealed) : fail(signed, sealed);
  }
};

const subjects: ReportCheck = {
  id: 'subjects',
  title: 'Every output has one digest and one commitment, and the index is among them',
  run: ({ evidence }) => {
    const names = evidence.statement.subject.map(subject => subject.name);
    const committed = evidence.statement.predicate.outputs.map(output => output.name);
    const wanted = [...names.slice(0, -1).map((_, at) => `output/${at}`), 'index'];
    if (jcs(names) !== jcs(wanted)) return fail(wanted, names);
    return jcs(names) === jcs(committed) ? pass(names.length) : fail(names, committed);
  }
};

const timing: ReportCheck = {
  id: 'timing',
  title: 'Times follow one another: keys, run, statement',
  run: ({ evidence, claims }) => {
    const { started, ended } = evidence.statement.predicate.timing;
    const released = evidence.receipts.map(receipt => Date.parse(receipt.payload.time));
    const order = [Math.max(...released) - SKEW_MS, Date.parse(started), Date.parse(ended), (claims?.issuedAt ?? 0) * 1000 + SKEW_MS];
    const holds = order.every((time, at) => at === 0 || (order[at - 1] ?? 0) <= time);
    const beforeEnd = Math.max(...released) <= Date.parse(evidence.manifest.payload.notAfter) + SKEW_MS;
    return holds && beforeEnd ? pass({ started, ended }) : fail('release, start, end, attestation in this order, before the manifest expires', { started, ended });
  }
};

/** All questions, in the order in which a person would ask them. All are asked, whatever the first ones say. */
export const REPORT_CHECKS: readonly ReportCheck[] = [
  job,
  session,
  instance,
  owners,
  inputs,
  requirements,
  receipts,
  exactReceipts,
  policies,
  code,
  image,
  obligations,
  recipients,
  subjects,
  outcome,
  timing
];

/** `H("cloister/output/v1", salt || SHA-256(plaintext))`. */
export function outputCommitment(salt: Uint8Array, plaintextSha256: Uint8Array): string {
  return labelledHash('cloister/output/v1', salt, plaintextSha256);
}
