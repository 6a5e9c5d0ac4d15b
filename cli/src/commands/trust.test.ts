import { readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppraisalPolicy, GOOGLE_ISSUER, INTEL_ISSUER, SIMULATOR_ISSUER, VERIFIER_ADDRESSES, digestOf, fromBase64, toUtf8, type Transport, type Trust } from '@cloister/protocol';
import { createTestVerifier, type TestVerifier } from '@cloister/protocol/testing';
import { codeOf, runHere, type RunHere } from '../testing/run-here.js';

const HOSPITAL = `${'h'.repeat(42)}A`;
const IMAGE = digestOf(toUtf8('a runner'));
const noNetwork: Transport = async ({ url }) => {
  throw new Error(`the network was asked for ${url}`);
};

let verifier: TestVerifier;
beforeAll(async () => (verifier = await createTestVerifier({ kind: 'google' })));

let root: string;
let home: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cloister-trust-'));
  home = join(root, 'home');
});
afterEach(async () => rm(root, { recursive: true }));

const trust = async (...args: readonly string[]): Promise<RunHere> => runHere(['trust', ...args], { home, internet: noNetwork });
const usual = (): string => join(home, 'agent/trust.json');
const read = (path = usual()): Trust => JSON.parse(readFileSync(path, 'utf8')) as Trust; // our own file, just written
const put = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(root, name), content);
  return join(root, name);
};
const rootFile = async (): Promise<string> => put('root.der', fromBase64(verifier.chain.x5c[2]));

describe('list', () => {
  test('of nothing says what to do, and makes nothing', async () => {
    const { stdout } = await trust();
    for (const part of ['nobody is trusted yet', 'cloister trust add owner', 'cloister trust add verifier google', 'cloister trust add image']) expect(stdout).toContain(part);
    expect(readdirSync(root)).toEqual([]);
  });

  test('shows owners, verifiers with keys and roots, images, each with its source', async () => {
    await trust('add', 'owner', 'hospital', HOSPITAL);
    await trust('add', 'image', IMAGE, '--source', 'rebuilt from tag v1');
    await trust('add', 'verifier', 'google');
    const { stdout } = await trust('list');
    for (const part of [`hospital  ${HOSPITAL}`, IMAGE, 'rebuilt from tag v1', GOOGLE_ISSUER, VERIFIER_ADDRESSES.google.root ?? '?', 'no keys yet: cloister trust update']) expect(stdout).toContain(part);
    expect(stdout.split('\n').filter(line => line.length > 80)).toEqual([]);
    expect(JSON.parse((await trust('list', '--json')).stdout)).toMatchObject({ schema: 'cloister.trust.v1', file: usual(), exists: true, trust: read() });
  });

  test('says that a simulator proves nothing, and that keys are old', async () => {
    await mkdir(join(home, 'agent'), { recursive: true, mode: 0o700 });
    const simulator = { ...verifier.pinned, kind: 'simulator', issuer: 'https://simulator.cloister.invalid' };
    await writeFile(usual(), JSON.stringify({ v: 1, owners: [], verifiers: [verifier.pinned, simulator], images: [] }));
    const { stdout } = await trust('list');
    expect(stdout).toContain('simulator: proves nothing about hardware');
    expect(stdout).toMatch(/1 key, seen 2026-06-01, last \d+ d ago: cloister trust update/);
  });
});

