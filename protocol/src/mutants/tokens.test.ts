import { describe, expect, test, vi } from 'vitest';
import { toBase64Url } from '../bytes/base64url.js';
import { toUtf8 } from '../bytes/text.js';
import { mutationsOf, writeJson, type JsonMutation } from './json-mutations.js';
import { createRandom } from './random.js';
import { compareSurvivors, type Finding } from './survivors.js';
import { editsOfText } from './text-mutations.js';
import { createTokenSubjects, type TokenSubject } from './token-kinds.js';

/** Thousands of verifications, on machines that do other things too. */
vi.setConfig({ testTimeout: 180_000 });

const SEED = 20_260_601;
/** Characters of a token that are changed without its signer. */
const EDITS = 400;
/** Verifying a chain takes ten times as long as a signature: of its claims, which are Google’s, one mutation in so many is tried. */
const PKI_SHARE = 6;

const subjects = (await Promise.all([createTokenSubjects('google'), createTokenSubjects('intel'), createTokenSubjects('simulator')])).flat();
const isPki = ({ kind }: TokenSubject): boolean => kind.endsWith('PKI');
const encode = (text: string): string => toBase64Url(toUtf8(text));

/** Of a token with certificates a part, which the seed picks: all of its header, some of its claims. */
function claimMutations(subject: TokenSubject): JsonMutation[] {
  const random = createRandom(SEED);
  return mutationsOf(subject.claims).filter(() => !isPki(subject) || random.below(PKI_SHARE) === 0);
}

test('there are thousands of them', () => {
  const counts = subjects.map(subject => EDITS + 2 * (mutationsOf(subject.header).length + claimMutations(subject).length));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(10_000);
});

describe.each(subjects)('$kind', subject => {
  const { kind, token, header, claims, sign, isAccepted } = subject;
  const inHeader = mutationsOf(header);
  const inClaims = claimMutations(subject);
  const edits = editsOfText(token, EDITS, createRandom(SEED));

  test('the token itself is accepted', async () => {
    expect(await isAccepted(token)).toBe(true);
    expect(await isAccepted(await sign(JSON.stringify(header), JSON.stringify(claims)))).toBe(true);
  });

  test(`without the signer: ${edits.length} changes of one character are refused`, async () => {
    for (const { kind: how, place, result } of edits) expect(await isAccepted(result), `seed ${SEED}: character ${place} ${how}`).toBe(false);
  });

  test(`without the signer: ${inHeader.length + inClaims.length} changes of header and claims are refused`, async () => {
    const [, payload = '', signature = ''] = token.split('.');
    const [first = ''] = token.split('.');
    for (const { path, kind: how, apply } of inHeader) expect(await isAccepted(`${encode(writeJson(apply(header), 'as given'))}.${payload}.${signature}`), `header ${path}: ${how}`).toBe(false);
    for (const { path, kind: how, apply } of inClaims) expect(await isAccepted(`${first}.${encode(writeJson(apply(claims), 'as given'))}.${signature}`), `seed ${SEED}: claim ${path}: ${how}`).toBe(false);
  });

  test(`signed: of ${inHeader.length + inClaims.length} changes of header and claims, those that change what a token means are refused`, async () => {
    const found: Finding[] = [];
    for (const { path, kind: how, apply } of inHeader) {
      found.push({ of: 'header', path, kind: how, survived: await isAccepted(await sign(writeJson(apply(header), 'as given'), JSON.stringify(claims))) });
    }
    for (const { path, kind: how, apply } of inClaims) {
      found.push({ of: 'claims', path, kind: how, survived: await isAccepted(await sign(JSON.stringify(header), writeJson(apply(claims), 'as given'))) });
    }
    expect(compareSurvivors(found, kind, { partly: isPki(subject) })).toEqual({ unlisted: [], stale: [] });
  });
});
