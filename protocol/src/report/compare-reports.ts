import { jcs, parseJcs } from '../bytes/jcs.js';
import type { Json } from '../bytes/json.js';
import { compareUtf8 } from '../bytes/text.js';
import { at, readTokenClaims, type Claims } from '../attestation/claims.js';
import { isObject } from '../attestation/token.js';
import { OutputIndex } from '../objects/report.js';
import type { ReportEvidence } from './evidence.js';
import { checkOpened, type ReportOutputs } from './outputs.js';

/** What is compared, in the order in which a person would ask. */
export type ReportSection = (typeof SECTIONS)[number]['section'] | 'parameters' | 'outputs';

/**
 * One finding about one section: that it is the same, that something in it differs, or that this cannot be told.
 * `what` is for people; `a` and `b` are null where a report has no such thing.
 */
export type ReportDifference =
  | { readonly section: ReportSection; readonly status: 'same' }
  | { readonly section: ReportSection; readonly status: 'different'; readonly what: string; readonly a: Json; readonly b: Json }
  | { readonly section: ReportSection; readonly status: 'unknown'; readonly what: string };

/** Opened outputs with their index, without which contents cannot be compared. */
export interface OpenedOutputs {
  readonly a: NonNullable<ReportOutputs['opened']>;
  readonly b: NonNullable<ReportOutputs['opened']>;
}

interface Side {
  readonly evidence: ReportEvidence;
  /** Of the report's token; undefined where it cannot be read. */
  readonly claims: Claims | undefined;
}

type Facts = Readonly<Record<string, Json | undefined>>;

interface FactSection {
  readonly section: string;
  readonly facts: (side: Side) => Facts;
}

/** The sealed bundle is left out: it differs whenever the same code is sealed anew. `code` is the digest of what it holds. */
const SECTIONS = [
  { section: 'job', facts: ({ evidence }) => ({ job: evidence.manifest.digest, attempt: evidence.statement.predicate.attempt }) },
  { section: 'analyst', facts: ({ evidence }) => ({ analyst: evidence.manifest.payload.analyst }) },
  { section: 'code', facts: ({ evidence }) => ({ code: evidence.statement.predicate.code.digest }) },
  { section: 'environment', facts: ({ evidence }) => ({ environment: evidence.statement.predicate.code.environment }) },
  { section: 'image', facts: ({ evidence, claims }) => ({ image: evidence.statement.predicate.image, 'measured image': claims?.image }) },
  { section: 'verifier', facts: ({ claims }) => ({ issuer: claims?.issuer }) },
  { section: 'hardware', facts: ({ claims }) => ({ hardware: claims?.hardware, 'confidential GPU': gpuOf(claims) }) },
  { section: 'tcb', facts: ({ claims }) => ({ 'firmware status': at(claims?.raw ?? {}, 'tdx'), 'firmware vendor': at(claims?.raw ?? {}, 'attester_tcb') }) },
  { section: 'os', facts: ({ claims }) => ({ 'operating system': at(claims?.raw ?? {}, 'swname'), 'operating system version': at(claims?.raw ?? {}, 'swversion') }) },
  { section: 'policies', facts: ({ evidence }) => byName(evidence, ({ policy }) => policy) },
  { section: 'inputs', facts: ({ evidence }) => byName(evidence, input => inputFacts(evidence, input)) },
  { section: 'obligations', facts: ({ evidence }) => ({ ...evidence.statement.predicate.obligations, reviewers: [] }) },
  { section: 'limits', facts: ({ evidence }) => ({ ...evidence.statement.predicate.limits }) },
  { section: 'sandbox', facts: ({ evidence }) => sandboxFacts(evidence) },
  { section: 'recipients', facts: ({ evidence }) => ({ recipients: [...evidence.statement.predicate.recipients].sort(compareUtf8) }) },
  { section: 'outcome', facts: ({ evidence }) => ({ outcome: { ...evidence.statement.predicate.outcome } }) },
  { section: 'cells', facts: ({ evidence }) => ({ ...evidence.statement.predicate.cells }) },
  { section: 'timing', facts: ({ evidence }) => ({ ...evidence.statement.predicate.timing }) },
  { section: 'session', facts: side => sessionFacts(side) }
] as const satisfies readonly FactSection[];

/**
 * What differs between two reports, section by section. It says nothing about whether either is true: the caller verifies
 * both. Salted and sealed things differ at every run though what is in them is equal, so of these it says only what it can.
 */
export function compareReports(a: ReportEvidence, b: ReportEvidence, opened?: OpenedOutputs): ReportDifference[] {
  const [left, right] = [sideOf(a), sideOf(b)];
  return [
    ...SECTIONS.flatMap(({ section, facts }) => compareFacts(section, facts(left), facts(right))),
    ...compareParameters(a, b),
    ...compareOutputs(a, b, opened)
  ];
}

