import * as z from 'zod/mini';
import type { ErrorCode } from '../errors.js';
import { jcs } from '../bytes/jcs.js';
import { parseJson, type Json } from '../bytes/json.js';

/**
 * The files under protocol/vectors, which other implementations run too (protocol/vectors/README.md says how). A case
 * is one operation on one input, and what must come of it: a value, or a refusal by its code.
 */
export const VectorCase = z.strictObject({
  name: z.string().check(z.minLength(1)),
  /** The reason for a rule of the protocol that this case shows: what would go wrong without it. */
  because: z.optional(z.string()),
  operation: z.string(),
  input: z.record(z.string(), z.json()),
  expect: z.union([z.strictObject({ ok: z.json() }), z.strictObject({ error: z.string() })])
});
export type VectorCase = z.infer<typeof VectorCase>;

/** A reason that only a whole broker, runner, server or agent can show, and the tests that do: a file, and words that are in it. */
export const ShownElsewhere = z.strictObject({ because: z.string(), shownBy: z.array(z.strictObject({ file: z.string(), mentions: z.string() })).check(z.minLength(1)) });
export type ShownElsewhere = z.infer<typeof ShownElsewhere>;

export const VectorFile = z.strictObject({
  format: z.literal('cloister.vectors.v1'),
  kind: z.string(),
  about: z.string(),
  specs: z.array(z.string()),
  /** Large values that several inputs use by `{ "$use": name, "$with": { members that differ } }`. */
  shared: z.optional(z.record(z.string(), z.json())),
  cases: z.array(VectorCase).check(z.minLength(1)),
  elsewhere: z.optional(z.array(ShownElsewhere))
});
export type VectorFile = z.infer<typeof VectorFile>;

/** A case whose value is computed when the files are made, and pinned by the committed file from then on. */
export interface Draft {
  readonly name: string;
  readonly because?: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expect?: { readonly ok: unknown } | { readonly error: ErrorCode };
}

export interface FileDraft {
  readonly kind: string;
  readonly about: string;
  readonly specs?: readonly string[];
  readonly shared?: Readonly<Record<string, unknown>>;
  readonly cases: readonly Draft[];
  readonly elsewhere?: readonly ShownElsewhere[];
}

/** What `{ "$use": … }` stands for, at any depth of an input. */
export function resolveShared(value: Json, shared: Readonly<Record<string, Json>>): Json {
  if (Array.isArray(value)) return value.map(item => resolveShared(item, shared));
  if (typeof value !== 'object' || value === null) return value;
  const { $use, $with } = value;
  if (typeof $use !== 'string') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveShared(item, shared)]));
  const base = shared[$use];
  if (base === undefined) throw new Error(`nothing is shared under ${$use}`);
  if ($with === undefined) return base;
  if (typeof base !== 'object' || base === null || Array.isArray(base)) throw new Error(`${$use} has no members to replace`);
  const changes = resolveShared($with, shared);
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) throw new Error('$with is not an object');
  return { ...base, ...changes };
}

/** A value as JSON has it, refused where JSON cannot say it. */
export const toJson = (value: unknown): Json => parseJson(jcs(value));
