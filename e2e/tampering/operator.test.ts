import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOwner, pinBroker, publishPolicy, sealAsset, signPolicy } from '@cloister/broker/owner';
import { systemClock } from '@cloister/kit';
import { BROKER_ROUTES, CompactJws, DESCRIPTOR, SERVER_ROUTES, callRoute, createProver, fromBase64Url, signObject, toBase64Url, toUtf8, type Descriptor, type Digest, type JobView, type Signer, type Trust, type Verified } from '@cloister/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { once } from '../harness/forge.js';
import { draft, ended, submit } from '../harness/jobs.js';
import { writeWorkspace } from '../harness/notebooks.js';
import { blobPath, readOperatorDatabase, readOperatorText, reportsOf, tamperDatabase } from '../harness/operator-files.js';
import { SERVER_URL } from '../harness/owners.js';
import { eventually } from '../harness/poll.js';
import { codeOf, flip, refusal } from '../harness/refusals.js';
import { createWorld, type World } from '../harness/world.js';

let world: World;
let measurements: Digest;

beforeAll(async () => {
  world = await createWorld();
  measurements = (await assetCalled('hospital/measurements')).asset;
});
afterAll(async () => world.close());

async function assetCalled(name: string): Promise<{ asset: Digest; descriptor: Descriptor }> {
  const found = (await world.agent.catalog()).assets.find(asset => asset.name === name);
  if (found === undefined) throw new Error(`${name} is not in the catalog`);
  return found;
}

/** Changes a file for as long as a job takes. */
async function whileChanged<T>(path: string, change: (before: Uint8Array) => Uint8Array, work: () => Promise<T>): Promise<T> {
  const before = readFileSync(path);
  writeFileSync(path, change(before));
  try {
    return await work();
  } finally {
    writeFileSync(path, before);
  }
}

async function expectRefused(job: Digest, code: string): Promise<JobView> {
  const view = await ended(world, job);
  expect(view).toMatchObject({ state: 'failed', code });
  expect(reportsOf(world.home, job)).toEqual([]);
  expect((await refusal(world.agent.results(job))).code).toBe('not_found');
  return view;
}

test('a bundle changed in the blob store between sign and run is not run', async () => {
  const { job } = await submit(world);
  const { manifest } = await world.agent.kept(job);
  await whileChanged(blobPath(world.home, 'bundles', manifest.payload.code.bundle), flip, async () => expectRefused(job, 'digest_mismatch'));
});

test('a bundle exchanged for another one of the same analyst is not run', async () => {
  const [first, second] = [await draft(world), await draft(world, { cells: ['import cloister\ncloister.path("hospital/measurements")'] })];
  const { job } = await world.agent.submit(first);
  await whileChanged(blobPath(world.home, 'bundles', first.draft.bundle.digest), () => second.draft.bundle.bytes, async () => expectRefused(job, 'digest_mismatch'));
});

test.each([
  { read: 'registry/outcomes', instead: 'hospital/measurements', code: 'header_mismatch' },
  { read: 'hospital/measurements', instead: 'registry/outcomes', code: 'digest_mismatch' }
])('the sealed file of $instead in the place of $read is not read: $code', async ({ read, instead, code }) => {
  const [wanted, other] = [(await assetCalled(read)).descriptor, (await assetCalled(instead)).descriptor];
  const swapped = readFileSync(blobPath(world.home, 'assets', other.digest));
  await whileChanged(blobPath(world.home, 'assets', wanted.digest), () => swapped, async () => expectRefused((await submit(world)).job, code));
});

test('a sealed asset with one byte changed is not read', async () => {
  const { descriptor } = await assetCalled('hospital/measurements');
  const path = blobPath(world.home, 'assets', descriptor.digest);
  await whileChanged(path, before => flip(before, before.length - 1), async () => expectRefused((await submit(world)).job, 'sealed_corrupt'));
});

test('a descriptor with one byte changed in the catalog is shown as unverified, and its asset is unknown', async () => {
  await withRow('update assets set descriptor = ? where asset = ?', 'select descriptor as value from assets where asset = ?', measurements, async () => {
    const { assets, unverified } = await world.agent.catalog();
    expect(assets.map(asset => asset.name)).toEqual(['registry/outcomes']);
    expect(unverified.map(entry => entry.asset)).toEqual([measurements]);
    expect(await codeOf(draft(world))).toBe('asset_unknown');
  });
});

test('a descriptor with one byte changed after submission gets no key and runs nothing', async () => {
  const { job } = await submit(world);
  await launched(job);
  await withRow('update assets set descriptor = ? where asset = ?', 'select descriptor as value from assets where asset = ?', measurements, async () => {
    await expectRefused(job, 'signature_invalid');
  });
  await expectNothingReleased(job);
});

