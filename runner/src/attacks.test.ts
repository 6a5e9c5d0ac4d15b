import { chmod, mkdir, mkdtemp, link, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  AppError,
  DESCRIPTOR,
  MANIFEST,
  Obligations,
  codeDigest,
  digestOf,
  encodeBundle,
  headerLength,
  jcs,
  openHeader,
  sealBytes,
  signObject,
  toTime,
  toUtf8,
  type Bundle,
  type Signer
} from '@cloister/protocol';
import { createTestIdentity, createTestSigner, createTestWorld, type TestWorld } from '@cloister/protocol/testing';
import { encryptPayload } from '@cloister/sealing';
import { afterEach, expect, test } from 'vitest';
import type { BrokerLies } from './testing/fake-broker.js';
import type { FakeSandboxOptions } from './testing/fake-sandbox.js';
import { openResults } from './testing/open-results.js';
import { collectOutputs } from './output/collect-outputs.js';
import { asOrdinaryUser } from './testing/ordinary-user.js';
import { nestBeyondPathMax } from './testing/over-long-paths.js';
import { createRig, type Rig, type RigOptions } from './testing/rig.js';

const open: Rig[] = [];

async function rigged(options: RigOptions): Promise<Rig> {
  const rig = await createRig(options);
  open.push(rig);
  return rig;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(rig => rig.close()));
});

/** The attempt ended with this code before anything ran, and nothing of it is left or published. */
async function expectRefused(rig: Rig, code: string): Promise<void> {
  expect(await rig.run()).toEqual({ published: false, code });
  expect(rig.sandboxRuns).toEqual([]);
  expect(rig.server.report).toBeUndefined();
  expect(rig.server.failures.map(failure => failure.code)).toEqual([code]);
  expect(await rig.left()).toEqual([]);
}

const stranger = await createTestSigner();
const strangersIdentity = await createTestIdentity();
const otherDigest = digestOf(toUtf8('something else'));

const RECEIPTS: { readonly name: string; readonly lies: BrokerLies; readonly code?: string }[] = [
  { name: 'R6 a receipt by another key', lies: { signer: stranger } },
  { name: 'N7 a receipt of another session', lies: { receipt: () => ({ session: 'A'.repeat(43) }) } },
  { name: 'R1 a receipt of another job', lies: { receipt: () => ({ job: otherDigest }) } },
  { name: 'a receipt of another attempt', lies: { receipt: () => ({ attempt: 2 }) } },
  { name: 'a receipt for another instance', lies: { receipt: () => ({ instance: 'job-2' }) } },
  { name: 'a receipt over other keys', lies: { receipt: () => ({ sharesDigest: otherDigest }) } },
  { name: 'B6 keys that the receipt does not cover', lies: { shares: shares => shares.map(share => ({ ...share, fileKey: 'A'.repeat(22) })) } },
  { name: 'a missing grant of an input', lies: { contents: ({ shares, grants }) => ({ shares: shares.slice(1), grants: grants.slice(1) }) } },
  { name: 'a missing grant of the code', lies: { contents: ({ shares, grants }) => ({ shares: shares.slice(0, 1), grants: grants.slice(0, 1) }) } },
  { name: 'a grant without its key', lies: { contents: ({ shares, grants }) => ({ shares: shares.slice(1), grants }) } },
  { name: 'a grant given twice', lies: { contents: ({ shares, grants }) => ({ shares, grants: [...grants, ...grants.slice(0, 1)] }) } },
  { name: 'B6 a key of a stranger’s asset', lies: { contents: ({ shares, grants }) => ({ shares: [...shares, { asset: otherDigest, fileKey: 'A'.repeat(22) }], grants }) } },
  { name: 'a receipt with an unknown member', lies: { receipt: () => ({ extra: 1 }) } },
  { name: 'R3 a release that is sealed to somebody else', lies: { recipient: strangersIdentity.recipient } },
  { name: 'an unknown obligation', lies: { receipt: ({ grants }) => ({ grants: grants.map(grant => ({ ...grant, obligations: { ...grant.obligations, watermark: true } })) }) }, code: 'obligation_unknown' },
  { name: 'a demand for review', lies: { receipt: ({ grants }) => ({ grants: grants.map(grant => ({ ...grant, obligations: { ...grant.obligations, outputs: 'review' } })) }) }, code: 'obligation_unknown' },
  { name: 'permission that has ended', lies: { obligations: { expires: toTime(new Date(Date.now() - 1000)) } }, code: 'obligation_unknown' }
];

