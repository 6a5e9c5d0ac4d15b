import * as z from 'zod/mini';
import { defineSignedKind } from '../signed/signed-kind.js';
import { AgeRecipient, AssetName, Base64Url, Count, Digest, ServiceUrl, ShortText, Thumbprint } from './primitives.js';

/** Media type without parameters (RFC 6838), in lower case. */
export const MediaType = z.string().check(z.regex(/^[a-z0-9.+-]{1,64}\/[a-z0-9.+-]{1,64}$/));

/** The broker that keeps an asset's key, and where code and reviews for its owner are sealed to. */
export const AssetCustodian = z.strictObject({
  broker: Thumbprint,
  url: ServiceUrl,
  recipients: z.strictObject({ bundle: AgeRecipient, review: AgeRecipient }),
  /** The sealed file's age header, base64url. */
  wrapped: Base64Url
});

/** The public stand-in of an asset; `size` in bytes and `digest` are of the file itself, which is not sealed. */
export const MockReference = z.strictObject({ digest: Digest, size: Count, mediaType: MediaType });

/**
 * What an owner says about one version of an asset. `digest` and `size` are of the *sealed* file; the
 * descriptor's own digest is the asset's name in manifests, policies' releases and receipts.
 */
export const Descriptor = z.strictObject({
  v: z.literal(1),
  owner: Thumbprint,
  name: AssetName,
  version: z.int().check(z.gte(1)),
  kind: z.enum(['dataset', 'model', 'library', 'code']),
  mediaType: MediaType,
  size: Count,
  digest: Digest,
  schema: z.optional(
    z.strictObject({
      columns: z.array(z.strictObject({ name: z.string().check(z.maxLength(256)), type: z.string().check(z.maxLength(64)) })).check(z.maxLength(4096))
    })
  ),
  mock: z.optional(MockReference),
  origin: z.optional(ShortText),
  /** Exactly one in version 1. */
  custodians: z.tuple([AssetCustodian])
});
export type Descriptor = z.infer<typeof Descriptor>;

/** Signed by the owner. */
export const DESCRIPTOR = defineSignedKind('descriptor', Descriptor);