test('a manifest with one byte changed after submission gets no key and runs nothing', async () => {
  const { job } = await submit(world);
  await launched(job);
  tamperDatabase(world.home, 'update jobs set manifest = ?, version = version + 1 where job = ?', lie((await world.agent.kept(job)).manifest.jws, '"maxAttempts":3', '"maxAttempts":9'), job);
  await expectRefused(job, 'signature_invalid');
  await expectNothingReleased(job);
});

test('the true manifest of another job in its place gets no key for this one', async () => {
  const [first, second] = [await draft(world), await draft(world)];
  const { job } = await world.agent.submit(first);
  await launched(job);
  tamperDatabase(world.home, 'update jobs set manifest = ?, version = version + 1 where job = ?', second.draft.manifest.jws, job);
  await expectRefused(job, 'digest_mismatch');
  await expectNothingReleased(job);
});

async function expectNothingReleased(job: Digest): Promise<void> {
  for (const owner of [world.hospital, world.registry]) expect(await owner.releases(job)).toEqual([]);
}

test('a policy with one byte changed is refused, and so is an older one; the one in force stays', async () => {
  const { hospital, rule } = world;
  const older = await signPolicy({ ownerDir: hospital.owner.dir, policyInput: { asset: 'measurements', allow: [] } });
  const newer = await signPolicy({ ownerDir: hospital.owner.dir, policyInput: { asset: 'measurements', allow: [rule()] } });
  const client = { transport: world.transport, baseUrl: hospital.url };
  const changed = lie(newer.jws, '"v":1', '"v":2');
  expect(await codeOf(callRoute(client, BROKER_ROUTES.putPolicy, { body: { policy: changed } }))).toBe('signature_invalid');
  await publishPolicy(hospital.deps, newer);
  expect(await codeOf(publishPolicy(hospital.deps, older))).toBe('policy_rollback');
  expect((await draft(world)).draft.decisions.map(({ decision }) => decision)).toEqual(['allow', 'allow']);
});

test('another owner’s key signs no policy for this asset', async () => {
  const { hospital, registry, rule } = world;
  const policy = await signPolicy({ ownerDir: registry.owner.dir, policyInput: { asset: 'measurements', allow: [rule()] } });
  expect(await codeOf(publishPolicy(hospital.deps, policy))).toBe('wrong_signer');
});

test('a descriptor that names another broker is refused by the one that it comes to', async () => {
  const { descriptor } = await assetCalled('hospital/measurements');
  const other = (await assetCalled('registry/outcomes')).descriptor;
  const { signer } = world.hospital.owner;
  const moved = await signObject(DESCRIPTOR, { ...descriptor, version: 2, custodians: other.custodians }, signer);
  expect(await codeOf(keep('hospital', moved))).toBe('invalid_object');
  expect(await codeOf(keep('registry', moved))).toBe('wrong_signer');
});

test('the header of a strict asset opens nothing under the descriptor of a lax owner', async () => {
  const { descriptor } = await assetCalled('hospital/measurements');
  const mallory = await createOwner(join(world.home, 'owners', 'mallory'));
  const lax = await signObject(DESCRIPTOR, { ...descriptor, owner: mallory.signer.thumbprint, name: 'lax' }, mallory.signer);
  expect(await codeOf(keep('hospital', lax))).toBe('wrong_signer');
  await list(lax, mallory.signer);
  await withTrusted({ name: 'mallory', thumbprint: mallory.signer.thumbprint }, async () => {
    const notebook = await writeWorkspace(world.newFolder(), ['import cloister\nprint(cloister.path("mallory/lax").read_text())']);
    // Where another broker keeps the code, the hospital’s says so beforehand.
    const refused = await world.agent.plan({ notebook, custodians: ['registry'] });
    const { code, detail } = await refusal(world.agent.submit({ plan: refused, draft: await world.agent.draft(refused) }));
    expect(code).toBe('asset_denied');
    expect(detail).toContain('does not keep this asset');
    // Where it keeps the code too, it gives that and no more: the runner refuses to go on.
    const plan = await world.agent.plan({ notebook });
    const { job } = await world.agent.submit({ plan, draft: await world.agent.draft(plan) });
    await expectRefused(job, 'receipt_rejected');
    expect((await world.hospital.releases(job)).flatMap(({ grants }) => grants.filter(grant => 'asset' in grant))).toEqual([]);
  });
});

