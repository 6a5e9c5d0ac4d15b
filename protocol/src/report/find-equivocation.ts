import { readTokenClaims } from '../attestation/claims.js';
import type { Digest } from '../objects/primitives.js';
import { compareReports, type ReportDifference } from './compare-reports.js';
import type { ReportEvidence } from './evidence.js';

/** A report under the name that its reader knows it by, such as its file's. */
export interface NamedReport {
  readonly name: string;
  readonly evidence: ReportEvidence;
}

/**
 * `two_statements`: one attempt of one job has two. `session_reused`: one session serves two attempts. `keys_reused`: the
 * keys that were made for one attempt serve another. `machine_contradicts`: one machine made two statements in one session.
 * `witness_contradicts`: a broker witnessed another statement of the attempt than the one that a report holds.
 */
export type EquivocationKind = 'two_statements' | 'session_reused' | 'keys_reused' | 'machine_contradicts' | 'witness_contradicts';

/** Reports that cannot all be true. */
export interface Equivocation {
  readonly kind: EquivocationKind;
  /** For people. */
  readonly what: string;
  /** Names of the reports, in the order given. */
  readonly reports: readonly string[];
  /** How the first report differs from each of the others that says something else. Without what is the same. */
  readonly differences: readonly { readonly from: string; readonly to: string; readonly found: readonly ReportDifference[] }[];
}

interface Read extends NamedReport {
  /** Digest of the manifest and number of the attempt. */
  readonly attempt: string;
  readonly instance: string | undefined;
}

/** What two reports must not share, unless they also share what `same` says. */
interface Question {
  readonly kind: EquivocationKind;
  readonly what: string;
  /** Reports with one key are compared; a report with no key is left out. */
  readonly keys: (report: Read) => readonly string[];
  readonly same: (report: Read) => string;
}

const QUESTIONS: readonly Question[] = [
  {
    kind: 'two_statements',
    what: 'One attempt has two different statements. Each attempt makes one.',
    keys: ({ attempt }) => [attempt],
    same: ({ evidence }) => evidence.statementDigest
  },
  {
    kind: 'session_reused',
    what: 'One session stands for two attempts. A session is made for one.',
    keys: ({ evidence }) => [...new Set([evidence.sessionNonce, evidence.statement.predicate.session])],
    same: ({ attempt }) => attempt
  },
  {
    kind: 'keys_reused',
    what: 'Two attempts used the same keys. Keys are made new for every attempt.',
    keys: ({ evidence }) => [`recipient ${evidence.session.recipient}`, `key ${evidence.session.key}`],
    same: ({ attempt }) => attempt
  },
  {
    kind: 'machine_contradicts',
    what: 'One machine made two different statements in one session.',
    keys: ({ instance, evidence }) => (instance === undefined ? [] : [`${instance} ${evidence.statement.predicate.session}`]),
    same: ({ evidence }) => evidence.statementDigest
  }
];

/**
 * Finds reports that contradict each other: one attempt has one statement, one session, one set of keys. It compares what
 * the reports say and verifies none of them: a forged report also contradicts the true one, so the caller verifies each.
 */
export function findEquivocation(reports: readonly NamedReport[]): Equivocation[] {
  const read = reports.map(readOne);
  return [...QUESTIONS.flatMap(question => ask(question, read)), ...contradictingWitnesses(read)];
}

function readOne({ name, evidence }: NamedReport): Read {
  return { name, evidence, attempt: `${evidence.manifest.digest} attempt ${evidence.statement.predicate.attempt}`, instance: readTokenClaims(evidence.token)?.instance };
}

function ask({ kind, what, keys, same }: Question, reports: readonly Read[]): Equivocation[] {
  const groups = new Map<string, Read[]>();
  for (const report of reports) for (const key of keys(report)) groups.set(key, [...(groups.get(key) ?? []), report]);
  const found = new Map<string, Equivocation>();
  for (const group of groups.values()) {
    if (new Set(group.map(same)).size < 2) continue;
    const names = group.map(({ name }) => name);
    found.set(JSON.stringify(names), { kind, what, reports: names, differences: differencesOf(group, same) });
  }
  return [...found.values()];
}

/** The first report against one of each other kind. */
function differencesOf(group: readonly Read[], same: Question['same']): Equivocation['differences'] {
  const [first, ...others] = group.filter((report, place) => group.findIndex(other => same(other) === same(report)) === place);
  if (first === undefined) return [];
  return others.map(other => ({
    from: first.name,
    to: other.name,
    found: compareReports(first.evidence, other.evidence).filter(({ status }) => status !== 'same')
  }));
}

interface Seen {
  readonly report: Read;
  readonly broker: string;
  readonly attempt: string;
  readonly statement: Digest;
}

/**
 * A witness against every report of its attempt, its own among them, and against every other witness. Whoever was shown one
 * report alone may find by it that there is another. Witnesses are cheap to make: what many of them find alike is worked out once.
 */
function contradictingWitnesses(reports: readonly Read[]): Equivocation[] {
  const seen = reports.flatMap(report => report.evidence.witnesses.map((witness): Seen => {
    const { job, attempt, statement } = witness.payload;
    return { report, broker: witness.signer, attempt: `${job} attempt ${attempt}`, statement };
  }));
  const told = statementsTold(reports, seen);
  const differences = new Map<string, Equivocation['differences']>();
  const found = new Map<string, Equivocation>();
  for (const { broker, report: own, attempt, statement } of seen) {
    const against = reports.filter(report => tellsAnother(told.get(attempt)?.get(report), statement));
    if (against.length === 0) continue;
    const group = against.includes(own) ? against : reports.filter(report => report === own || against.includes(report));
    const names = group.map(({ name }) => name);
    const [same, key] = [JSON.stringify(names), JSON.stringify([broker, names])];
    if (found.has(key)) continue;
    const differ = differences.get(same) ?? differencesOf(group, ({ evidence }) => evidence.statementDigest);
    differences.set(same, differ);
    found.set(key, { kind: 'witness_contradicts', what: `Broker ${broker} witnessed another statement of this attempt.`, reports: names, differences: differ });
  }
  return [...found.values()];
}

/** For each attempt, which statements of it each report tells of: by being one of it, or by its witnesses. */
function statementsTold(reports: readonly Read[], seen: readonly Seen[]): ReadonlyMap<string, ReadonlyMap<Read, ReadonlySet<Digest>>> {
  const told = new Map<string, Map<Read, Set<Digest>>>();
  const own = reports.map(report => ({ report, attempt: report.attempt, statement: report.evidence.statementDigest }));
  for (const { report, attempt, statement } of [...own, ...seen]) {
    const ofAttempt = told.get(attempt) ?? new Map<Read, Set<Digest>>();
    told.set(attempt, ofAttempt.set(report, (ofAttempt.get(report) ?? new Set<Digest>()).add(statement)));
  }
  return told;
}

const tellsAnother = (told: ReadonlySet<Digest> | undefined, statement: Digest): boolean => told !== undefined && told.size > (told.has(statement) ? 1 : 0);
