import { toBase64Url } from '../../bytes/base64url.js';
import { digestOfJson } from '../../bytes/digest.js';
import { toUtf8, fromUtf8 } from '../../bytes/text.js';
import { REPORT_CHECKS } from '../../report/checks/index.js';
import type { Report } from '../../objects/report.js';
import { POLICY } from '../../objects/policy.js';
import { CODE_OBLIGATIONS } from '../../policy/obligations.js';
import { WITNESS, type Witness } from '../../objects/witness.js';
import type { Signer } from '../../signed/keys.js';
import { signObject } from '../../signed/signed-object.js';
import { SIMULATOR_ISSUER } from '../../attestation/issuers.js';
import { ATTESTATION_CHECK_IDS } from '../../attestation/verify.js';
import type { Draft, FileDraft } from '../format.js';
import { createReport, witnessOf, type RunLies, type VectorRun } from '../run-world.js';
import { IMAGE, OTHER, type VectorWorld } from '../world.js';
import { SIMULATED_POLICY } from './attestation.js';

const FILES = ['own_job', 'sealed_outputs', 'opened_outputs'];
/** What a reader may leave out, where no broker witnessed the report. */
const OPTIONAL = ['witnesses', ...FILES];
/** Every check after the form, where the form does not hold. */
export const UNREADABLE = ['policy', ...REPORT_CHECKS.map(check => check.id), ...FILES];

interface Expected {
  readonly verdict: 'verified' | 'simulated' | 'failed' | 'inconclusive';
  readonly failed?: readonly string[];
  readonly unknown?: readonly string[];
  readonly skipped?: readonly string[];
}

export interface ReportCases {
  readonly verify: (name: string, report: unknown, expected: Expected, changes?: object) => Draft;
  /** A report whose signatures all hold and whose content lies, as the members that differ from the good one. */
  readonly lying: (lies: RunLies) => Promise<object>;
  readonly good: (changes?: object) => object;
}

const TRUST_POLICY = { ...SIMULATED_POLICY, attributes: 'any', projects: 'any', envOverrides: 'any' };

export function reportShared(world: VectorWorld, run: VectorRun): Record<string, unknown> {
  const { hospital, registry, verifier } = world;
  return {
    report: run.report,
    trust: {
      v: 1,
      owners: [hospital, registry].map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
      verifiers: [verifier.pinned(SIMULATOR_ISSUER, 'simulator')],
      images: [{ image: IMAGE, source: 'made for the vectors' }]
    },
    policy: TRUST_POLICY
  };
}

export function reportCases(world: VectorWorld, run: VectorRun): ReportCases {
  const good = (changes: object = {}): object => ({ $use: 'report', ...(Object.keys(changes).length === 0 ? {} : { $with: changes }) });
  return {
    good,
    lying: async lies => good(difference(run.report, await createReport(world, run, lies))),
    verify: (name, report, { verdict, failed = [], unknown = [], skipped = OPTIONAL }, changes = {}) => ({
      name,
      operation: 'verifyReport',
      input: { report, trust: { $use: 'trust' }, policy: { $use: 'policy' }, now: '2046-06-01T12:00:00.000Z', ...changes },
      expect: { ok: { verdict, failed, unknown, skipped } }
    })
  };
}

function difference(from: Report, to: Report): object {
  const kept = new Map<string, unknown>(Object.entries(from));
  return Object.fromEntries(Object.entries(to).filter(([member, value]) => JSON.stringify(value) !== JSON.stringify(kept.get(member))));
}

