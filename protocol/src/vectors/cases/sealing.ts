import { toBase64Url } from '../../bytes/base64url.js';
import { concatBytes, toUtf8 } from '../../bytes/text.js';
import type { ErrorCode } from '../../errors.js';
import { headerLength } from '../../sealing/age-header.js';
import { testBytes } from '../fixtures.js';
import type { Draft, FileDraft } from '../format.js';
import { payloadUnderTwoKeys } from '../two-keys.js';
import type { VectorWorld } from '../world.js';

/** A file whose payload opens under its own key and under another one, which its header's MAC does not know. */
export function fileUnderTwoKeys({ hospital }: VectorWorld): { file: Uint8Array; header: Uint8Array; otherKey: Uint8Array } {
  const otherKey = testBytes('the other key').subarray(0, 16);
  const payload = payloadUnderTwoKeys(hospital.fileKey, otherKey, testBytes('payload nonce').subarray(0, 16), toUtf8('what one reads; '));
  return { file: concatBytes(hospital.header, payload), header: hospital.header, otherKey };
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  const place = at < 0 ? bytes.length + at : at;
  changed[place] = (changed[place] ?? 0) ^ 1;
  return changed;
}

/** Files and headers of age v1. */
export async function ageFile(world: VectorWorld): Promise<FileDraft> {
  const { hospital, registry, analystIdentity, strangerIdentity, source } = world;
  const { identity } = hospital.dataset;
  const header = toBase64Url(hospital.header);
  const fileKey = toBase64Url(hospital.fileKey);
  const open = (name: string, file: Uint8Array, error?: ErrorCode, who = identity): Draft => ({
    name, operation: 'openFile', input: { file: toBase64Url(file), identity: who }, ...(error === undefined ? {} : { expect: { error } })
  });
  const openHeader = (name: string, bytes: Uint8Array, error?: ErrorCode, who = identity): Draft => ({
    name, operation: 'openHeader', input: { header: toBase64Url(bytes), identity: who }, ...(error === undefined ? {} : { expect: { error } })
  });
  const verifyKey = (name: string, key: string, error?: ErrorCode): Draft => ({
    name, operation: 'verifyHeaderKey', input: { header, fileKey: key }, ...(error === undefined ? {} : { expect: { error } })
  });
  const two = fileUnderTwoKeys(world);
  const long = concatBytes(...Array.from({ length: 2100 }, (_, at) => testBytes(`chunk ${at}`)));
  const chunked = await source.seal('two chunks', long, [analystIdentity.recipient]);
  const chunks = headerLength(chunked) ?? 0;
  const both = await source.seal('two recipients', toUtf8('to both'), [analystIdentity.recipient, strangerIdentity.recipient]);
  const empty = await source.seal('empty', new Uint8Array(), [analystIdentity.recipient]);
  return {
    kind: 'age',
    about: 'Sealing is stock age v1 with X25519 recipients. The header’s MAC is verified under the file key before any chunk; nothing counts before the last chunk.',
    specs: ['C2SP age v1', 'RFC 8439', 'RFC 7748', 'RFC 5869'],
    cases: [
      { name: 'the recipient of an identity', operation: 'ageRecipient', input: { identity } },
      open('a file opens', hospital.sealed),
      open('an empty file opens', empty, undefined, analystIdentity.identity),
      open('a file to two recipients opens for the first', both, undefined, analystIdentity.identity),
      open('a file to two recipients opens for the second', both, undefined, strangerIdentity.identity),
      openHeader('a header gives the file key', hospital.header),
      verifyKey('a file key belongs to its header', fileKey),
      verifyKey('a file key of another header', toBase64Url(registry.fileKey), 'sealed_corrupt'),
      { name: 'a file opens by its file key', operation: 'openFileWithKey', input: { file: toBase64Url(hospital.sealed), fileKey } },
      open('sealed to somebody else', hospital.sealed, 'sealed_for_another', registry.dataset.identity),
      openHeader('a header for somebody else', hospital.header, 'sealed_for_another', registry.dataset.identity),
      open('no age file', toUtf8('-----BEGIN PGP MESSAGE-----\n'), 'sealed_corrupt'),
      open('another version', concatBytes(toUtf8('age-encryption.org/v2\n'), hospital.sealed.slice(22)), 'sealed_corrupt'),
      open('the MAC changed', flip(hospital.sealed, hospital.header.length - 5), 'sealed_corrupt'),
      open('a stanza more, for a stranger', withStanza(hospital.sealed), 'sealed_corrupt'),
      open('one byte of the payload changed', flip(hospital.sealed, -1), 'sealed_corrupt'),
      open('the payload’s nonce changed', flip(hospital.sealed, hospital.header.length), 'sealed_corrupt'),
      open('bytes after the end', concatBytes(hospital.sealed, toUtf8('x')), 'sealed_corrupt'),
      open('cut within the only chunk', hospital.sealed.slice(0, -1), 'sealed_corrupt'),
      open('only the header', hospital.header, 'sealed_corrupt'),
      open('cut at the end of the first of two chunks, which alone is authentic', chunked.slice(0, chunks + 16 + 65_536 + 16), 'sealed_corrupt', analystIdentity.identity),
      openHeader('a header with bytes after it', concatBytes(hospital.header, toUtf8('x')), 'sealed_corrupt'),
      openHeader('a header cut short', hospital.header.slice(0, -1), 'sealed_corrupt'),
      { name: 'a payload that opens under two keys, by its own key', operation: 'openFileWithKey', input: { file: toBase64Url(two.file), fileKey } },
      { name: 'a payload that opens under two keys, by the other key', operation: 'openFileWithKey', input: { file: toBase64Url(two.file), fileKey: toBase64Url(two.otherKey) }, expect: { error: 'sealed_corrupt' } }
    ]
  };
}

/** A recipient stanza that the MAC does not cover, put before the MAC. */
function withStanza(file: Uint8Array): Uint8Array {
  const length = headerLength(file) ?? 0;
  const macLine = 48;
  const stanza = toUtf8(`-> X25519 ${'A'.repeat(43)}\n${'A'.repeat(43)}\n`);
  return concatBytes(file.slice(0, length - macLine), stanza, file.slice(length - macLine));
}

/** Sealed assets, as their descriptor has them. */
export function assetFile(world: VectorWorld): FileDraft {
  const { hospital, registry } = world;
  const input = { descriptor: hospital.descriptor.jws, owner: hospital.owner.thumbprint, file: toBase64Url(hospital.sealed), fileKey: toBase64Url(hospital.fileKey) };
  return {
    kind: 'asset',
    about: 'A sealed asset as its reader takes it: the descriptor signed by its owner, the file’s header equal to the signed one, the file’s digest, then the payload.',
    specs: ['C2SP age v1'],
    cases: [
      { name: 'the file of its descriptor', operation: 'openAsset', input },
      { name: 'the file of another asset', operation: 'openAsset', input: { ...input, file: toBase64Url(registry.sealed) }, expect: { error: 'header_mismatch' } },
      { name: 'another payload under the same header and key', operation: 'openAsset', input: { ...input, file: toBase64Url(fileUnderTwoKeys(world).file) }, expect: { error: 'digest_mismatch' } },
      { name: 'bytes after the end', operation: 'openAsset', input: { ...input, file: toBase64Url(concatBytes(hospital.sealed, toUtf8('x'))) }, expect: { error: 'digest_mismatch' } },
      { name: 'a descriptor by another owner than expected', operation: 'openAsset', input: { ...input, owner: registry.owner.thumbprint }, expect: { error: 'wrong_signer' } }
    ]
  };
}
