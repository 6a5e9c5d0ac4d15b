import { bech32 } from '@scure/base';
import * as z from 'zod/mini';

/** `sha256:<64 lower-case hex>`. */
export const Digest = z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)).brand<'Digest'>();
export type Digest = z.infer<typeof Digest>;

/** RFC 7638 thumbprint with SHA-256: 43 characters of base64url. It names a party. */
export const Thumbprint = z.string().check(z.regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)).brand<'Thumbprint'>();
export type Thumbprint = z.infer<typeof Thumbprint>;

/** A 32-byte value in unpadded base64url: challenges, salts, labelled hashes. */
export const Bytes32 = z.string().check(z.regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/));
export type Bytes32 = z.infer<typeof Bytes32>;

/** UUID version 7 (RFC 9562), lower case. */
export const UuidV7 = z.string().check(z.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/));
export type UuidV7 = z.infer<typeof UuidV7>;

/** RFC 3339 in UTC with milliseconds, the one form that Date.toISOString gives. */
export const Time = z.string().check(
  z.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
  z.refine(text => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text)
);
export type Time = z.infer<typeof Time>;

/** Unpadded base64url of any length up to 1 MiB; canonical form is checked where it is decoded. */
export const Base64Url = z.string().check(z.regex(/^[A-Za-z0-9_-]+$/), z.maxLength(1 << 20));

/** The 16-byte file key of one age file, unpadded base64url. Secret. */
export const FileKey = z.string().check(z.regex(/^[A-Za-z0-9_-]{22}$/));

/** Native X25519 recipient of age v1. */
export const AgeRecipient = z.string().check(z.regex(/^age1[02-9ac-hj-np-z]{58}$/), z.refine(isX25519Recipient, 'its checksum does not fit'));

function isX25519Recipient(text: string): boolean {
  const decoded = bech32.decodeUnsafe(text);
  return decoded?.prefix === 'age' && bech32.fromWordsUnsafe(decoded.words)?.length === 32;
}
export type AgeRecipient = z.infer<typeof AgeRecipient>;

/** Compact JWS: three parts of base64url. Attestation tokens and our signed objects. */
export const CompactJws = z.string().check(z.regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/), z.maxLength(1 << 20));
export type CompactJws = z.infer<typeof CompactJws>;

/** Name that an owner gives to an asset. */
export const AssetName = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/));

/** Name under which a notebook reads an asset: the analyst's name of the owner, a slash, the owner's name of it. */
export const InputName = z.string().check(z.regex(/^[a-z0-9][a-z0-9._-]{0,63}\/[a-z0-9][a-z0-9._-]{0,63}$/));

/** Absolute http(s) URL without query, fragment, user or trailing slash: where a service lives. */
export const ServiceUrl = z.string().check(
  z.maxLength(512),
  z.refine(text => {
    const url = URL.parse(text);
    return (
      url !== null &&
      (url.protocol === 'https:' || url.protocol === 'http:') &&
      url.username === '' &&
      url.password === '' &&
      `${url.origin}${url.pathname === '/' ? '' : url.pathname}` === text &&
      !text.endsWith('/')
    );
  })
);

/** A number of things or bytes, exact in a double. */
export const Count = z.int().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
/** Number of a try at a job, from 1: the fencing number. */
export const Attempt = z.int().check(z.gte(1), z.lte(100));
/** Words for people, up to 4096 UTF-16 units. */
export const ShortText = z.string().check(z.maxLength(4096));
