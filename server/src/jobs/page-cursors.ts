import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError, Digest, parseJson } from '@cloister/protocol';
import * as z from 'zod/mini';

const JobPosition = z.strictObject({ createdAt: z.int(), job: Digest });
const AssetPosition = z.strictObject({ owner: z.string(), name: z.string() });
export type JobPosition = z.infer<typeof JobPosition>;
export type AssetPosition = z.infer<typeof AssetPosition>;

/**
 * Where a page ended. A cursor is authenticated, and good for one list of one reader only, so that nobody can probe
 * with invented positions or make the server parse what it did not write.
 */
export interface PageCursors {
  readonly write: (scope: string, position: JobPosition | AssetPosition) => string;
  /** @throws AppError invalid_cursor */
  readonly readJob: (scope: string, cursor: string) => JobPosition;
  /** @throws AppError invalid_cursor */
  readonly readAsset: (scope: string, cursor: string) => AssetPosition;
}

export function createPageCursors(secret: string): PageCursors {
  const macOf = (scope: string, payload: string): Buffer => createHmac('sha256', secret).update(JSON.stringify([scope, payload])).digest();
  const read = <S extends z.ZodMiniType>(schema: S, scope: string, cursor: string): z.output<S> => {
    const [payload = '', mac = ''] = cursor.split('.');
    const given = Buffer.from(mac, 'base64url');
    const wanted = macOf(scope, payload);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw invalid();
    const parsed = schema.safeParse(parseJson(Buffer.from(payload, 'base64url')));
    if (!parsed.success) throw invalid();
    return parsed.data;
  };
  return {
    write: (scope, position) => {
      const payload = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${payload}.${macOf(scope, payload).toString('base64url')}`;
    },
    readJob: (scope, cursor) => read(JobPosition, scope, cursor),
    readAsset: (scope, cursor) => read(AssetPosition, scope, cursor)
  };
}

function invalid(): AppError {
  return new AppError('invalid_cursor', 'this is no cursor for this list');
}