test('the header of one asset does not open the file of another', async () => {
  const { hospital, root } = world;
  writeFileSync(join(root, 'second.csv'), 'patient_id,radius\nP-0001,1\n');
  const { description } = await pinBroker(hospital.owner, { url: hospital.url, transport: world.transport });
  const second = await sealAsset({ ownerDir: hospital.owner.dir, file: join(root, 'second.csv'), name: 'second', kind: 'dataset', mediaType: 'text/csv', broker: description, url: hospital.url, out: join(root, 'sealed-second') });
  const first = (await assetCalled('hospital/measurements')).descriptor;
  const { payload } = second.descriptor;
  const crossed = await signObject(DESCRIPTOR, { ...payload, name: 'crossed', custodians: first.custodians }, hospital.owner.signer);
  await keep('hospital', crossed);
  const sealed = readFileSync(second.sealedFile);
  const client = { transport: world.transport, baseUrl: SERVER_URL, prove: createProver(hospital.owner.signer, systemClock) };
  await callRoute(client, SERVER_ROUTES.putAssetFile, { params: { digest: payload.digest }, body: once(sealed), stream: { digest: payload.digest, size: sealed.length } });
  await list(crossed, hospital.owner.signer);
  await hospital.allow('crossed', [world.rule()]);
  const { job } = await submit(world, { cells: ['import cloister\nprint(cloister.path("hospital/crossed").read_text())'] });
  await expectRefused(job, 'header_mismatch');
});

test('a broker that is not the one which the descriptor names keeps no key, and its owner notices', async () => {
  const { home, hospital } = world;
  await world.daemon().stop();
  renameSync(join(home, 'brokers/hospital'), join(home, 'brokers/hospital-before'));
  renameSync(join(home, 'broker-heads/hospital.json'), join(home, 'hospital-heads-before.json'));
  await world.restart();
  try {
    const { code, members } = await refusal(submit(world));
    expect({ code, members }).toMatchObject({ code: 'asset_denied' });
    expect(await codeOf(pinBroker(hospital.owner, { url: hospital.url, transport: world.transport }))).toBe('wrong_signer');
  } finally {
    await world.daemon().stop();
    rmSync(join(home, 'brokers/hospital'), { recursive: true });
    renameSync(join(home, 'brokers/hospital-before'), join(home, 'brokers/hospital'));
    renameSync(join(home, 'hospital-heads-before.json'), join(home, 'broker-heads/hospital.json'));
    await world.restart();
  }
  const { job } = await submit(world);
  expect(await ended(world, job)).toMatchObject({ state: 'succeeded' });
});

/** Says something else under the old signature. */
function lie(jws: string, from: string, to: string): CompactJws {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  const text = new TextDecoder().decode(fromBase64Url(payload));
  if (!text.includes(from)) throw new Error(`${from} is not in it`);
  return CompactJws.parse(`${header}.${toBase64Url(toUtf8(text.replace(from, to)))}.${signature}`);
}

/** The brokers have been asked, and the runner has not read its order yet. */
async function launched(job: Digest): Promise<void> {
  await eventually('launch', () => readOperatorDatabase(world.home, database => database.job(job)?.state === 'launching'), { pauseMs: 2 });
}

/** Changes one digit of a descriptor in the operator's database for as long as something takes. */
async function withRow(update: string, select: string, key: string, work: () => Promise<void>): Promise<void> {
  const before = readOperatorText(world.home, select, key);
  tamperDatabase(world.home, update, lie(before, '"version":1', '"version":2'), key);
  try {
    await work();
  } finally {
    tamperDatabase(world.home, update, before, key);
  }
}

/** Hands a descriptor to a broker, as anybody may. */
async function keep(broker: 'hospital' | 'registry', { jws }: Verified<Descriptor>): Promise<unknown> {
  return callRoute({ transport: world.transport, baseUrl: world[broker].url }, BROKER_ROUTES.putDescriptor, { body: { descriptor: jws } });
}

/** Lists a descriptor in the operator's catalog. */
async function list({ jws }: Verified<Descriptor>, signer: Signer): Promise<void> {
  await callRoute({ transport: world.transport, baseUrl: SERVER_URL, prove: createProver(signer, systemClock) }, SERVER_ROUTES.publishAsset, { body: { descriptor: jws } });
}

/** The analyst pins one more owner. */
async function withTrusted(owner: Trust['owners'][number], work: () => Promise<void>): Promise<void> {
  const path = join(world.home, 'agent/trust.json');
  const before = readFileSync(path, 'utf8');
  writeFileSync(path, JSON.stringify({ ...world.trust, owners: [...world.trust.owners, owner] }));
  try {
    await work();
  } finally {
    writeFileSync(path, before);
  }
}
