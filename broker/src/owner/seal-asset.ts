import { createFile, createTally, readInLargePieces, sealStream, writeAll, type Sealed } from '@cloister/sealing';
import {
  AppError,
  AssetName,
  CompactJws,
  Count,
  DESCRIPTOR,
  Digest,
  ServiceUrl,
  concatBytes,
  signObject,
  toBase64Url,
  type BrokerDescription,
  type Descriptor,
  type Signer,
  type Verified
} from '@cloister/protocol';
import { lstat, mkdir, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { csvColumns, type Column } from './csv-columns.js';
import { openOwner } from './owner.js';
import { openRecords, type Records } from './records.js';

export interface SealAssetOptions {
  readonly ownerDir: string;
  /** The plaintext. It is read and left as it is. */
  readonly file: string;
  readonly name: string;
  readonly kind: Descriptor['kind'];
  readonly mediaType: string;
  readonly broker: BrokerDescription;
  /** Where runners and analysts reach the broker. */
  readonly url: string;
  /** A stand-in that everybody may read. */
  readonly mock?: string;
  /** Default: the last one sealed, plus one. */
  readonly version?: number;
  /** Directory for the sealed file `<name>-<version>.age`. */
  readonly out: string;
}

/** An asset that was sealed on this machine, with what publishing it takes. */
export interface SealedAsset {
  readonly descriptor: Verified<Descriptor>;
  readonly sealedFile: string;
  readonly mockFile: string | undefined;
}

const AssetRecord = z.strictObject({
  v: z.literal(1),
  asset: Digest,
  descriptor: CompactJws,
  size: Count,
  sealedFile: z.string(),
  mockFile: z.optional(z.string())
});
type AssetRecord = z.infer<typeof AssetRecord>;

/** What an owner has sealed, by asset name. */
export function assetRecords(ownerDir: string): Records<AssetRecord> {
  return openRecords(ownerDir, 'assets', AssetRecord);
}

/**
 * Seals a file to the broker's dataset recipient as a stock age file, streaming, and signs its descriptor. Digest,
 * size and columns are of the very bytes that were sealed.
 * @throws AppError file_exists | storage_full | invalid_request | wrong_signer
 */
export async function sealAsset(options: SealAssetOptions): Promise<SealedAsset> {
  const { ownerDir, file, mediaType, broker, mock } = options;
  const owner = await openOwner(ownerDir);
  const name = parsedName(options.name);
  if (broker.owner !== owner.signer.thumbprint) throw new AppError('wrong_signer', 'that broker serves another owner');
  const records = assetRecords(ownerDir);
  const version = await nextVersion(records, name, options.version);
  await requirePlainFile(file);
  const mockRead = mock === undefined ? undefined : await readMock(mock, mediaType);
  await mkdir(options.out, { recursive: true });
  const sealedFile = resolve(options.out, `${name}-${version}.age`);
  const sealed = await sealTo(sealedFile, file, broker);
  try {
    const descriptor = await signDescriptor(owner.signer, { options, name, version, sealed, mock: mockRead });
    const mockFile = mock === undefined ? undefined : resolve(mock);
    await records.write(name, version, {
      v: 1, asset: descriptor.digest, descriptor: descriptor.jws, size: sealed.size, sealedFile, ...(mockFile === undefined ? {} : { mockFile })
    });
    return { descriptor, sealedFile, mockFile };
  } catch (error) {
    // Sealed, and described by nobody: it would only be in the way of the next try.
    await unlink(sealedFile);
    throw error;
  }
}

interface DescriptorParts {
  readonly options: SealAssetOptions;
  readonly name: string;
  readonly version: number;
  readonly sealed: SealedTo;
  readonly mock: MockFile | undefined;
}

async function signDescriptor(signer: Signer, { options, name, version, sealed, mock }: DescriptorParts): Promise<Verified<Descriptor>> {
  const { kind, mediaType, broker } = options;
  const { digest, size, header, start, isWhole } = sealed;
  const columns = mediaType === 'text/csv' ? csvColumns(start, isWhole) : undefined;
  if (mock !== undefined) requireSameColumns(columns, mock.columns);
  const { bundle, review } = broker.recipients;
  const descriptor: Descriptor = {
    v: 1, owner: signer.thumbprint, name, version, kind, mediaType, size, digest,
    ...(columns === undefined ? {} : { schema: { columns: columns.map(column => ({ ...column })) } }),
    ...(mock === undefined ? {} : { mock: mock.reference }),
    custodians: [{ broker: broker.broker, url: ServiceUrl.parse(options.url), recipients: { bundle, review }, wrapped: toBase64Url(header) }]
  };
  return signObject(DESCRIPTOR, descriptor, signer);
}

function parsedName(name: string): string {
  const parsed = AssetName.safeParse(name);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid_request', `"${name}" cannot be an asset’s name`, { hint: 'Use up to 64 lower-case letters, digits, dots, dashes and underscores.' });
}

async function nextVersion(records: Records<AssetRecord>, name: string, wanted: number | undefined): Promise<number> {
  const last = await records.lastVersion(name);
  const version = wanted ?? last + 1;
  if (version > last) return version;
  throw new AppError('already_exists', `version ${last} of ${name} was sealed already`, { hint: 'Leave out the version, or give a higher one.' });
}

async function requirePlainFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new AppError('invalid_request', `${path} is not a plain file`);
}