/** `*.attestation.json`: true ones, and lies that are signed, attested and canonical. */
export async function reportFile(world: VectorWorld, run: VectorRun): Promise<FileDraft> {
  const cases = reportCases(world, run);
  return {
    kind: 'report',
    about: 'Reports and what their verification says: the verdict and the checks that did not pass. Judged in 2046: a report is read for decades.',
    specs: ['in-toto Statement v1', 'RFC 7515', 'RFC 8785'],
    shared: reportShared(world, run),
    cases: [...(await trueCases(world, run, cases)), ...readerCases(world, cases), ...(await lyingCases(world, cases)), ...(await demandCases(world, cases)), ...(await witnessCases(world, run, cases)), ...formCases(run, cases), ...outputCases(world, run, cases)]
  };
}

async function trueCases({ manifest }: VectorWorld, run: VectorRun, { verify, good, lying }: ReportCases): Promise<Draft[]> {
  const [first, second, index] = run.files;
  if (first === undefined || second === undefined || index === undefined) throw new Error('three files are needed');
  const outputs = {
    sealed: Object.fromEntries(run.files.map(file => [file.subject, toBase64Url(file.sealed)])),
    opened: { index: toBase64Url(run.index), files: Object.fromEntries([first, second].map(file => [file.path, toBase64Url(file.content)])) }
  };
  return [
    verify('a true report by a pinned simulator is simulated, never verified', good(), { verdict: 'simulated' }),
    verify('with its outputs, and compared with the analyst’s own record', good(), { verdict: 'simulated', skipped: ['witnesses'] }, { outputs, expect: { job: manifest.digest, attempt: 1 } }),
    verify('with an OIDC token, by the archived key', await lying({ token: { kind: 'oidc' } }), { verdict: 'simulated' }),
    verify('of a notebook that failed', await lying({ predicate: predicate => ({ ...predicate, outcome: { status: 'failed', code: 'cell_failed' } }) }), { verdict: 'simulated' })
  ];
}

function readerCases({ manifest, hospital, stranger, verifier }: VectorWorld, { verify, good }: ReportCases): Draft[] {
  const trust = (changes: object): object => ({ trust: { $use: 'trust', $with: changes } });
  const pinned = verifier.pinned(SIMULATOR_ISSUER, 'simulator');
  const afterIssuer = ATTESTATION_CHECK_IDS.slice(ATTESTATION_CHECK_IDS.indexOf('issuer') + 1);
  return [
    verify('the reader has no reference values', good(), { verdict: 'inconclusive', unknown: ['image'] }, trust({ images: [] })),
    verify('the reader’s reference value is another image', good(), { verdict: 'failed', failed: ['image'] }, trust({ images: [{ image: OTHER, source: 'mine' }] })),
    verify('the policy names another image', good(), { verdict: 'failed', failed: ['image'] }, { policy: { $use: 'policy', $with: { images: [OTHER] } } }),
    verify('an owner is not pinned', good(), { verdict: 'inconclusive', unknown: ['owners'] }, trust({ owners: [{ thumbprint: hospital.owner.thumbprint, name: 'hospital' }] })),
    verify('another key is pinned under the owner’s name', good(), { verdict: 'inconclusive', unknown: ['owners'] }, trust({ owners: [{ thumbprint: stranger.thumbprint, name: 'hospital' }] })),
    verify('the verifier is not pinned', good(), { verdict: 'inconclusive', unknown: ['issuer'], skipped: [...afterIssuer, ...OPTIONAL] }, trust({ verifiers: [] })),
    verify('another root is pinned', good(), { verdict: 'failed', failed: ['key'], skipped: ['signature', ...OPTIONAL] }, trust({ verifiers: [{ ...pinned, roots: [{ fingerprint: OTHER, source: 'test' }] }] })),
    verify('another job than the analyst’s own', good(), { verdict: 'failed', failed: ['own_job'], skipped: ['witnesses', 'sealed_outputs', 'opened_outputs'] }, { expect: { job: OTHER, attempt: 1 } }),
    verify('another attempt than the analyst’s own', good(), { verdict: 'failed', failed: ['own_job'], skipped: ['witnesses', 'sealed_outputs', 'opened_outputs'] }, { expect: { job: manifest.digest, attempt: 2 } })
  ];
}

