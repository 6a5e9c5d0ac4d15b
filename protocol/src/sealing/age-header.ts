import { Decrypter, Encrypter, identityToRecipient, type Identity, type Recipient } from 'age-encryption';
import { AppError } from '../errors.js';
import { concatBytes } from '../bytes/text.js';
import { AgeRecipient } from '../objects/primitives.js';

/**
 * age v1 headers (C2SP age specification). A header is the text from the version line to the line feed after
 * the MAC; the payload follows it. The MAC is an HMAC under the file key, so it also tells whether a file key
 * belongs to a header: payloads alone do not commit to their key.
 */
const MAC_LINE = /(?:^|\n)--- [A-Za-z0-9+/]{43}\n/;
/** A header has about 100 bytes and 100 more for each recipient; a longer one is refused unread. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** Where the header ends in the first bytes of a sealed file, or undefined where more bytes are needed. */
export function headerLength(start: Uint8Array): number | undefined {
  const window = start.subarray(0, MAX_HEADER_BYTES);
  const text = String.fromCharCode(...window);
  if (!'age-encryption.org/v1\n'.startsWith(text.slice(0, 22))) throw new AppError('sealed_corrupt', 'not an age v1 file');
  const match = MAC_LINE.exec(text);
  if (match !== null) return match.index + match[0].length;
  if (window.length === MAX_HEADER_BYTES) throw new AppError('sealed_corrupt', 'age header too long');
  return undefined;
}

/**
 * The 16-byte file key of a header, its MAC verified under that key.
 * @param identity `AGE-SECRET-KEY-1…`
 * @throws AppError sealed_for_another | sealed_corrupt
 */
export async function openHeader(header: Uint8Array, identity: string): Promise<Uint8Array> {
  return decryptHeader(decrypterFor(identity), header);
}

function decrypterFor(identity: string): Decrypter {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity);
  } catch (cause) {
    throw new AppError('key_missing', 'not an age identity', { cause });
  }
  return decrypter;
}

/**
 * That a file key belongs to a header: verifies the header's MAC under the key, without any identity.
 * @throws AppError sealed_corrupt
 */
export async function verifyHeaderKey(header: Uint8Array, fileKey: Uint8Array): Promise<void> {
  const known: Identity = { unwrapFileKey: () => fileKey };
  const decrypter = new Decrypter();
  decrypter.addIdentity(known);
  await decryptHeader(decrypter, header);
}

async function decryptHeader(decrypter: Decrypter, header: Uint8Array): Promise<Uint8Array> {
  if (headerLength(header) !== header.length) throw new AppError('sealed_corrupt', 'bytes after the age header');
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    const foreign = cause instanceof Error && cause.message.startsWith('no identity matched');
    throw new AppError(foreign ? 'sealed_for_another' : 'sealed_corrupt', 'the age header does not open', { cause });
  }
}

/**
 * A fresh header and its file key for these recipients. One file key serves one payload, ever.
 */
export async function createHeader(recipients: readonly AgeRecipient[]): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  if (recipients.length === 0) throw new AppError('invalid_request', 'nobody to seal to');
  let captured: Uint8Array | undefined;
  // A recipient of ours sees the file key that age-encryption made and adds no stanza, so no way to open the file.
  const capture: Recipient = {
    wrapFileKey: fileKey => {
      captured = fileKey.slice();
      return [];
    }
  };
  const file = await encryptTo([...recipients, capture], new Uint8Array());
  const length = headerLength(file);
  if (captured === undefined || length === undefined) throw new AppError('internal', 'age header was not made');
  return { header: file.slice(0, length), fileKey: captured };
}

/** A small thing as one age file in memory (keys, indexes, bundles); large ones are streamed by @cloister/sealing. */
export async function sealBytes(plaintext: Uint8Array, recipients: readonly AgeRecipient[]): Promise<Uint8Array<ArrayBuffer>> {
  if (recipients.length === 0) throw new AppError('invalid_request', 'nobody to seal to');
  return concatBytes(await encryptTo(recipients, plaintext));
}

async function encryptTo(recipients: readonly (AgeRecipient | Recipient)[], plaintext: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    return await encrypter.encrypt(plaintext);
  } catch (cause) {
    throw new AppError('invalid_object', 'a recipient is not a usable age recipient', { cause });
  }
}

/** @throws AppError sealed_for_another | sealed_corrupt */
export async function openBytes(file: Uint8Array, identity: string): Promise<Uint8Array<ArrayBuffer>> {
  return decryptFile(decrypterFor(identity), file);
}

/** Opens a small sealed file by its file key alone; the header's MAC is verified first. */
export async function openBytesWithKey(file: Uint8Array, fileKey: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const decrypter = new Decrypter();
  const known: Identity = { unwrapFileKey: () => fileKey };
  decrypter.addIdentity(known);
  return decryptFile(decrypter, file);
}

async function decryptFile(decrypter: Decrypter, file: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  headerLength(file);
  try {
    return concatBytes(await decrypter.decrypt(file));
  } catch (cause) {
    const foreign = cause instanceof Error && cause.message.startsWith('no identity matched');
    throw new AppError(foreign ? 'sealed_for_another' : 'sealed_corrupt', 'the sealed file does not open', { cause });
  }
}

/** `age1…` of `AGE-SECRET-KEY-1…`. */
export async function recipientOf(identity: string): Promise<AgeRecipient> {
  return AgeRecipient.parse(await identityToRecipient(identity));
}

export { generateX25519Identity as generateIdentity } from 'age-encryption';