/** As much of a table as its columns' types are read from. */
const START_BYTES = 1024 * 1024;

interface SealedTo extends Sealed {
  readonly header: Uint8Array;
  readonly start: Uint8Array;
  readonly isWhole: boolean;
}

async function sealTo(destination: string, file: string, broker: BrokerDescription): Promise<SealedTo> {
  const start: Uint8Array[] = [];
  let kept = 0;
  const watched = async function* (): AsyncGenerator<Uint8Array, undefined> {
    for await (const piece of readInLargePieces(file)) {
      if (kept < START_BYTES) {
        start.push(piece);
        kept += piece.length;
      }
      yield piece;
    }
  };
  const sealing = await sealStream(watched(), [broker.recipients.dataset]);
  await createFile(destination, async handle => writeAll(handle, sealing.stream));
  const sealed = await sealing.done;
  return { ...sealed, header: sealing.header, start: concatBytes(...start), isWhole: sealed.plaintextSize === kept };
}

interface MockFile {
  readonly reference: NonNullable<Descriptor['mock']>;
  readonly columns: readonly Column[] | undefined;
}

async function readMock(path: string, mediaType: string): Promise<MockFile> {
  await requirePlainFile(path);
  const tally = createTally();
  const start: Uint8Array[] = [];
  for await (const piece of readInLargePieces(path)) {
    if (tally.size() < START_BYTES) start.push(piece);
    tally.add(piece);
  }
  const bytes = concatBytes(...start);
  const columns = mediaType === 'text/csv' ? csvColumns(bytes, bytes.length === tally.size()) : undefined;
  return { reference: { digest: tally.digest(), size: tally.size(), mediaType }, columns };
}

/** A notebook that runs on the mock must find the same names in the real table. */
function requireSameColumns(real: readonly Column[] | undefined, mock: readonly Column[] | undefined): void {
  const names = (columns: readonly Column[] | undefined): string => (columns ?? []).map(column => column.name).join(', ');
  if (names(real) === names(mock)) return;
  throw new AppError('invalid_request', `the mock has other columns than the file: ${names(mock)}`, { hint: `Expected: ${names(real)}` });
}

/** What was sealed on this machine under a name. @throws AppError asset_unknown */
export async function sealedAsset(ownerDir: string, name: string, version?: number): Promise<AssetRecord> {
  const records = assetRecords(ownerDir);
  const record = await records.read(name, version ?? (await records.lastVersion(name)));
  if (record === undefined) throw new AppError('asset_unknown', `nothing called ${name} was sealed with the key in ${ownerDir}`);
  return record;
}
