import * as z from 'zod/mini';
import { AppError } from '../../errors.js';
import { fromBase64Url, toBase64Url } from '../../bytes/base64url.js';
import { digestOf, digestOfJson } from '../../bytes/digest.js';
import { parseJcs } from '../../bytes/jcs.js';
import type { Json } from '../../bytes/json.js';
import { equalBytes } from '../../bytes/text.js';
import { DESCRIPTOR } from '../../objects/descriptor.js';
import { WrappedCode } from '../../objects/manifest.js';
import { Attempt, Bytes32, Digest, Thumbprint } from '../../objects/primitives.js';
import { RECEIPT, Release, type Grant, type Share } from '../../objects/release.js';
import { headerLength, openBytes, openBytesWithKey, openHeader, recipientOf, verifyHeaderKey } from '../../sealing/age-header.js';
import { verifyObject } from '../../signed/signed-object.js';
import { defineOperation, type Operation } from './operation.js';

const Expectation = z.strictObject({ broker: Thumbprint, job: Digest, attempt: Attempt, session: Bytes32, instance: z.string(), subjects: z.array(Digest) });

/** age headers and files, and what may be believed of an opened one. */
export const SEALING_OPERATIONS: Readonly<Record<string, Operation>> = {
  ageRecipient: defineOperation(z.strictObject({ identity: z.string() }), async ({ identity }) => ({ recipient: await recipientOf(identity) })),
  openHeader: defineOperation(z.strictObject({ header: z.string(), identity: z.string() }), async ({ header, identity }) => ({
    fileKey: toBase64Url(await openHeader(fromBase64Url(header), identity))
  })),
  verifyHeaderKey: defineOperation(z.strictObject({ header: z.string(), fileKey: z.string() }), async ({ header, fileKey }) => {
    await verifyHeaderKey(fromBase64Url(header), fromBase64Url(fileKey));
    return {};
  }),
  openFile: defineOperation(z.strictObject({ file: z.string(), identity: z.string() }), async ({ file, identity }) => ({
    plaintext: toBase64Url(await openBytes(fromBase64Url(file), identity))
  })),
  openFileWithKey: defineOperation(z.strictObject({ file: z.string(), fileKey: z.string() }), async ({ file, fileKey }) => ({
    plaintext: toBase64Url(await openBytesWithKey(fromBase64Url(file), fromBase64Url(fileKey)))
  })),
  /** A sealed asset as its reader takes it: signed by its owner, header and digest as the descriptor says, then opened. */
  openAsset: defineOperation(z.strictObject({ descriptor: z.string(), owner: Thumbprint, file: z.string(), fileKey: z.string() }), async input => {
    const { payload } = await verifyObject(DESCRIPTOR, input.descriptor, input.owner);
    const file = fromBase64Url(input.file);
    const header = file.slice(0, headerLength(file));
    if (!equalBytes(header, fromBase64Url(payload.custodians[0].wrapped))) throw new AppError('header_mismatch', 'the file has another header than its descriptor signs');
    if (digestOf(file) !== payload.digest) throw new AppError('digest_mismatch', 'the file is not the one that its descriptor signs');
    return { plaintext: toBase64Url(await openBytesWithKey(file, fromBase64Url(input.fileKey))) };
  }),
  /** A code custodian's part of the key, as its broker takes it out of a manifest of `analyst` about `bundle`. */
  openWrappedCode: defineOperation(z.strictObject({ wrapped: z.string(), identity: z.string(), analyst: Thumbprint, bundle: Digest }), async input => {
    const opened = WrappedCode.safeParse(parseJcs(await openBytes(fromBase64Url(input.wrapped), input.identity)));
    if (!opened.success || opened.data.analyst !== input.analyst || opened.data.bundle !== input.bundle) throw new AppError('code_not_bound', 'wrapped for somebody or something else');
    return { fileKey: opened.data.fileKey };
  }),
  /** A broker's release, as the runner takes it: only what the named broker signed for this very session. */
  openRelease: defineOperation(z.strictObject({ sealed: z.string(), identity: z.string(), expect: Expectation }), ({ sealed, identity, expect }) =>
    readRelease(fromBase64Url(sealed), identity, expect).catch((cause: unknown) => {
      throw new AppError('receipt_rejected', 'the release does not hold', { cause });
    })
  )
};

async function readRelease(sealed: Uint8Array, identity: string, expect: z.output<typeof Expectation>): Promise<Json> {
  const release = Release.parse(parseJcs(await openBytes(sealed, identity)));
  const { payload } = await verifyObject(RECEIPT, release.receipt, expect.broker);
  const own = payload.job === expect.job && payload.attempt === expect.attempt && payload.session === expect.session && payload.instance === expect.instance;
  if (!own || payload.sharesDigest !== digestOfJson(release.shares)) throw new AppError('receipt_rejected', 'for another session or other keys');
  const subjects = [...expect.subjects].sort().join();
  for (const given of [release.shares, payload.grants]) {
    if (given.map(subjectOf).sort().join() !== subjects) throw new AppError('receipt_rejected', 'not the keys that this broker keeps');
  }
  return { subjects: release.shares.map(subjectOf), fileKeys: release.shares.map(share => share.fileKey) };
}

const subjectOf = (item: Share | Grant): Digest => ('asset' in item ? item.asset : item.bundle);