test.each(RECEIPTS)('$name ends the attempt before anything is opened', async ({ lies, code = 'receipt_rejected' }) => {
  let fetched = 0;
  const rig = await rigged({ brokers: { hospital: lies }, server: { file: (_, honest) => { fetched += 1; return honest; } } });
  await expectRefused(rig, code);
  expect(fetched).toBe(0);
});

test('obligations that contradict each other bind to the strictest', async () => {
  const strict = Obligations.parse({ outputs: 'release', reviewers: [], maxOutputBytes: 100, isolation: 'sandbox', expires: 'any' });
  const rig = await rigged({ world: { owners: ['hospital', 'registry'] }, brokers: { hospital: { obligations: { maxOutputBytes: 5000 } }, registry: { obligations: strict } }, sandbox: { outputs: { big: 'x'.repeat(200) } } });
  expect(await rig.run()).toEqual({ published: true });
  expect((await openResults(rig)).verified.evidence?.statement.predicate).toMatchObject({ outcome: { code: 'output_too_large' }, obligations: { maxOutputBytes: 100 } });
});

test('R6 a broker that another owner named cannot give the receipt', async () => {
  // The operator routes the hospital's requests to the registry's broker, which would sign.
  const registrySigns: BrokerLies = { get signer() { return signerOf(rig.world, 'registry'); } };
  const rig: Rig = await rigged({ world: { owners: ['hospital', 'registry'] }, brokers: { hospital: registrySigns } });
  await expectRefused(rig, 'receipt_rejected');
});

test('R6 a broker that only a catalog or a reply names is never asked', async () => {
  const rig = await rigged({ world: { owners: ['hospital', 'intruder'] }, change: onlyTheFirst, server: { attempt: ({ manifest, descriptors }) => ({ manifest, descriptors: descriptors.slice(0, 1) }) } });
  expect(await rig.run()).toEqual({ published: true });
  expect(rig.brokers['intruder']?.challenges).toEqual([]);
});

function signerOf({ owners }: TestWorld, name: string): Signer {
  const owner = owners.find(candidate => candidate.name === name);
  if (owner === undefined) throw new Error('no such owner');
  return owner.broker;
}

async function onlyTheFirst(world: TestWorld): Promise<TestWorld> {
  const { payload } = world.manifest;
  const code = { ...payload.code, custodians: payload.code.custodians.slice(0, 1) };
  return { ...world, manifest: await signObject(MANIFEST, { ...payload, inputs: payload.inputs.slice(0, 1), code }, world.analyst) };
}

const FILES: { readonly name: string; readonly code: string; readonly file: (world: TestWorld) => Uint8Array | Promise<Uint8Array> }[] = [
  { name: 'data of the operator’s own making, sealed to the owner', code: 'header_mismatch', file: async world => sealBytes(toUtf8('id,value\n1,invented\n'), recipientsOf(world)) },
  { name: 'a sealed input with one byte changed', code: 'sealed_corrupt', file: world => flipped(sealedOf(world), -1) },
  { name: 'a sealed input with a changed header', code: 'header_mismatch', file: world => flipped(sealedOf(world), 60) },
  { name: 'a sealed input that is cut short', code: 'sealed_corrupt', file: world => sealedOf(world).slice(0, -1) },
  { name: 'a sealed input with bytes behind it', code: 'digest_mismatch', file: world => Buffer.concat([sealedOf(world), Buffer.from('more')]) },
  { name: 'another payload under the same header and key', code: 'digest_mismatch', file: inventedUnderKey }
];

test.each(FILES)('$name never reaches the notebook', async ({ code, file }) => {
  let forged: Uint8Array | undefined;
  const rig: Rig = await rigged({
    change: async world => { forged = await file(world); return world; },
    server: { file: (digest, honest) => (digest === rig.world.owners[0]?.descriptor.payload.digest ? forged : honest) }
  });
  await expectRefused(rig, code);
});

function sealedOf(world: TestWorld): Uint8Array {
  const [owner] = world.owners;
  if (owner === undefined) throw new Error('the world has no owner');
  return owner.sealed;
}

function recipientsOf(world: TestWorld): Parameters<typeof sealBytes>[1] {
  return world.owners.map(({ dataset }) => dataset.recipient);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  const place = at < 0 ? copy.length + at : at;
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
}

