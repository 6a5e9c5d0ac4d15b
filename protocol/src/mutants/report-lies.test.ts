import { describe, expect, test, vi } from 'vitest';
import { parseJson } from '../bytes/json.js';
import { isObject } from '../attestation/token.js';
import { mutationsOf, writeJson } from './json-mutations.js';
import { createRandom } from './random.js';
import { createReportSubject, headerOf, PART_NAMES, signText } from './report-subject.js';
import { compareSurvivors, type Finding } from './survivors.js';

/** Thousands of verifications, on machines that do other things too. */
vi.setConfig({ testTimeout: 180_000 });

/**
 * Whoever may sign a part of a report signs something else, and everybody after him goes along: digests, nonces, later signatures and
 * the attestation all fit. So nothing but what is said can be wrong.
 */
const SEED = 20_260_604;
/** A report carries policies by their digests alone: of changes of what they say, one in so many is tried. */
const POLICY_SHARE = 4;

const subject = await createReportSubject({ verifier: 'google', token: 'oidc' });

test('the report itself is accepted', async () => {
  expect(await subject.isAccepted(await subject.make())).toBe(true);
});

describe.each(PART_NAMES)('a lie in the %s, signed', part => {
  const random = createRandom(SEED);
  const mutations = mutationsOf(subject.parts[part]).filter(() => part !== 'policy' || random.below(POLICY_SHARE) === 0);
  test(`of ${mutations.length}, those that change what the report means are refused`, async () => {
    const found: Finding[] = [];
    for (const { path, kind, apply } of mutations) {
      const lie = { part, apply, ...(kind === 'reorder' ? { order: 'as given' as const } : {}) };
      found.push({ of: part, path, kind, survived: await subject.isAccepted(await subject.make(lie)) });
    }
    expect(compareSurvivors(found, subject.kind, { partly: part === 'policy' })).toEqual({ unlisted: [], stale: [] });
  });
});

describe.each(['descriptor', 'policy', 'manifest', 'receipt', 'witness'] as const)('the header of the %s, signed', part => {
  const signer = subject.signerOf(part);
  const header = parseJson(headerOf(part, signer));
  const mutations = mutationsOf(header);
  const member = { descriptor: 'descriptors', policy: 'policies', manifest: 'manifest', receipt: 'receipts', witness: 'witnesses' }[part];

  test(`${mutations.length} changes are refused, written canonically and not`, async () => {
    const made = await subject.make();
    const report = parseJson(made.text);
    if (!isObject(report)) throw new Error('not a report');
    const underHeader = async (text: string): Promise<boolean> => {
      const jws = await signText(part, writeJson(subject.parts[part], 'canonical'), signer, text);
      const list = report[member];
      return subject.isAccepted({ ...made, text: JSON.stringify({ ...report, [member]: Array.isArray(list) ? list.with(0, jws) : jws }) });
    };
    expect(await underHeader(headerOf(part, signer))).toBe(true);
    for (const { path, kind, apply } of mutations) {
      for (const order of ['canonical', 'as given'] as const) {
        const text = writeJson(apply(header), order);
        if (text === headerOf(part, signer)) continue;
        expect(await underHeader(text), `${path}: ${kind}`).toBe(false);
      }
    }
  });
});
