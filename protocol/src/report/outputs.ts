import { hexToBytes } from '@noble/hashes/utils.js';
import { AppError } from '../errors.js';
import { fromBase64Url } from '../bytes/base64url.js';
import { sha256Bytes } from '../bytes/digest.js';
import { parseJcs } from '../bytes/jcs.js';
import { fail, pass, skipped, type CheckOutcome } from '../attestation/check.js';
import type { Digest } from '../objects/primitives.js';
import { OutputIndex, type Statement } from '../objects/report.js';
import { outputCommitment } from './output-commitment.js';

/** Files that came with a report, by digests that the caller computed from the bytes. */
export interface ReportOutputs {
  /** Digest of each sealed file by subject name. */
  readonly sealed?: ReadonlyMap<string, Digest>;
  /** The opened index's exact bytes, and the SHA-256 of every opened file that is there, by path. */
  readonly opened?: { readonly index: Uint8Array; readonly files: ReadonlyMap<string, Digest> };
}

/** Name of the question that checkSealed answers. */
export const SEALED_OUTPUTS = { id: 'sealed_outputs', title: 'The sealed outputs are the ones of the statement' };
/** Name of the question that checkOpened answers. */
export const OPENED_OUTPUTS = { id: 'opened_outputs', title: 'The opened outputs are the ones of the statement' };

/** The sealed files are exactly the statement’s subjects. Skipped where none were given. */
export function checkSealed(statement: Statement, sealed: ReportOutputs['sealed']): CheckOutcome {
  if (sealed === undefined) return skipped('no sealed files were given');
  for (const { name, digest } of statement.subject) {
    const actual = sealed.get(name);
    if (actual !== `sha256:${digest.sha256}`) return fail({ [name]: `sha256:${digest.sha256}` }, actual ?? 'missing');
  }
  return sealed.size === statement.subject.length ? pass(sealed.size) : fail(statement.subject.length, sealed.size);
}

/** The opened files and the index are exactly the statement’s commitments. Skipped where none were given. */
export function checkOpened(statement: Statement, opened: ReportOutputs['opened']): CheckOutcome {
  if (opened === undefined) return skipped('no opened files were given: use --outputs DIR');
  const index = parseIndex(opened.index);
  if (index === undefined) return fail('an index in canonical form', 'something else');
  const { predicate } = statement;
  if (index.job !== predicate.job || index.attempt !== predicate.attempt) {
    return fail({ job: predicate.job, attempt: predicate.attempt }, { job: index.job, attempt: index.attempt });
  }
  const commitments = new Map<string, string>(predicate.outputs.map(output => [output.name, output.commitment]));
  if (outputCommitment(fromBase64Url(index.salt), sha256Bytes(opened.index)) !== commitments.get('index')) {
    return fail('the index of this report', 'another index');
  }
  for (const output of index.outputs) {
    const digest = opened.files.get(output.path);
    if (digest === undefined) return fail({ [output.path]: 'a file' }, 'missing');
    const actual = outputCommitment(fromBase64Url(output.salt), hexToBytes(digest.slice('sha256:'.length)));
    if (actual !== commitments.get(output.subject)) return fail({ [output.path]: commitments.get(output.subject) ?? 'no such output' }, actual, 'the file was changed after the run');
  }
  if (opened.files.size !== index.outputs.length) return fail(index.outputs.map(output => output.path), [...opened.files.keys()], 'a file is there that the run did not make');
  return index.outputs.length + 1 === commitments.size ? pass(index.outputs.map(output => output.path)) : fail(commitments.size - 1, index.outputs.length);
}

function parseIndex(bytes: Uint8Array): OutputIndex | undefined {
  try {
    const parsed = OutputIndex.safeParse(parseJcs(bytes));
    return parsed.success ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof AppError) return undefined;
    throw cause;
  }
}
