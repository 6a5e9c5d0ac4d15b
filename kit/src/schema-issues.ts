import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';

// zod/mini has no messages of its own. The locale is given per call, since z.config would change every user of zod.
const { localeError } = english();

type Issue = z.core.$ZodIssue;

/** Parses by a schema; on failure gives what is wrong in words that name the place, and never the value. */
export function parseBy<S extends z.ZodMiniType>(
  schema: S,
  input: unknown
): { readonly ok: true; readonly value: z.output<S> } | { readonly ok: false; readonly problems: readonly string[] } {
  const parsed = schema.safeParse(input, { error: localeError });
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, problems: parsed.error.issues.slice(0, 10).map(issue => describe(schema, issue)) };
}

function describe(schema: z.ZodMiniType, issue: Issue): string {
  const place = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return place === '' ? issue.message : `${place}: ${issue.message}`;
  const known = keysAt(schema, issue.path);
  return issue.keys
    .slice(0, 10)
    .map(key => {
      const full = place === '' ? key : `${place}.${key}`;
      const meant = likelyMeant(key, known);
      return meant === undefined ? `${full}: unknown key` : `${full}: unknown key; did you mean ${meant}?`;
    })
    .join(', ');
}

/** The keys that an object schema has at a path, as far as the schema tells. */
function keysAt(schema: z.ZodMiniType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const step of path) {
    at = unwrapped(at);
    if (at instanceof z.ZodMiniObject) at = at.def.shape[String(step)];
    else if (at instanceof z.ZodMiniArray) at = at.def.element;
    else if (at instanceof z.ZodMiniRecord) at = at.def.valueType;
    else return [];
  }
  at = unwrapped(at);
  return at instanceof z.ZodMiniObject ? Object.keys(at.def.shape) : [];
}

function unwrapped(schema: unknown): unknown {
  let at = schema;
  while (
    at instanceof z.ZodMiniOptional ||
    at instanceof z.ZodMiniDefault ||
    at instanceof z.ZodMiniNullable ||
    at instanceof z.ZodMiniReadonly
  ) {
    at = at.def.innerType;
  }
  return at;
}

function likelyMeant(key: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map(candidate => ({ candidate, distance: editDistance(key.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.ceil(Math.min(candidate.length, key.length) / 3))
    .sort((a, b) => a.distance - b.distance);
  return best?.candidate;
}

/** Levenshtein distance; keys are short, so one row at a time is enough. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8 || a.length > 100) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}