async function lyingCases({ stranger, registry, strangerIdentity }: VectorWorld, { verify, lying }: ReportCases): Promise<Draft[]> {
  const lies: [string, RunLies, string[]][] = [
    ['a session of another job', { session: { job: OTHER } }, ['job']],
    ['a session of another attempt', { session: { attempt: 2 } }, ['job']],
    ['receipts of another attempt', { receipt: receipt => ({ ...receipt, attempt: 2 }) }, ['job']],
    ['a receipt of another session', { receipt: receipt => ({ ...receipt, session: 'A'.repeat(43) }) }, ['session']],
    ['keys released to another machine', { receipt: receipt => ({ ...receipt, instance: 'other' }) }, ['same_machine']],
    ['a statement by another machine', { token: { instance: 'other' } }, ['same_machine']],
    ['a statement by another image', { token: { image: OTHER } }, ['image', 'runner_requirements', 'statement_image']],
    ['a statement that names another image', { predicate: p => ({ ...p, image: OTHER }) }, ['statement_image']],
    ['other inputs than signed', { predicate: p => ({ ...p, inputs: p.inputs.slice(0, 1) }) }, ['inputs']],
    ['a policy that the broker did not apply', { predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, policy: digestOfJson('lax') })) }) }, ['receipts']],
    ['a broker that the owner did not name', { predicate: p => ({ ...p, inputs: p.inputs.map(input => ({ ...input, broker: stranger.thumbprint })) }) }, ['receipts']],
    ['a receipt that grants another asset', { receipt: (receipt, owner) => (owner === registry ? { ...receipt, grants: receipt.grants.map(grant => ('asset' in grant ? { ...grant, asset: OTHER } : grant)) } : receipt) }, ['receipts', 'receipts_exact']],
    ['no receipt for the code', { receipt: receipt => ({ ...receipt, grants: receipt.grants.filter(grant => 'asset' in grant) }) }, ['receipts']],
    ['other receipts than the run used', { predicate: p => ({ ...p, receipts: [OTHER, ...p.receipts.slice(1)].sort() }) }, ['receipts_exact']],
    ['a receipt that grants more than the job asked for', { receipt: (receipt, owner) => (owner === registry ? { ...receipt, grants: [...receipt.grants, { bundle: OTHER, obligations: CODE_OBLIGATIONS }] } : receipt) }, ['receipts_exact']],
    ['success, though a cell did not run', { predicate: p => ({ ...p, cells: { done: 1, total: 2 } }) }, ['outcome']],
    ['other code than signed', { predicate: p => ({ ...p, code: { ...p.code, digest: OTHER } }) }, ['code']],
    ['other parameters than signed', { predicate: p => ({ ...p, code: { ...p.code, parameters: 'A'.repeat(43) } }) }, ['code']],
    ['weaker obligations than owed', { predicate: p => ({ ...p, obligations: { ...p.obligations, maxOutputBytes: 'any' } }) }, ['obligations']],
    ['a limit that was not kept', { predicate: p => ({ ...p, limits: { ...p.limits, maxOutputBytes: 'any' } }) }, ['obligations']],
    ['outputs sealed to somebody else', { predicate: p => ({ ...p, recipients: [strangerIdentity.recipient] }) }, ['recipients']],
    ['outputs sealed to one more', { predicate: p => ({ ...p, recipients: [...p.recipients, strangerIdentity.recipient] }) }, ['recipients']],
    ['an output without a commitment', { predicate: p => ({ ...p, outputs: p.outputs.slice(1) }) }, ['subjects']],
    ['no index', { subject: subject => subject.slice(0, -1) }, ['subjects']],
    ['an end before the start', { predicate: p => ({ ...p, timing: { started: p.timing.ended, ended: p.timing.started } }) }, ['timing']],
    ['a run that began before its keys were released', { predicate: p => ({ ...p, timing: { ...p.timing, started: '2026-06-01T11:00:00.000Z' } }) }, ['timing']],
    ['a run that began before one of its keys was released', { receipt: (receipt, owner) => (owner === registry ? { ...receipt, time: '2026-06-01T12:30:00.000Z' } : receipt) }, ['timing']],
    ['keys released after the manifest had expired', { receipt: receipt => ({ ...receipt, time: '2026-06-01T14:00:00.000Z' }) }, ['timing']],
    ['a token for another audience', { token: { audience: 'urn:cloister:release' } }, ['audience']],
    ['a token over another statement', { token: { nonces: ['A'.repeat(43)] } }, ['nonce']]
  ];
  return [
    ...(await Promise.all(lies.map(async ([name, lie, failed]) => verify(name, await lying(lie), { verdict: 'failed', failed })))),
    verify('a token by a chain to another root', await lying({ token: { kind: 'foreign-pki' } }), { verdict: 'failed', failed: ['key'], skipped: ['signature', ...OPTIONAL] })
  ];
}

