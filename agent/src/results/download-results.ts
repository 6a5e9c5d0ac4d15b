import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createTally } from '@cloister/sealing';
import { AppError, SERVER_ROUTES, openRoute, type Digest, type JobView, type Statement, type TransportReply } from '@cloister/protocol';
import { retry } from '@cloister/kit';
import { serverOf, type Services } from '../services.js';

/** A sealed file on disk, by the name that the statement gives it. */
export interface SealedFile {
  readonly path: string;
  readonly digest: Digest;
}

/** What a statement says of the files and their limit. */
export interface StatedLimits {
  readonly subject: Statement['subject'];
  readonly predicate: { readonly limits: Pick<Statement['predicate']['limits'], 'maxOutputBytes'> };
}

/** No job's sealed results are larger, whatever an owner allows: what the server takes as one output. */
export const MAX_SEALED_BYTES = 64 * 1024 ** 3;
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/**
 * Most bytes of sealed outputs that a run can have made under the limit that its report states: the limit, 16 bytes for
 * each 64 KiB of it, and for each file a header, a nonce and the tag of its last piece (age v1).
 */
export function mostSealedBytes({ subject, predicate }: StatedLimits): number {
  const { maxOutputBytes } = predicate.limits;
  if (maxOutputBytes === 'any') return MAX_SEALED_BYTES;
  return Math.min(MAX_SEALED_BYTES, maxOutputBytes + Math.ceil(maxOutputBytes / 65_536) * 16 + subject.length * MAX_SEALING_BYTES);
}

/** A header of eight recipients, and what is fixed. */
const MAX_SEALING_BYTES = 4096;

export interface SealedPlace {
  /** The job; where the operator lists sizes, it is held to them. */
  readonly view: Pick<JobView, 'job' | 'outputs'>;
  readonly folder: string;
}

/**
 * Fetches every subject of the statement into `folder`, as it comes; what it is worth is decided by its digest. No more
 * than the run can have made: an operator who sends without end fills no disk.
 * @throws AppError output_too_large | storage_full
 */
export async function downloadSealed(services: Services, statement: StatedLimits, { view, folder }: SealedPlace): Promise<Map<string, SealedFile>> {
  await mkdir(folder, { mode: 0o700 });
  const files = new Map<string, SealedFile>();
  let left = mostSealedBytes(statement);
  for (const [at, { name }] of statement.subject.entries()) {
    const path = join(folder, String(at));
    const listed = view.outputs?.find(output => output.name === name)?.size ?? Number.POSITIVE_INFINITY;
    const limit = Math.min(listed, name === 'index' ? MAX_INDEX_BYTES : left);
    const { digest, size } = await retry(async () => store(await openSubject(services, view.job, name), { path, limit, name }), { attempts: 4, clock: services.clock });
    if (name !== 'index') left -= size;
    files.set(name, { path, digest });
  }
  return files;
}

async function openSubject(services: Services, job: Digest, name: string): Promise<TransportReply> {
  if (name === 'index') return openRoute(serverOf(services), SERVER_ROUTES.getIndex, { params: { job } });
  return openRoute(serverOf(services), SERVER_ROUTES.getOutput, { params: { job, output: name.slice('output/'.length) } });
}

interface Target {
  readonly path: string;
  /** Bytes at most. */
  readonly limit: number;
  readonly name: string;
}

async function store(reply: TransportReply, { path, limit, name }: Target): Promise<{ readonly digest: Digest; readonly size: number }> {
  const tally = createTally();
  let size = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array, undefined> {
    // Said before it is sent, where it is: then nothing of it is written.
    requireWithin(Number(reply.headers['content-length'] ?? 0), limit, name);
    for await (const bytes of reply.body) {
      size += bytes.length;
      requireWithin(size, limit, name);
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
  return { digest: tally.digest(), size };
}

function requireWithin(size: number, limit: number, name: string): void {
  if (size <= limit) return;
  throw new AppError('output_too_large', `${name} is over ${limit} bytes: more than the run can have made`, { hint: 'Nothing was unsealed. Ask the operator.' });
}
