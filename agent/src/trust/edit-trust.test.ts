import { describe, expect, test } from 'vitest';
import { GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER, createAppraisal, digestOf, toUtf8, type Trust, type VerifierJwk } from '@cloister/protocol';
import { codeOf, errorOf } from '../testing/index.js';
import { compareKeySets } from './compare-key-sets.js';
import { NO_TRUST, addImage, addOwner, addRoot, addVerifier, removeImage, removeOwner, removeVerifier } from './edit-trust.js';
import { knownVerifier } from './known-verifiers.js';
import { startingAppraisal } from './starting-appraisal.js';

const thumbprint = 'A'.repeat(43);
const image = `sha256:${'a'.repeat(64)}`;
const attempt = async (work: () => unknown): Promise<string> => codeOf(Promise.resolve().then(work));
const full = (): Trust =>
  addVerifier(addImage(addOwner(NO_TRUST, { name: 'hospital', thumbprint }), { image, source: 'rebuilt' }), knownVerifier('google'));

describe('adding', () => {
  test('what is pinned already changes nothing', () => {
    const trust = full();
    expect(addOwner(trust, { name: 'hospital', thumbprint })).toBe(trust);
    expect(addImage(trust, { image, source: 'rebuilt again' })).toBe(trust);
    expect(addVerifier(trust, knownVerifier('google'))).toBe(trust);
  });

  test('an owner’s name or key stands for one owner only', async () => {
    const trust = full();
    expect(await attempt(() => addOwner(trust, { name: 'hospital', thumbprint: 'B'.repeat(42) + 'A' }))).toBe('already_exists');
    expect(await attempt(() => addOwner(trust, { name: 'clinic', thumbprint }))).toBe('already_exists');
  });

  test.each([
    ['a short thumbprint', () => addOwner(NO_TRUST, { name: 'hospital', thumbprint: 'AAAA' })],
    ['a name with a blank', () => addOwner(NO_TRUST, { name: 'the hospital', thumbprint })],
    ['a digest without its prefix', () => addImage(NO_TRUST, { image: 'a'.repeat(64), source: 'x' })],
    ['a digest in capitals', () => addImage(NO_TRUST, { image: image.toUpperCase(), source: 'x' })],
    ['no source', () => addImage(NO_TRUST, { image, source: '  ' })]
  ])('%s is refused', async (_, work) => {
    expect(await attempt(work)).toBe('usage');
  });

  test('a root is added to its verifier, its other roots stay; a stranger’s is refused', async () => {
    const root = { fingerprint: digestOf(toUtf8('a root')), source: 'a file' };
    expect(addRoot(full(), GOOGLE_ISSUER, root).verifiers[0]?.roots).toEqual([...knownVerifier('google').roots, root]);
    expect(await attempt(() => addRoot(full(), INTEL_ISSUER, root))).toBe('not_found');
  });

  test('another kind under a pinned issuer is refused: a simulator cannot become hardware', async () => {
    const simulated: Trust = { ...NO_TRUST, verifiers: [{ ...knownVerifier('google'), kind: 'simulator' }] };
    expect(await attempt(() => addVerifier(simulated, knownVerifier('google')))).toBe('already_exists');
  });

  test('more than the file may hold is refused', async () => {
    const many = Array.from({ length: 256 }, (_, at) => at).reduce((trust, at) => addImage(trust, { image: `sha256:${at.toString(16).padStart(64, '0')}`, source: 'x' }), NO_TRUST);
    expect(await attempt(() => addImage(many, { image, source: 'x' }))).toBe('usage');
  });
});

test('removing takes out that one thing, and says where there is none', async () => {
  const trust = full();
  expect(removeOwner(trust, 'hospital')).toEqual({ ...trust, owners: [] });
  expect(removeImage(trust, image)).toEqual({ ...trust, images: [] });
  expect(removeVerifier(trust, GOOGLE_ISSUER)).toEqual({ ...trust, verifiers: [] });
  expect(await attempt(() => removeOwner(trust, 'clinic'))).toBe('not_found');
  expect(await attempt(() => removeImage(trust, `sha256:${'b'.repeat(64)}`))).toBe('not_found');
  expect(await attempt(() => removeImage(trust, 'latest'))).toBe('usage');
  expect(await attempt(() => removeVerifier(trust, SIMULATOR_ISSUER))).toBe('not_found');
});

describe('a policy to begin with', () => {
  test('accepts what is pinned and is strict in all else', () => {
    const made = startingAppraisal(full(), { projects: ['my-project'], simulator: false });
    expect(made).toEqual({ accepts: 'hardware', leavesOther: false, policy: createAppraisal({
      verifiers: [GOOGLE_ISSUER], images: full().images.map(value => value.image), projects: ['my-project'],
      envOverrides: ['CLOISTER_ATTEMPT', 'CLOISTER_JOB', 'CLOISTER_SERVER']
    }) });
  });

  const SIMULATOR = { ...knownVerifier('google'), kind: 'simulator', issuer: SIMULATOR_ISSUER } as const;
  const both = (): Trust => ({ ...full(), verifiers: [SIMULATOR, ...full().verifiers] });

  test('with hardware pinned, names no simulator and allows nothing of a local run', () => {
    expect(startingAppraisal(both(), { projects: [], simulator: false })).toEqual({ ...startingAppraisal(full(), { projects: [], simulator: false }), leavesOther: true });
  });

  test('is the simulator’s where nothing else is pinned, or where that is said, and names no hardware then', () => {
    const alone = startingAppraisal({ ...full(), verifiers: [SIMULATOR] }, { projects: [], simulator: false });
    expect(alone).toMatchObject({ accepts: 'simulator', leavesOther: false, policy: { verifiers: [SIMULATOR_ISSUER], envOverrides: expect.arrayContaining(['CLOISTER_GATEWAY', 'CLOISTER_PYTHON']) as unknown } });
    expect(startingAppraisal(both(), { projects: [], simulator: true })).toEqual({ ...alone, leavesOther: true });
  });

  test('is refused where it would accept nothing', async () => {
    expect(await attempt(() => startingAppraisal(NO_TRUST, { projects: [], simulator: false }))).toBe('trust_missing');
    const error = await errorOf(Promise.resolve().then(() => startingAppraisal({ ...full(), images: [] }, { projects: [], simulator: false })));
    expect(error.hint).toContain('cloister trust add image');
    expect(await attempt(() => startingAppraisal(full(), { projects: [], simulator: true }))).toBe('trust_missing');
  });
});

test('key sets are compared by id, algorithm and value', () => {
  const key = (kid: string, n: string, alg: VerifierJwk['alg'] = 'RS256'): VerifierJwk => ({ kty: 'RSA', use: 'sig', e: 'AQAB', kid, n, alg });
  const archive = [
    { seen: '2026-02-01T00:00:00.000Z', source: 'x', keys: [key('b', '2'), key('c', '3')] },
    { seen: '2026-01-01T00:00:00.000Z', source: 'x', keys: [key('a', '1'), key('b', '2')] }
  ];
  const changes = compareKeySets({ jwks: archive }, [key('c', '3'), key('c', '4', 'PS384'), key('a', '9')]);
  expect(changes.added.map(({ kid, n }) => `${kid}${n}`)).toEqual(['c4', 'a9']);
  expect(changes.gone.map(({ kid }) => kid)).toEqual(['b']);
  expect(changes.unchanged.map(({ kid }) => kid)).toEqual(['c']);
  expect(changes.reused.map(({ n }) => n)).toEqual(['9']);
});
