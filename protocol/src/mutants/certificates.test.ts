import { describe, expect, test, vi } from 'vitest';
import { toBase64 } from '../bytes/base64url.js';
import { isObject } from '../attestation/token.js';
import { createTestChain, pemOf } from '../testing/index.js';
import { createRandom } from './random.js';
import { editsOfDer, editsOfText } from './text-mutations.js';
import { createTokenSubjects, type TokenSubject } from './token-kinds.js';

/** Thousands of verifications, on machines that do other things too. */
vi.setConfig({ testTimeout: 180_000 });

const SEED = 20_260_602;
/** Bits of each certificate that are changed besides its tags and lengths. */
const BITS = 80;
const TEXT_EDITS = 60;
const NAMES = ['leaf', 'intermediate', 'root'] as const;

const subjects = (await createTokenSubjects('google')).filter(({ kind }) => kind.endsWith('PKI'));
const stranger = await createTestChain();

/** The token's claims under other certificates. The leaf's own key signs, so nothing but the certificates speaks against it. */
function withCertificates({ header, claims, sign }: TokenSubject, x5c: readonly string[]): Promise<string> {
  return sign(JSON.stringify(isObject(header) ? { ...header, x5c } : header), JSON.stringify(claims));
}

describe.each(subjects)('$kind', subject => {
  const { x5c, der } = subject.party.verifier.chain;
  const accepts = async (certificates: readonly string[]): Promise<boolean> => subject.isAccepted(await withCertificates(subject, certificates));

  test('its certificates are accepted', async () => {
    expect(await accepts(x5c)).toBe(true);
    expect(await accepts(x5c.map(entry => pemOf(entry)))).toBe(true);
  });

  for (const [at, name] of NAMES.entries()) {
    const edits = editsOfDer(der[at] ?? new Uint8Array(), BITS, createRandom(SEED + at));
    test(`the leaf’s key signs ${edits.length} changes of the ${name}’s bytes: none is accepted`, async () => {
      for (const { kind, place, result } of edits) expect(await accepts(x5c.with(at, toBase64(result))), `seed ${SEED + at}: ${kind} ${place}`).toBe(false);
    });
  }

  test(`the leaf’s key signs about ${NAMES.length * 2 * TEXT_EDITS} changes of their texts: none is accepted but another text of the same bytes`, async () => {
    for (const [at, entry] of x5c.entries()) {
      const random = createRandom(SEED + at);
      for (const text of [entry, pemOf(entry)]) {
        for (const { kind, place, result } of editsOfText(text, TEXT_EDITS, random)) {
          const same = isSameCertificate(result, der[at]);
          expect(await accepts(x5c.with(at, result)), `seed ${SEED + at}: ${kind} ${place} of ${JSON.stringify(result)}`).toBe(same);
        }
      }
    }
  });

  test('every list of certificates but the one: left out, twice, in another order, a stranger’s put in', async () => {
    const all = [...x5c, ...stranger.x5c];
    let lists = 0;
    for (const first of all) {
      for (const second of all) {
        for (const third of all) {
          const list = [first, second, third];
          expect(await accepts(list)).toBe(list.every((entry, at) => entry === x5c[at]));
          lists += 1;
        }
        expect(await accepts([first, second])).toBe(false);
        expect(await accepts([...x5c, second])).toBe(false);
      }
    }
    expect(lists).toBe(216);
  });
});

/** PEM breaks lines at will: a line end more or less leaves the bytes as they are, and nothing else does. */
function isSameCertificate(text: string, der: Uint8Array | undefined): boolean {
  const pem = /^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\r?\n?$/.exec(text)?.[1];
  return pem !== undefined && der !== undefined && pem.replaceAll(/[\r\n]/g, '') === toBase64(der);
}