/** What only who has the file key can make: the descriptor's digest is what stops it. */
async function inventedUnderKey(world: TestWorld): Promise<Uint8Array> {
  const [owner] = world.owners;
  if (owner === undefined) throw new Error('the world has no owner');
  const header = owner.sealed.slice(0, headerLength(owner.sealed));
  const pieces: Uint8Array[] = [header];
  async function* invented(): AsyncGenerator<Uint8Array> { yield toUtf8('id,value\n9,invented\n').slice(0, owner?.plaintext.length); }
  for await (const piece of encryptPayload(invented(), owner.fileKey)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('the manifest of another job is refused before anybody is asked', async () => {
  const other = await createTestWorld();
  const rig = await rigged({ server: { attempt: () => ({ manifest: other.manifest.jws, descriptors: other.owners.map(({ descriptor }) => descriptor.jws) }) } });
  await expectRefused(rig, 'digest_mismatch');
  expect(rig.brokers['hospital']?.challenges).toEqual([]);
});

test('the job’s manifest signed anew by another key is refused', async () => {
  const rig = await rigged({ change: async world => ({ ...world, manifest: await signObject(MANIFEST, world.manifest.payload, stranger) }) });
  await expectRefused(rig, 'wrong_signer');
});

test('a descriptor by another signer is refused', async () => {
  const rig: Rig = await rigged({
    change: async world => {
      const [owner] = world.owners;
      if (owner === undefined) throw new Error('the world has no owner');
      return { ...world, owners: [{ ...owner, descriptor: await signObject(DESCRIPTOR, owner.descriptor.payload, stranger) }] };
    }
  });
  await expectRefused(rig, 'wrong_signer');
});

test.each([
  { name: 'a descriptor of another asset', pick: (honest: string[], other: string[]) => (honest.length > 0 ? other : []) },
  { name: 'a missing descriptor', pick: () => [] },
  { name: 'one descriptor too many', pick: (honest: string[], other: string[]) => [...honest, ...other] }
])('$name is refused', async ({ pick }) => {
  const other = await createTestWorld();
  const rig = await rigged({ server: { attempt: ({ manifest, descriptors }) => ({ manifest, descriptors: pick(descriptors, other.owners.map(({ descriptor }) => descriptor.jws)) }) } });
  await expectRefused(rig, 'digest_mismatch');
});

test.each([
  { name: 'an expired manifest', manifest: { notAfter: toTime(new Date(Date.now() - 1000)) }, code: 'manifest_expired', attempt: 1 },
  { name: 'an attempt that the manifest does not allow', manifest: { maxAttempts: 1 }, code: 'attempts_exhausted', attempt: 2 }
])('$name is refused', async ({ manifest, code, attempt }) => {
  await expectRefused(await rigged({ world: { manifest }, attempt }), code);
});

test('an environment that the image does not carry is refused', async () => {
  const change = async (world: TestWorld): Promise<TestWorld> => {
    const { payload } = world.manifest;
    return { ...world, manifest: await signObject(MANIFEST, { ...payload, code: { ...payload.code, environment: otherDigest } }, world.analyst) };
  };
  await expectRefused(await rigged({ change }), 'kernel_unavailable');
});

test('a sealed bundle that changed after it was signed for is refused', async () => {
  const rig: Rig = await rigged({ server: { file: (digest, honest) => (digest === rig.world.manifest.payload.code.bundle && honest !== undefined ? flipped(honest, -1) : honest) } });
  await expectRefused(rig, 'digest_mismatch');
});

/** The world with another bundle in the manifest's place, under a manifest that commits to what `commit` says. */
async function withBundle(world: TestWorld, bundle: Bundle, commit: Bundle): Promise<TestWorld> {
  const sealedBundle = await sealBytes(encodeBundle(bundle), [world.analystIdentity.recipient]);
  const bundleKey = await openHeader(sealedBundle.slice(0, headerLength(sealedBundle)), world.analystIdentity.identity);
  const { payload } = world.manifest;
  const code = { ...payload.code, bundle: digestOf(sealedBundle), digest: codeDigest(commit.header) };
  return { ...world, bundle, sealedBundle, bundleKey, manifest: await signObject(MANIFEST, { ...payload, code }, world.analyst) };
}

function bundleOf(world: TestWorld, files: Readonly<Record<string, string>>, entry = 'notebook.ipynb'): Bundle {
  const contents = Object.entries(files).map(([path, text]) => [path, toUtf8(text)] as const);
  const listed = contents.map(([path, bytes]) => ({ path, size: bytes.length, digest: digestOf(bytes) }));
  return { header: { ...world.bundle.header, entry, files: listed }, files: new Map(contents) };
}

test('a bundle with other code than the manifest commits to is refused', async () => {
  const other = await createTestWorld({ cells: ['print("exfiltrate")'] });
  await expectRefused(await rigged({ change: world => withBundle(world, { ...other.bundle, header: { ...other.bundle.header, salt: world.bundle.header.salt } }, world.bundle) }), 'digest_mismatch');
});

test('a bundle with other parameters than the manifest commits to is refused', async () => {
  await expectRefused(await rigged({ change: world => withBundle(world, { ...world.bundle, header: { ...world.bundle.header, purpose: 'another' } }, world.bundle) }), 'digest_mismatch');
});

const WITH_OUTPUTS = jcs({
  cells: [{ cell_type: 'code', execution_count: 1, id: 'c0', metadata: {}, outputs: [{ name: 'stdout', output_type: 'stream', text: 'unseen' }], source: 'pass' }],
  metadata: {}, nbformat: 4, nbformat_minor: 5
});

test.each([
  { name: 'a notebook with outputs', files: { 'notebook.ipynb': WITH_OUTPUTS }, code: 'notebook_not_canonical' },
  { name: 'a second notebook with outputs', files: { 'notebook.ipynb': '', 'other.IPYNB': WITH_OUTPUTS }, code: 'notebook_not_canonical' },
  { name: 'an entry that is no notebook', files: { 'main.py': 'pass' }, entry: 'main.py', code: 'bundle_invalid' },
  { name: 'a file in the place of a folder', files: { a: 'file', 'a/b': 'below it', 'notebook.ipynb': '' }, code: 'bundle_invalid' }
])('$name in the bundle is refused', async ({ files, entry, code }) => {
  const change = (world: TestWorld): Promise<TestWorld> => {
    const honest = Buffer.from(world.bundle.files.get('notebook.ipynb') ?? new Uint8Array()).toString();
    const filled = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, text === '' ? honest : text]));
    const bundle = bundleOf(world, filled, entry);
    return withBundle(world, bundle, bundle);
  };
  await expectRefused(await rigged({ change }), code);
});