/** Witnesses, by the brokers of the session and about this statement alone. */
async function witnessCases(world: VectorWorld, run: VectorRun, { verify, good }: ReportCases): Promise<Draft[]> {
  const { hospital, registry, stranger } = world;
  const honest = witnessOf(world, run);
  const by = async (signer: Signer, changes: Partial<Witness> = {}): Promise<string> => (await signObject(WITNESS, { ...honest, ...changes }, signer)).jws;
  const wrong = async (name: string, changes: Partial<Witness>): Promise<Draft> => verify(name, good({ witnesses: [await by(hospital.broker, changes)] }), { verdict: 'failed', failed: ['witnesses'], skipped: FILES });
  return [
    verify('witnessed by every broker', good({ witnesses: [await by(hospital.broker), await by(registry.broker)] }), { verdict: 'simulated', skipped: FILES }),
    verify('one witness twice', good({ witnesses: [await by(hospital.broker), await by(hospital.broker)] }), { verdict: 'failed', failed: ['witnesses'], skipped: FILES }),
    await wrong('a witness of another statement', { statement: OTHER }),
    await wrong('a witness of another attempt', { attempt: 2 }),
    await wrong('a witness of another session', { session: 'A'.repeat(43) }),
    await wrong('a witness from before the end', { time: '2026-06-01T11:00:00.000Z' }),
    verify('a witness by nobody’s broker', good({ witnesses: [await by(stranger)] }), { verdict: 'failed', failed: ['report_form'], skipped: UNREADABLE })
  ];
}

/** What the analyst demanded of the runner, and policies that a report carries. */
async function demandCases({ hospital, registry }: VectorWorld, { verify, lying, good }: ReportCases): Promise<Draft[]> {
  const elsewhere = await lying({ token: { image: OTHER }, predicate: p => ({ ...p, image: OTHER }) });
  const accepting = { trust: { $use: 'trust', $with: { images: [{ image: OTHER, source: 'mine' }] } }, policy: { $use: 'policy', $with: { images: [OTHER] } } };
  const later = await signObject(POLICY, { ...hospital.policy.payload, version: 2 }, hospital.owner);
  return [
    verify('a program that the reader takes and the analyst did not', elsewhere, { verdict: 'failed', failed: ['runner_requirements'] }, accepting),
    verify('the policies that were applied', good({ policies: [hospital.policy.jws, registry.policy.jws] }), { verdict: 'simulated' }),
    verify('a policy that was not applied', good({ policies: [later.jws] }), { verdict: 'failed', failed: ['policies'] }),
    verify('one policy twice', good({ policies: [hospital.policy.jws, hospital.policy.jws] }), { verdict: 'failed', failed: ['policies'] })
  ];
}

