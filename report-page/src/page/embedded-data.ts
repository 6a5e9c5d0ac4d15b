import { AppError, AppraisalPolicy, Time, Trust, at, fromBase64, parseJson } from '@cloister/protocol';

/** What whoever made the page put into it. */
export interface EmbeddedData {
  /** The report file's exact bytes. */
  readonly report: Uint8Array<ArrayBuffer>;
  readonly trust: Trust;
  readonly policy?: AppraisalPolicy;
  /** When the page was made, by the clock of whoever made it. */
  readonly exportedAt: string;
}

/**
 * Reads the page's own data, as strictly as any file.
 * @throws AppError invalid_json | invalid_object | not_canonical where the page was damaged or changed
 */
export function parseEmbedded(text: string): EmbeddedData {
  const data = parseJson(text);
  const trust = Trust.safeParse(at(data, 'trust'));
  const time = Time.safeParse(at(data, 'exportedAt'));
  const report = at(data, 'report');
  if (at(data, 'v') !== 1 || !trust.success || !time.success || typeof report !== 'string') throw damaged();
  const parts = { report: fromBase64(report), trust: trust.data, exportedAt: time.data };
  const policy = at(data, 'policy');
  if (policy === undefined) return parts;
  const parsed = AppraisalPolicy.safeParse(policy);
  if (!parsed.success) throw damaged();
  return { ...parts, policy: parsed.data };
}

function damaged(): AppError {
  return new AppError('invalid_object', 'the page’s own data is damaged');
}