test.each(['sandbox_unavailable', 'sandbox_leaks'] as const)('%s ends the attempt before any broker is asked', async code => {
  const rig = await rigged({ sandbox: { prepare: () => { throw new AppError(code, 'no sandbox'); } } });
  await expectRefused(rig, code);
  expect(rig.brokers['hospital']?.challenges).toEqual([]);
});

const run = promisify(execFile);
const OUTPUTS: { readonly name: string; readonly code: string; readonly during: NonNullable<FakeSandboxOptions['during']> }[] = [
  { name: 'a symbolic link', code: 'output_refused', during: (_, dir) => symlink('/etc/passwd', join(dir, 'link.txt')) },
  { name: 'a link to a folder', code: 'output_refused', during: (_, dir) => symlink('/etc', join(dir, 'folder')) },
  { name: 'a hard link', code: 'output_refused', during: async ({ inputs }, dir) => link(inputs[0]?.file ?? '', join(dir, 'data.csv')) },
  { name: 'a hidden folder, as of git', code: 'output_refused', during: async (_, dir) => { await mkdir(join(dir, '.git')); await writeFile(join(dir, '.git/config'), ''); } },
  { name: 'a FIFO', code: 'output_refused', during: async (_, dir) => { await run('mkfifo', [join(dir, 'fifo')]); } },
  { name: 'a name with a line feed', code: 'output_refused', during: (_, dir) => writeFile(join(dir, 'a\nb'), '') },
  { name: 'a name that is not UTF-8', code: 'output_refused', during: (_, dir) => writeFile(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xfe])]), '') },
  { name: 'names that differ in case only', code: 'output_refused', during: async (_, dir) => { await writeFile(join(dir, 'A'), ''); await writeFile(join(dir, 'a'), ''); } },
  { name: 'folders without end', code: 'output_refused', during: async (_, dir) => { await mkdir(join(dir, ...Array<string>(40).fill('d')), { recursive: true }); } },
  { name: 'names of folders that differ in case only', code: 'output_refused', during: async (_, dir) => { await mkdir(join(dir, 'A')); await writeFile(join(dir, 'A/x'), ''); await writeFile(join(dir, 'a'), ''); } },
  { name: 'two folders of names that differ in case only', code: 'output_refused', during: async (_, dir) => { for (const name of ['A', 'a']) { await mkdir(join(dir, name)); await writeFile(join(dir, name, name === 'A' ? 'x' : 'y'), ''); } } },
  { name: 'a path longer than any call takes', code: 'output_refused', during: async (_, dir) => nestBeyondPathMax(dir) },
  { name: 'too many folders', code: 'output_too_large', during: async (_, dir) => { for (let at = 0; at <= 4096; at += 1) await mkdir(join(dir, String(at))); } },
  { name: 'a file of eight tebibytes that is all hole', code: 'output_too_large', during: async (_, dir) => { await writeFile(join(dir, 'hole'), ''); await truncate(join(dir, 'hole'), 2 ** 43); } },
  { name: 'too many files', code: 'output_too_large', during: async (_, dir) => { for (let at = 0; at <= 4096; at += 1) await writeFile(join(dir, String(at)), ''); } }
];

