import {
  AppError,
  digestOf,
  jcsBytes,
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
  const report = await readReportFile(path);
  const opened = outputs === undefined ? undefined : await readOpenedFolder(outputs);
  return verifyReport(report, { trust, now, ...(policy === undefined ? {} : { policy }), ...(opened === undefined ? {} : { outputs: { opened } }) });
}

async function readReportFile(path: string): Promise<unknown> {
  const bytes = await readPlain(path, MAX_REPORT_BYTES);
  if (bytes === undefined) throw new AppError('usage', `${path} is not a plain file that can be read`);
  try {
    return parseJson(bytes);
  } catch {
    // What is no JSON is no report: the check of its form fails and says so.
    return undefined;
  }
}

/** Attempts for which the reports at hand say two different things: `job attempt` of each. */
export function findContradictions(results: readonly ReportResult[]): string[] {
  const seen = new Map<string, string>();
  const contradictory = new Set<string>();
  for (const { evidence } of results) {
    if (evidence === undefined) continue;
    const attempt = `${evidence.manifest.digest} attempt ${evidence.statement.predicate.attempt}`;
    const statement = digestOf(jcsBytes(evidence.statement));
    if ((seen.get(attempt) ?? statement) !== statement) contradictory.add(attempt);
    seen.set(attempt, statement);
  }
  return [...contradictory];
}