describe('add', () => {
  test('makes a private file where there is none; a second time changes nothing', async () => {
    expect((await trust('add', 'owner', 'hospital', HOSPITAL)).stdout).toContain('Pinned:');
    expect(statSync(usual()).mode & 0o777).toBe(0o600);
    const before = readFileSync(usual());
    expect((await trust('add', 'owner', 'hospital', HOSPITAL)).stdout).toContain('pinned already');
    expect(readFileSync(usual())).toEqual(before);
    expect(JSON.parse((await trust('add', 'owner', 'hospital', HOSPITAL, '--json')).stdout)).toEqual({ file: usual(), changed: false });
  });

  test('verifier google brings the known root with its source said, intel none; neither asks the network', async () => {
    const { stdout } = await trust('add', 'verifier', 'google');
    expect(stdout).toContain(VERIFIER_ADDRESSES.google.root);
    expect(stdout).toContain('built into cloister');
    await trust('add', 'verifier', 'intel');
    expect(read().verifiers.map(({ issuer, kind, jwks, roots }) => ({ issuer, kind, jwks, roots: roots.map(({ fingerprint }) => fingerprint) }))).toEqual([
      { issuer: GOOGLE_ISSUER, kind: 'google', jwks: [], roots: [VERIFIER_ADDRESSES.google.root] },
      { issuer: INTEL_ISSUER, kind: 'intel', jwks: [], roots: [] }
    ]);
  });

  test('a root from a file is told by its fingerprint, and kept beside the others', async () => {
    const file = await rootFile();
    await trust('add', 'verifier', 'google');
    const { stdout } = await trust('add', 'root', file, '--issuer', GOOGLE_ISSUER);
    expect(stdout).toContain(verifier.chain.root);
    expect(read().verifiers[0]?.roots.map(({ fingerprint }) => fingerprint)).toEqual([VERIFIER_ADDRESSES.google.root, verifier.chain.root]);
    expect((await trust('add', 'verifier', 'google', '--root', file)).stdout).toContain('pinned already');
  });

  test('keys from a file count by the time at which they were fetched, without network; the same again changes nothing', async () => {
    const [key] = verifier.pinned.jwks.flatMap(set => set.keys);
    const file = await put('certs.json', JSON.stringify({ keys: [key, { kty: 'oct', kid: 'secret', k: 'AAAA' }] }));
    const add = async (...args: readonly string[]): Promise<RunHere> => trust('add', 'keys', file, '--issuer', GOOGLE_ISSUER, ...args);
    expect(codeOf(await add('--seen', '2026-03-01T12:00:00Z'))).toBe('not_found');
    await trust('add', 'verifier', 'google');
    for (const seen of ['yesterday', '2026-02-30T12:00:00Z', '2999-01-01T00:00:00Z']) expect(codeOf(await add('--seen', seen)), seen).toBe('usage');
    const { stdout } = await add('--seen', '2026-03-01T12:00:00Z');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('seen at 2026-03-01T12:00:00.000Z');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('left out the key');
    expect(read().verifiers[0]?.jwks).toEqual([{ seen: '2026-03-01T12:00:00.000Z', source: file, keys: [key] }]);
    expect((await add('--seen', '2026-03-01T12:00:00Z')).stdout).toContain('nothing was changed');
    expect(codeOf(await trust('add', 'keys', await put('none.json', '{"keys":[]}'), '--issuer', GOOGLE_ISSUER, '--seen', '2026-03-01T12:00:00Z'))).toBe('usage');
  });

  test('a thumbprint that begins with a hyphen is a thumbprint; a mistyped option is none', async () => {
    for (const [name, thumbprint] of [['one', `-${'x'.repeat(41)}A`], ['two', `-h${'x'.repeat(40)}A`], ['three', `--${'x'.repeat(40)}A`]] as const) {
      expect((await trust('add', 'owner', name, thumbprint)).stdout).toContain('Pinned');
      expect(read().owners).toContainEqual({ name, thumbprint });
    }
    expect((await trust('add', 'owner', 'four', HOSPITAL, '--trsut', 'x')).error).toMatchObject({ code: 'commander.excessArguments' });
  });

  test('another file, by --trust, alone is changed', async () => {
    const file = join(root, 'other.json');
    await trust('add', 'owner', 'hospital', HOSPITAL, '--trust', file);
    expect(read(file).owners).toHaveLength(1);
    expect(readdirSync(root)).toEqual(['other.json']);
  });

  test('an image that the policy does not list yet is said to be so', async () => {
    await trust('add', 'verifier', 'google');
    await trust('add', 'image', IMAGE, '--source', 'x');
    await trust('policy');
    const { notes } = await trust('add', 'image', digestOf(toUtf8('another')), '--source', 'x');
    expect(notes).toContain('does not list this image yet');
    expect((await trust('add', 'image', IMAGE, '--source', 'x')).notes).toBe('');
    expect(read().images).toHaveLength(2);
  });

  test('what is wrong or contradicts is refused, and nothing is lost', async () => {
    await trust('add', 'owner', 'hospital', HOSPITAL);
    await trust('add', 'verifier', 'intel');
    const before = readFileSync(usual());
    const file = await rootFile();
    const leaf = await put('leaf.der', fromBase64(verifier.chain.x5c[0]));
    const middle = await put('middle.der', fromBase64(verifier.chain.x5c[1]));
    const two = await put('two.pem', `-----BEGIN CERTIFICATE-----\n${verifier.chain.x5c[2]}\n-----END CERTIFICATE-----\n`.repeat(2));
    const longer = await put('longer.der', Buffer.concat([fromBase64(verifier.chain.x5c[2]), Buffer.from([0])]));
    const CASES: readonly (readonly [readonly string[], string])[] = [
      [['add', 'owner', 'hospital', `${'x'.repeat(42)}A`], 'already_exists'],
      [['add', 'owner', 'clinic', HOSPITAL], 'already_exists'],
      [['add', 'owner', 'The Clinic', `${'x'.repeat(42)}A`], 'usage'],
      [['add', 'owner', 'clinic', 'short'], 'usage'],
      [['add', 'image', 'latest', '--source', 'x'], 'usage'],
      [['add', 'image', IMAGE, '--source', ' '], 'usage'],
      [['add', 'verifier', 'intel', '--root', file], 'usage'],
      [['add', 'root', file, '--issuer', INTEL_ISSUER], 'usage'],
      [['add', 'root', file, '--issuer', GOOGLE_ISSUER], 'not_found'],
      [['add', 'root', join(root, 'nowhere'), '--issuer', INTEL_ISSUER], 'usage'],
      ...[leaf, middle, two, longer, usual()].map((path): readonly [readonly string[], string] => [['add', 'verifier', 'google', '--root', path], 'usage'])
    ];
    for (const [args, code] of CASES) {
      const run = await trust(...args);
      expect([args, codeOf(run)]).toEqual([args, code]);
      expect(readFileSync(usual())).toEqual(before);
    }
  });

  test('a file that is not well formed is refused and stays as it is', async () => {
    const file = await put('broken.json', '{"v":1,"owners":[');
    expect(codeOf(await trust('add', 'owner', 'hospital', HOSPITAL, '--trust', file))).toBe('config_invalid');
    expect(readFileSync(file, 'utf8')).toBe('{"v":1,"owners":[');
  });
});

