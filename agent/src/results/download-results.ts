import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createTally } from '@cloister/sealing';
import { AppError, SERVER_ROUTES, openRoute, type Digest, type Statement, type TransportReply } from '@cloister/protocol';
import { retry } from '@cloister/kit';
import { serverOf, type Services } from '../services.js';

/** A sealed file on disk, by the name that the statement gives it. */
export interface SealedFile {
  readonly path: string;
  readonly digest: Digest;
}

/** Fetches every subject of the statement into `folder`, as it comes; what it is worth is decided by its digest. */
export async function downloadSealed(services: Services, subjects: Statement['subject'], place: { readonly job: Digest; readonly folder: string }): Promise<Map<string, SealedFile>> {
  await mkdir(place.folder, { mode: 0o700 });
  const files = new Map<string, SealedFile>();
  for (const [at, { name }] of subjects.entries()) {
    const path = join(place.folder, String(at));
    const digest = await retry(async () => store(await openSubject(services, place.job, name), path), { attempts: 4, clock: services.clock });
    files.set(name, { path, digest });
  }
  return files;
}

async function openSubject(services: Services, job: Digest, name: string): Promise<TransportReply> {
  if (name === 'index') return openRoute(serverOf(services), SERVER_ROUTES.getIndex, { params: { job } });
  return openRoute(serverOf(services), SERVER_ROUTES.getOutput, { params: { job, output: name.slice('output/'.length) } });
}

async function store(reply: TransportReply, path: string): Promise<Digest> {
  const tally = createTally();
  const counted = async function* (): AsyncGenerator<Uint8Array, undefined> {
    for await (const bytes of reply.body) {
      tally.add(bytes);
      yield bytes;
    }
  };
  try {
    // A second try starts the file anew; nothing reads it before its digest was compared.
    await pipeline(counted(), createWriteStream(path, { flags: 'w', mode: 0o600 }));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new AppError('storage_full', 'no space left for the sealed results', { cause });
    throw cause;
  }
  return tally.digest();
}
