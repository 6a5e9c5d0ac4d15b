import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { createFile, writeAll } from '@cloister/sealing';
import {
  AppError,
  SERVER_ROUTES,
  TERMINAL_STATES,
  callRoute,
  digestOf,
  jcsBytes,
  verifyReport,
  type AppraisalPolicy,
  type Check,
  type Digest,
  type JobView,
  type OutputIndex,
  type Report,
  type ReportEvidence,
  type ReportOutputs,
  type ReportResult,
  type Trust,
  type Verdict
} from '@cloister/protocol';
import { updateRecord, type JobRecord, type KeptJob } from '../job/job-folder.js';
import { readJobView } from '../job/job-view.js';
import { ownFolder } from '../own-folder.js';
import { serverOf, type Services } from '../services.js';
import type { StateFolder } from '../state-folder.js';
import { downloadSealed } from './download-results.js';
import { INDEX_NAME } from './opened-folder.js';
import { unsealResults } from './unseal-results.js';

export interface OpenedResults {
  readonly job: Digest;
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  readonly outcome: 'succeeded' | 'failed';
  readonly code?: string;
  /** Folder that everything lies in. */
  readonly folder: string;
  readonly report: string;
  readonly files: readonly OutputIndex['outputs'][number][];
}

export interface OpenOptions {
  readonly trust: Trust;
  readonly policy: AppraisalPolicy | undefined;
  /** A folder that does not exist yet, or is empty. Default: `results/<notebook>-<job>` beside the notebook. */
  readonly into?: string;
}

/**
 * Verifies first, then unseals: the report alone, then with the sealed files, then with the opened ones, and only what
 * held in all three is put where a person finds it. Nothing is written over.
 * @throws AppError job_not_finished | output_not_verified | report_rejected | file_exists | workspace_unsafe | storage_full
 */
export async function openResults(services: Services, state: StateFolder, kept: KeptJob, options: OpenOptions): Promise<OpenedResults> {
  const job = kept.record.job;
  const view = await asTold(readJobView(services, state, job));
  const report = await asTold(fetchReport(services, view));
  const folder = resolve(options.into ?? defaultFolder(kept));
  await requireFree(folder);
  const verify = createVerifier(services, report, { job, ...options });
  const { evidence } = await verify({});
  const record = await rememberStatement(state, kept, evidence);
  await makeParent(folder, dirname(kept.record.notebook));
  const staging = join(dirname(folder), `.cloister-${randomBytes(8).toString('hex')}`);
  await mkdir(staging, { mode: 0o700 });
  try {
    const sealed = await asTold(downloadSealed(services, evidence.statement, { view, folder: join(staging, 'sealed') }));
    const digests = new Map([...sealed].map(([name, file]) => [name, file.digest]));
    await verify({ sealed: digests });
    const opened = join(staging, 'opened');
    await mkdir(opened, { mode: 0o700 });
    const reportName = basename(reportIn(opened, kept.record));
    const results = await unsealResults(sealed, services.keys.identity, { folder: opened, reserved: [INDEX_NAME, reportName] });
    const { verdict, checks } = await verify({ sealed: digests, opened: results });
    await createFile(join(opened, reportName), async handle => writeAll(handle, once(jcsBytes(report))));
    await place(opened, folder);
    await updateRecord(state, { ...record, results: folder });
    const { outcome } = evidence.statement.predicate;
    return {
      job, verdict, checks, folder, report: reportIn(folder, kept.record), files: results.listing.outputs,
      outcome: outcome.status, ...(outcome.status === 'failed' ? { code: outcome.code } : {})
    };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Of an error that the operator tells, its code and its sentence. Checks with hints are ours alone: a person acts on them. */
async function asTold<T>(work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, cause.detail, { cause, hint: cause.hint });
  });
}

