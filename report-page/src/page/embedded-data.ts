import { AppError, AppraisalPolicy, Time, Trust, parseJson, type Json } from '@cloister/protocol';

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
 * @throws AppError invalid_json | invalid_object where the page was damaged or changed
 */
export function parseEmbedded(text: string): EmbeddedData {
  const data = parseJson(text);
  const trust = Trust.safeParse(member(data, 'trust'));
  const time = Time.safeParse(member(data, 'exportedAt'));
  const report = member(data, 'report');
  if (member(data, 'v') !== 1 || !trust.success || !time.success || typeof report !== 'string') throw damaged();
  const parts = { report: bytesOf(report), trust: trust.data, exportedAt: time.data };
  const policy = member(data, 'policy');
  if (policy === undefined) return parts;
  const parsed = AppraisalPolicy.safeParse(policy);
  if (!parsed.success) throw damaged();
  return { ...parts, policy: parsed.data };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  let text: string;
  try {
    text = atob(base64);
  } catch {
    throw damaged();
  }
  const bytes = new Uint8Array(text.length);
  // Counted by hand: of eight million characters an iterator makes seconds, in which the page stands still.
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function member(value: Json, name: string): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function damaged(): AppError {
  return new AppError('invalid_object', 'the page’s own data is damaged');
}
