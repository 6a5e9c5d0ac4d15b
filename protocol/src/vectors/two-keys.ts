import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, toUtf8 } from '../bytes/text.js';

/**
 * The attack that the header's MAC stops: one age payload that opens under two file keys. Poly1305 (RFC 8439) is
 * linear in the ciphertext modulo 2^130 - 5, so one free block of ciphertext makes two one-time keys give one tag.
 */
const P = 2n ** 130n - 5n;
const WORD = 2n ** 128n;
const BLOCK = 16;

interface OneTime {
  readonly r: bigint;
  readonly s: bigint;
  readonly stream: Uint8Array;
}

/** @returns nonce and single final chunk of an age payload; the first block opens to `start` under `a` */
export function payloadUnderTwoKeys(a: Uint8Array, b: Uint8Array, nonce: Uint8Array, start: Uint8Array): Uint8Array<ArrayBuffer> {
  const [one, two] = [oneTime(a, nonce), oneTime(b, nonce)];
  const first = start.map((byte, at) => byte ^ (one.stream[at] ?? 0));
  for (let filler = 0; filler < 65_536; filler += 1) {
    const second = new Uint8Array(BLOCK);
    new DataView(second.buffer).setUint32(0, filler);
    const free = freeBlock(one, two, concatBytes(first, second));
    if (free === undefined) continue;
    const ciphertext = concatBytes(first, second, fromLittle(free, BLOCK));
    const tag = (poly1305(ciphertext, one.r) + one.s) % WORD;
    if (tag === (poly1305(ciphertext, two.r) + two.s) % WORD) return concatBytes(nonce, ciphertext, fromLittle(tag, BLOCK));
  }
  throw new Error('no payload found');
}

/** Poly1305 of ciphertext and lengths, without the added secret. */
function poly1305(ciphertext: Uint8Array, r: bigint): bigint {
  const lengths = new Uint8Array(BLOCK);
  new DataView(lengths.buffer).setUint32(8, ciphertext.length, true);
  const message = concatBytes(ciphertext, lengths);
  let sum = 0n;
  for (let at = 0; at < message.length; at += BLOCK) sum = ((sum + toLittle(message.subarray(at, at + BLOCK)) + WORD) * r) % P;
  return sum;
}

/** The third block for which both sums differ by the difference of the secrets, where one fits into 128 bits. */
function freeBlock(one: OneTime, two: OneTime, before: Uint8Array): bigint | undefined {
  const rest = concatBytes(before, new Uint8Array(BLOCK));
  const constant = poly1305(rest, one.r) - poly1305(rest, two.r);
  // The third of four blocks is multiplied by r squared.
  const factor = mod(one.r * one.r - two.r * two.r);
  for (let carry = -4n; carry <= 4n; carry += 1n) {
    const block = mod((two.s - one.s + carry * WORD - constant) * power(factor, P - 2n));
    if (block < WORD) return block;
  }
  return undefined;
}

/** Keys of one STREAM chunk, the first and last: nonce of eleven zeros and a one. */
function oneTime(fileKey: Uint8Array, nonce: Uint8Array): OneTime {
  const key = hkdf(sha256, fileKey, nonce, toUtf8('payload'), 32);
  const secret = chacha20(key, 0);
  const stream = concatBytes(chacha20(key, 1));
  return { r: toLittle(secret.subarray(0, BLOCK)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn, s: toLittle(secret.subarray(BLOCK, 2 * BLOCK)), stream };
}

/** One block of ChaCha20 (RFC 8439 section 2.3) under age's nonce of the final chunk. */
function chacha20(key: Uint8Array, counter: number): Uint8Array<ArrayBuffer> {
  const chunkNonce = new Uint8Array(12);
  chunkNonce[11] = 1;
  const start = concatBytes(toUtf8('expand 32-byte k'), key, Uint8Array.of(counter, 0, 0, 0), chunkNonce);
  const initial = new Uint32Array(16);
  const view = new DataView(start.buffer);
  initial.forEach((_, at) => (initial[at] = view.getUint32(at * 4, true)));
  const state = initial.slice();
  const rounds = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] as const;
  for (let round = 0; round < 10; round += 1) for (const quarter of rounds) quarterRound(state, quarter);
  const block = new Uint8Array(64);
  state.forEach((word, at) => new DataView(block.buffer).setUint32(at * 4, (word + (initial[at] ?? 0)) >>> 0, true));
  return block;
}

function quarterRound(state: Uint32Array, [a, b, c, d]: readonly [number, number, number, number]): void {
  for (const [to, by, target, bits] of [[a, b, d, 16], [c, d, b, 12], [a, b, d, 8], [c, d, b, 7]] as const) {
    state[to] = (state[to] ?? 0) + (state[by] ?? 0);
    const mixed = (state[target] ?? 0) ^ (state[to] ?? 0);
    state[target] = (mixed << bits) | (mixed >>> (32 - bits));
  }
}

const mod = (value: bigint): bigint => ((value % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base), left = exponent; left > 0n; left >>= 1n, square = (square * square) % P) {
    if ((left & 1n) === 1n) result = (result * square) % P;
  }
  return result;
}

function toLittle(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function fromLittle(value: bigint, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => Number((value >> BigInt(8 * at)) & 0xffn));
}
