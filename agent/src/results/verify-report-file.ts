import {
  AppError,
  digestOf,
  parseJson,
  verifyReport,
  type AppraisalPolicy,
  type ReportResult,
  type Trust
} from '@cloister/protocol';
import { readOpenedFolder } from './opened-folder.js';
import { readPlain } from './plain-file.js';

export interface VerifyFileOptions {
  readonly trust: Trust;
  readonly policy: AppraisalPolicy | undefined;
  readonly now: Date;
  /** Folder with the opened outputs and their index. */
  readonly outputs?: string;
}

const MAX_REPORT_BYTES = 32 * 1024 * 1024;

/** Verifies a report from disk: no network, no state. @throws AppError usage where a file cannot be read | payload_too_large */
export async function verifyReportFile(path: string, { trust, policy, now, outputs }: VerifyFileOptions): Promise<ReportResult> {
  const bytes = await readReportBytes(path);
  const opened = outputs === undefined ? undefined : await readOpenedFolder(outputs, { path, digest: digestOf(bytes) });
  return verifyReport(parseReportBytes(bytes), { trust, now, ...(policy === undefined ? {} : { policy }), ...(opened === undefined ? {} : { outputs: { opened } }) });
}

/** A report's bytes, not yet looked at. @throws AppError usage where it cannot be read | payload_too_large */
export async function readReportBytes(path: string): Promise<Uint8Array> {
  const bytes = await readPlain(path, MAX_REPORT_BYTES);
  if (bytes === undefined) throw new AppError('usage', `${path} is not a plain file that can be read`, {
      hint: 'Check the path. Name the report itself, *.attestation.json: no folder, no link.'
    });
  return bytes;
}

function parseReportBytes(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch {
    // What is no JSON is no report: the check of its form fails and says so.
    return undefined;
  }
}
