import { readFile } from 'node:fs/promises';
import type * as z from 'zod/mini';
import { AppError, parseJson } from '@cloister/protocol';
import { parseBy } from './schema-issues.js';

const MAX_CONFIG_BYTES = 1024 * 1024;

/** A value that nothing can change any more, at any depth. */
export type Frozen<T> = T extends string | number | boolean | ((...args: never[]) => unknown)
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/**
 * A service's configuration by its strict schema, frozen. Every problem is named by its key, an unknown key with the
 * one that was likely meant, and no value is repeated: it may be a secret.
 * @throws AppError config_invalid
 */
export function parseConfig<S extends z.ZodMiniType>(schema: S, input: unknown, origin = 'configuration'): Frozen<z.output<S>> {
  const parsed = parseBy(schema, input);
  if (!parsed.ok) throw new AppError('config_invalid', `${origin}: ${parsed.problems.join('; ')}`);
  return deepFrozen(parsed.value);
}

/** @throws AppError config_invalid, also where the file is missing or not strict JSON */
export async function readConfigFile<S extends z.ZodMiniType>(path: string, schema: S): Promise<Frozen<z.output<S>>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new AppError('config_invalid', `${path} cannot be read`, { cause });
  }
  if (bytes.length > MAX_CONFIG_BYTES) throw new AppError('config_invalid', `${path} is larger than a configuration can be`);
  return parseConfig(schema, parseText(path, bytes), path);
}

function parseText(path: string, bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes);
  } catch (cause) {
    const detail = cause instanceof AppError ? cause.detail : 'not JSON';
    throw new AppError('config_invalid', `${path}: ${detail}`, { cause });
  }
}

function deepFrozen<T>(value: T): Frozen<T> {
  freeze(value);
  return value as Frozen<T>; // Object.freeze changes no type at run time, and tells only of the outermost one
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}