test.each(OUTPUTS)('$name under outputs/ fails the run, and only notebook and explanation come back', async ({ code, during }) => {
  const rig = await rigged({ sandbox: { outputs: { 'fine.txt': 'fine' }, during } });
  expect(await rig.run()).toEqual({ published: true });
  const { verified, index, text } = await openResults(rig);
  expect(verified.verdict).toBe('simulated');
  expect(verified.evidence?.statement.predicate.outcome).toEqual({ status: 'failed', code });
  expect(index.outputs.map(({ path }) => path)).toEqual(['notebook.ipynb', 'traceback.txt']);
  expect(text('traceback.txt')).toContain(code);
});

test('outputs over the owners’ cap stay behind, and what comes back keeps to it', async () => {
  const rig = await rigged({ brokers: { hospital: { obligations: { maxOutputBytes: 300 } } }, sandbox: { outputs: { 'rows.csv': 'x'.repeat(400) } } });
  expect(await rig.run()).toEqual({ published: true });
  const { verified, index } = await openResults(rig);
  expect(verified.evidence?.statement.predicate.outcome).toEqual({ status: 'failed', code: 'output_too_large' });
  expect(index.outputs.map(({ path }) => path)).not.toContain('outputs/rows.csv');
  expect(index.outputs.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(300);
});

test('a cap of nothing lets nothing out but the fact', async () => {
  const rig = await rigged({ brokers: { hospital: { obligations: { maxOutputBytes: 0 } } } });
  expect(await rig.run()).toEqual({ published: true });
  expect((await openResults(rig)).index.outputs).toEqual([]);
});

test('a notebook that failed keeps its own code when its outputs are refused too', async () => {
  const rig = await rigged({ sandbox: { outcome: { status: 'failed', code: 'kernel_killed' }, during: (_, dir) => symlink('/', join(dir, 'root')) } });
  await rig.run();
  const { text, verified } = await openResults(rig);
  expect(verified.evidence?.statement.predicate.outcome).toEqual({ status: 'failed', code: 'kernel_killed' });
  expect(text('traceback.txt')).toContain('output_refused');
});

test('modes that shut a runner out who is not root keep no output back, and change nothing behind a link', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outputs-'));
  await chmod(folder, 0o777);
  const outside = join(folder, 'outside');
  const collected = await asOrdinaryUser(async () => {
    const outputsDir = join(folder, 'outputs');
    await mkdir(join(outputsDir, 'locked'), { recursive: true });
    await writeFile(outside, '', { mode: 0o000 });
    for (const [path, mode] of [['locked/deep.txt', 0o000], ['write-only.txt', 0o200]] as const) {
      await writeFile(join(outputsDir, path), 'text');
      await chmod(join(outputsDir, path), mode);
    }
    await chmod(join(outputsDir, 'locked'), 0o000);
    await chmod(outputsDir, 0o000);
    const run = { outcome: { status: 'succeeded' }, notebook: toUtf8('{}'), outputsDir, cells: { done: 1, total: 1 }, startedAt: new Date(), endedAt: new Date() } as const;
    const all = await collectOutputs(run, 'notebook.ipynb', { maxOutputBytes: 'any' });
    for (const { content } of all.outputs) if ('hostPath' in content) expect(await readFile(content.hostPath, 'utf8')).toBe('text');
    await symlink(outside, join(outputsDir, 'link'));
    expect((await collectOutputs(run, 'notebook.ipynb', { maxOutputBytes: 'any' })).outcome).toEqual({ status: 'failed', code: 'output_refused' });
    return all;
  });
  expect(collected.outcome).toEqual({ status: 'succeeded' });
  expect(collected.outputs.map(({ path }) => path)).toEqual(['notebook.ipynb', 'outputs/locked/deep.txt', 'outputs/write-only.txt']);
  expect((await stat(outside)).mode & 0o777).toBe(0);
  await rm(folder, { recursive: true });
});