/** @throws AppError job_not_finished | not_found, with what ended the job */
async function fetchReport(services: Services, view: JobView): Promise<Report> {
  if (!TERMINAL_STATES.has(view.state)) throw new AppError('job_not_finished', `the job is ${view.state}`);
  if (view.report === undefined) {
    throw new AppError('not_found', `the job ended as ${view.state}${view.code === undefined ? '' : ` (${view.code})`} without a report`, { hint: 'Nothing ran to an end, so there is nothing to open. `cloister retry` tries again.' });
  }
  return callRoute(serverOf(services), SERVER_ROUTES.getReport, { params: { job: view.job } });
}

type Verify = (outputs: ReportOutputs) => Promise<ReportResult & { readonly evidence: ReportEvidence }>;

interface VerifierOptions extends OpenOptions {
  readonly job: Digest;
}

/** Throws where anything is contradicted or missing: the caller goes on only with a report that holds. */
function createVerifier(services: Services, report: Report, { trust, policy, job }: VerifierOptions): Verify {
  return async outputs => {
    const result = await verifyReport(report, { trust, now: services.clock.now(), outputs, expect: { job }, ...(policy === undefined ? {} : { policy }) });
    const { evidence, verdict, checks } = result;
    if (evidence !== undefined && (verdict === 'verified' || verdict === 'simulated')) return { ...result, evidence };
    const wrong = checks.filter(check => check.status === 'fail' || check.status === 'unknown');
    throw new AppError('output_not_verified', `${verdict}: ${wrong.map(check => check.title).join('; ')}`, { members: { verdict, checks: wrong } });
  };
}

/** @throws AppError report_rejected for another statement than the one seen before for this attempt */
async function rememberStatement(state: StateFolder, kept: KeptJob, evidence: ReportEvidence): Promise<KeptJob['record']> {
  const { attempt } = evidence.statement.predicate;
  const statement = digestOf(jcsBytes(evidence.statement));
  const seen = kept.record.statements.find(known => known.attempt === attempt);
  if (seen === undefined) {
    const record = { ...kept.record, statements: [...kept.record.statements, { attempt, statement }] };
    await updateRecord(state, record);
    return record;
  }
  if (seen.statement !== statement) {
    throw new AppError('report_rejected', `this is a second statement for attempt ${attempt}: the first was ${seen.statement}`, { hint: 'Each attempt has one report. Keep both, and ask the operator.' });
  }
  return kept.record;
}

const stemOf = ({ record }: { readonly record: Pick<JobRecord, 'notebook'> }): string => basename(record.notebook, '.ipynb');

/** Where the report of opened results lies, in the folder that they were opened into. */
export function reportIn(folder: string, record: Pick<JobRecord, 'notebook'>): string {
  return join(folder, `${stemOf({ record })}.attestation.json`);
}

function defaultFolder(kept: KeptJob): string {
  return join(dirname(kept.record.notebook), 'results', `${stemOf(kept)}-${kept.record.job.slice('sha256:'.length, 'sha256:'.length + 8)}`);
}

/** Below the notebook's folder every folder on the way must be one: what came with the code does not say where results go. */
async function makeParent(folder: string, notebooks: string): Promise<void> {
  const parent = dirname(folder);
  const below = relative(notebooks, parent);
  if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) await mkdir(parent, { recursive: true });
  else await ownFolder(notebooks, below.split(sep).filter(name => name !== ''));
}

async function requireFree(folder: string): Promise<void> {
  const there = await access(folder).then(
    () => true,
    () => false
  );
  if (!there) return;
  const names = await readdir(folder).catch(() => ['not a folder']);
  if (names.length > 0) throw new AppError('file_exists', `${folder} is there already`);
}

/** rename(2) replaces an empty folder at most, so nothing is written over whatever happened meanwhile. */
async function place(opened: string, folder: string): Promise<void> {
  try {
    await rename(opened, folder);
  } catch (cause) {
    throw new AppError('file_exists', `${folder} came into being meanwhile`, { cause });
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
}