function sideOf(evidence: ReportEvidence): Side {
  return { evidence, claims: readTokenClaims(evidence.token) };
}

function compareFacts(section: ReportSection, a: Facts, b: Facts): ReportDifference[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const different = names.flatMap((what): ReportDifference[] => {
    const [left, right] = [own(a, what), own(b, what)];
    return jcs(left) === jcs(right) ? [] : [{ section, status: 'different', what, a: left, b: right }];
  });
  return different.length > 0 ? different : [{ section, status: 'same' }];
}

/** Names come from reports: `__proto__` is a name like any other. */
function own(facts: Facts, name: string): Json {
  return (Object.hasOwn(facts, name) ? facts[name] : undefined) ?? null;
}

type Input = ReportEvidence['statement']['predicate']['inputs'][number];

function byName({ statement }: ReportEvidence, fact: (input: Input) => Json): Facts {
  return Object.fromEntries(statement.predicate.inputs.map(input => [input.name, fact(input)]));
}

function inputFacts({ descriptors }: ReportEvidence, { asset, broker }: Input): Json {
  const payload = descriptors.find(descriptor => descriptor.digest === asset)?.payload;
  if (payload === undefined) return { asset, broker };
  const { owner, name, version, digest } = payload;
  return { asset, broker, owner, name, version, digest };
}

function sandboxFacts({ statement }: ReportEvidence): Facts {
  const { form, probes } = statement.predicate.sandbox;
  return { form, probes: probes.map(({ probe, sandbox }) => `${sandbox} ${probe}`).sort(compareUtf8) };
}

function sessionFacts({ evidence, claims }: Side): Facts {
  const { session, receipts } = evidence.statement.predicate;
  return { session, receipts: [...receipts], instance: claims?.instance, project: claims?.project, zone: claims?.zone };
}

/** Model, driver and mode; not the numbers of the single device. */
function gpuOf(claims: Claims | undefined): Json | undefined {
  const gpu = at(claims?.raw ?? {}, 'submods', 'nvidia_gpu');
  if (!isObject(gpu)) return gpu;
  const { gpus = null, cc_mode: mode = null } = gpu;
  const models = Array.isArray(gpus) ? gpus.map(item => ['hwmodel', 'driver_version', 'vbios_version'].map(name => at(item, name) ?? null)) : gpus;
  return { mode, models };
}

function compareParameters(a: ReportEvidence, b: ReportEvidence): ReportDifference[] {
  const section = 'parameters';
  const same = a.statement.predicate.code.parameters === b.statement.predicate.code.parameters;
  return same ? [{ section, status: 'same' }] : [{ section, status: 'unknown', what: 'Parameters are hidden under a new salt for each job, so equal ones look different. Compare them in the two bundles.' }];
}

function compareOutputs(a: ReportEvidence, b: ReportEvidence, opened: OpenedOutputs | undefined): ReportDifference[] {
  if (opened !== undefined) return compareOpened(a, b, opened);
  const section = 'outputs';
  const [left, right] = [a, b].map(({ statement }) => jcs([statement.subject, statement.predicate.outputs]));
  if (left === right) return [{ section, status: 'same' }];
  const what = 'Sealed files differ at every run, also where what is in them is equal. Open the outputs of both to compare them.';
  return [...countsOf(a, b), { section, status: 'unknown', what }];
}

/** Without the index. */
function countsOf(a: ReportEvidence, b: ReportEvidence): ReportDifference[] {
  const [left, right] = [a.statement.subject.length - 1, b.statement.subject.length - 1];
  return left === right ? [] : [{ section: 'outputs', status: 'different', what: 'number of outputs', a: left, b: right }];
}

/** Only files that are the ones of their statement are compared: others would say nothing about the two runs. */
function compareOpened(a: ReportEvidence, b: ReportEvidence, opened: OpenedOutputs): ReportDifference[] {
  const section = 'outputs';
  const strange = ([['first', a, opened.a], ['second', b, opened.b]] as const).filter(([, { statement }, files]) => checkOpened(statement, files).status !== 'pass');
  if (strange.length > 0) {
    return strange.map(([name]) => ({ section, status: 'unknown', what: `The opened files are not those of the ${name} report.` }));
  }
  return compareFacts(section, filesOf(opened.a), filesOf(opened.b));
}

function filesOf({ index, files }: OpenedOutputs['a']): Facts {
  const { outputs } = OutputIndex.parse(parseJcs(index));
  return Object.fromEntries(outputs.map(({ path, kind, mediaType, size }) => [path, { kind, mediaType, size, digest: files.get(path) ?? null }]));
}