function formCases({ report }: VectorRun, { verify, good }: ReportCases): Draft[] {
  const bad = (name: string, input: unknown): Draft => verify(name, input, { verdict: 'failed', failed: ['report_form'], skipped: UNREADABLE });
  const flip = (text: string): string => `${text.slice(0, -20)}${text.at(-20) === 'A' ? 'B' : 'A'}${text.slice(-19)}`;
  const [receipt = '', ...receipts] = report.receipts;
  const [descriptor = '', ...descriptors] = report.descriptors;
  return [
    bad('not an object', []),
    bad('another version', good({ v: 2 })),
    bad('an unknown member', good({ jwks: { keys: [] } })),
    bad('two tokens', good({ tokens: [report.tokens[0], report.tokens[0]] })),
    bad('a witness that is no signed object', good({ witnesses: ['x'] })),
    bad('no receipts', good({ receipts: [] })),
    bad('a statement that is not base64', good({ statement: `${report.statement}=` })),
    bad('the manifest changed', good({ manifest: flip(report.manifest) })),
    bad('a descriptor changed', good({ descriptors: [flip(descriptor), ...descriptors] })),
    bad('a receipt changed', good({ receipts: [flip(receipt), ...receipts] })),
    bad('a session with a blank', good({ session: ` ${report.session}` })),
    bad('a descriptor left out, whose broker gave a receipt', good({ descriptors: report.descriptors.slice(0, 1) })),
    verify('a receipt left out', good({ receipts }), { verdict: 'failed', failed: ['receipts', 'receipts_exact'] }),
    verify('the same receipt twice', good({ receipts: [receipt, receipt, ...receipts] }), { verdict: 'failed', failed: ['receipts', 'receipts_exact'] })
  ];
}

function outputCases(_: VectorWorld, run: VectorRun, { verify, good }: ReportCases): Draft[] {
  const sealed = Object.fromEntries(run.files.map(file => [file.subject, toBase64Url(file.sealed)]));
  const files = Object.fromEntries(run.files.filter(file => file.subject !== 'index').map(file => [file.path, toBase64Url(file.content)]));
  const index = toBase64Url(run.index);
  const other = toBase64Url(toUtf8('changed'));
  const renamed = toBase64Url(toUtf8(fromUtf8(run.index).replace('metrics.json', 'results.json')));
  const without = (from: Record<string, string>, name: string): Record<string, string> => Object.fromEntries(Object.entries(from).filter(([key]) => key !== name));
  const badSealed = (name: string, changed: object): Draft => verify(name, good(), { verdict: 'failed', failed: ['sealed_outputs'], skipped: ['witnesses', 'own_job', 'opened_outputs'] }, { outputs: { sealed: changed } });
  const badOpened = (name: string, changed: object): Draft => verify(name, good(), { verdict: 'failed', failed: ['opened_outputs'], skipped: ['witnesses', 'own_job', 'sealed_outputs'] }, { outputs: { opened: { index, files, ...changed } } });
  return [
    badSealed('a sealed output changed', { ...sealed, 'output/0': other }),
    badSealed('a sealed output missing', without(sealed, 'output/1')),
    badSealed('the sealed index missing', without(sealed, 'index')),
    badSealed('one sealed output too many', { ...sealed, 'output/2': other }),
    badSealed('two sealed outputs swapped', { ...sealed, 'output/0': sealed['output/1'], 'output/1': sealed['output/0'] }),
    badOpened('an opened output changed', { files: { ...files, 'outputs/metrics.json': other } }),
    badOpened('an opened output missing', { files: without(files, 'outputs/metrics.json') }),
    badOpened('an index that names an output otherwise', { index: renamed, files: { ...without(files, 'outputs/metrics.json'), 'outputs/results.json': files['outputs/metrics.json'] } }),
    badOpened('a file that the run did not make', { files: { ...files, 'outputs/more.json': other } }),
    badOpened('an index with a blank', { index: toBase64Url(toUtf8(` ${fromUtf8(run.index)}`)) }),
    badOpened('no index', { index: '' })
  ];
}
