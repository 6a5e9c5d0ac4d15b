import * as z from 'zod/mini';
import { AppError, ERRORS, isErrorCode } from '../errors.js';
import { parseJson } from '../bytes/json.js';

const PREFIX = 'urn:cloister:error:';

/** RFC 9457 problem document, with the table's hint and the request's id. Other members are the error's own. */
export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  hint: z.optional(z.string()),
  retry: z.optional(z.boolean()),
  requestId: z.optional(z.string())
});
export type Problem = z.infer<typeof Problem>;

/** The document that tells of an error. The table’s words win over members of the same name. */
export function problemOf(error: AppError, requestId?: string): Problem {
  return {
    ...error.members,
    type: `${PREFIX}${error.code}`,
    title: ERRORS[error.code].title,
    status: error.status,
    detail: error.detail,
    hint: error.hint,
    retry: error.retry,
    ...(requestId === undefined ? {} : { requestId })
  };
}

/**
 * The error that a problem document tells of. A document that is none, or tells of a code that we do not know,
 * gives `unavailable` (5xx) or `invalid_request`, never a crash.
 */
export function errorOfProblem(status: number, body: Uint8Array): AppError {
  const parsed = Problem.safeParse(parseOrNull(body));
  const fallback = status >= 500 ? 'unavailable' : 'invalid_request';
  if (!parsed.success) return new AppError(fallback, `the service answered ${status}`);
  const { type, ...rest } = parsed.data;
  const detail = plainText(rest.detail);
  const code = type.startsWith(PREFIX) ? type.slice(PREFIX.length) : '';
  const members = Object.fromEntries(Object.entries(rest).filter(([key]) => !OWN_MEMBERS.includes(key)));
  return new AppError(isErrorCode(code) ? code : fallback, detail, { members });
}

/** Told by our own table, whatever the service says: a hint is advice, and the service may be hostile. */
const OWN_MEMBERS = ['title', 'status', 'retry', 'hint', 'detail'];
const MAX_DETAIL = 1000;

/** For terminals and pages: no control characters, no more than a paragraph. */
function plainText(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/g, ' ').slice(0, MAX_DETAIL);
}

function parseOrNull(body: Uint8Array): unknown {
  try {
    return parseJson(body);
  } catch {
    return null;
  }
}