describe('remove', () => {
  beforeEach(async () => {
    await trust('add', 'owner', 'hospital', HOSPITAL);
    await trust('add', 'image', IMAGE, '--source', 'x');
    await trust('add', 'verifier', 'google');
  });
  const THINGS = [['owner', 'hospital', 'owners'], ['image', IMAGE, 'images'], ['verifier', GOOGLE_ISSUER, 'verifiers']] as const;

  test.each(THINGS)('an %s goes, and nothing else, where it was said: yes', async (kind, name, list) => {
    const before = read();
    const { stdout } = await trust('remove', kind, name, '--yes');
    expect(stdout).toContain(name);
    expect(read()).toEqual({ ...before, [list]: [] });
  });

  test.each(THINGS)('an %s stays where nobody can be asked, and what is not there is told', async (kind, name) => {
    const before = readFileSync(usual());
    expect(codeOf(await trust('remove', kind, name))).toBe('usage');
    expect(codeOf(await trust('remove', kind, kind === 'image' ? digestOf(toUtf8('another')) : 'nobody', '--yes'))).toBe('not_found');
    expect(readFileSync(usual())).toEqual(before);
  });
});

describe('policy', () => {
  test('is made of what is pinned, strict in all else, private, explained member by member, and never over a file', async () => {
    await trust('add', 'verifier', 'google');
    await trust('add', 'image', IMAGE, '--source', 'x');
    const file = join(root, 'policy.json');
    const { stdout } = await trust('policy', file, '--project', 'p1', '--project', 'p2');
    const policy = AppraisalPolicy.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(policy).toMatchObject({ verifiers: [GOOGLE_ISSUER], images: [IMAGE], projects: ['p1', 'p2'], attributes: ['STABLE'], tcb: ['UpToDate'], monitoring: false, restart: ['Never'] });
    for (const member of Object.keys(policy)) expect(stdout).toMatch(new RegExp(`^${member} {2}`, 'm'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = readFileSync(file);
    expect(codeOf(await trust('policy', file))).toBe('file_exists');
    expect(readFileSync(file)).toEqual(before);
    expect((await trust('policy')).error).toBeUndefined();
    expect(readdirSync(join(home, 'agent'))).toContain('appraisal.json');
  });

  test('with hardware pinned, accepts no simulator and says so; a second one is for that', async () => {
    await mkdir(join(home, 'agent'), { recursive: true, mode: 0o700 });
    const simulator = { ...verifier.pinned, kind: 'simulator', issuer: SIMULATOR_ISSUER };
    await writeFile(usual(), JSON.stringify({ v: 1, owners: [], verifiers: [simulator, verifier.pinned], images: [{ image: IMAGE, source: 'x' }] }));
    const [hardware, local] = [join(root, 'hardware.json'), join(root, 'local.json')];
    const { stdout } = await trust('policy', hardware);
    expect(stdout.replace(/\s+/g, ' ')).toContain('It is for runs on hardware. It does not accept the simulator that you pin too: for that, write a second one by `cloister trust policy FILE --simulator`.');
    const written = (file: string): AppraisalPolicy => AppraisalPolicy.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(written(hardware)).toMatchObject({ verifiers: [GOOGLE_ISSUER], envOverrides: ['CLOISTER_ATTEMPT', 'CLOISTER_JOB', 'CLOISTER_SERVER'] });
    const other = await trust('policy', local, '--simulator');
    expect(other.stdout.replace(/\s+/g, ' ')).toContain('It is for runs of the simulator only, which prove nothing about hardware.');
    expect(written(local)).toMatchObject({ verifiers: [SIMULATOR_ISSUER], envOverrides: expect.arrayContaining(['CLOISTER_GATEWAY']) as unknown });
  });

  test('without a verifier or an image there is nothing to accept, and nothing is written', async () => {
    expect(codeOf(await trust('policy'))).toBe('trust_missing');
    await trust('add', 'verifier', 'google');
    expect(codeOf(await trust('policy'))).toBe('trust_missing');
    expect(readdirSync(join(home, 'agent')).filter(name => name.endsWith('.json'))).toEqual(['trust.json']);
  });
});
