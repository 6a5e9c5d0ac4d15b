import { ensurePrivateDirectory, readPrivateFileIfThere, replacePrivateFile } from '@cloister/kit';
import { AppError, jcs, parseJson } from '@cloister/protocol';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod/mini';

/** What an owner has signed of one name, by version: `<dir>/<folder>/<name>/<version>.json`, mode 0600. */
export interface Records<T> {
  readonly write: (name: string, version: number, record: T) => Promise<void>;
  readonly read: (name: string, version: number) => Promise<T | undefined>;
  /** 0 where there is none. */
  readonly lastVersion: (name: string) => Promise<number>;
  readonly names: () => Promise<string[]>;
}

export function openRecords<S extends z.ZodMiniType>(ownerDir: string, folder: string, schema: S): Records<z.output<S>> {
  const directory = (name: string): string => join(ownerDir, folder, name);
  return {
    write: async (name, version, record) => {
      await ensurePrivateDirectory(join(ownerDir, folder));
      await ensurePrivateDirectory(directory(name));
      await replacePrivateFile(join(directory(name), `${version}.json`), `${jcs(record)}\n`);
    },
    read: async (name, version) => readRecord(join(directory(name), `${version}.json`), schema),
    lastVersion: async name => {
      const versions = (await list(directory(name))).map(file => /^([1-9][0-9]*)\.json$/.exec(file)?.[1]).map(Number);
      return Math.max(0, ...versions.filter(version => !Number.isNaN(version)));
    },
    names: async () => (await list(join(ownerDir, folder))).sort()
  };
}

/** @throws AppError invalid_object */
export async function readRecord<S extends z.ZodMiniType>(path: string, schema: S): Promise<z.output<S> | undefined> {
  const bytes = await readPrivateFileIfThere(path);
  if (bytes === undefined) return undefined;
  const parsed = schema.safeParse(parseJson(bytes));
  if (!parsed.success) throw new AppError('invalid_object', `${path} is not as it was written`, { cause: parsed.error });
  return parsed.data;
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
