import { BROKER_ROUTES, DESCRIPTOR, POLICY, callRoute, headerLength, sealBytes, signObject, toBase64Url, toUtf8, type Descriptor, type Policy } from '@cloister/protocol';
import { createTestIdentity, createTestSigner } from '@cloister/protocol/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLedger, sealAsset, sealedAsset } from '../owner/index.js';
import { challenge, createWorld, folderIn, makeJob, putRules, rulesOf, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf } from '../testing/refusals.js';

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

const put = async (descriptor: { readonly jws: string }) => callRoute(world.client, BROKER_ROUTES.putDescriptor, { body: { descriptor: descriptor.jws } });
const putPolicy = async (policy: { readonly jws: string }) => callRoute(world.client, BROKER_ROUTES.putPolicy, { body: { policy: policy.jws } });

describe('descriptors', () => {
  async function current(): Promise<Descriptor> {
    const record = await sealedAsset(world.owner.dir, 'table');
    const [, payload = ''] = record.descriptor.split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Descriptor; // what sealAsset signed
  }
  const custodian = (descriptor: Descriptor, change: Partial<Descriptor['custodians'][0]>): Descriptor => ({ ...descriptor, version: 2, custodians: [{ ...descriptor.custodians[0], ...change }] });

  test('the same one again changes nothing', async () => {
    const before = await readLedger(world.ownerDeps);
    expect(await put({ jws: (await sealedAsset(world.owner.dir, 'table')).descriptor })).toEqual({ asset: world.asset });
    expect(await readLedger(world.ownerDeps)).toEqual(before);
  });

  test('another one of the same name and version is refused', async () => {
    const descriptor = await current();
    expect(await codeOf(put(await signObject(DESCRIPTOR, { ...descriptor, size: 1 }, world.owner.signer)))).toBe('already_exists');
  });

  test('one signed by anybody else is refused, also with the header of an asset that is kept here', async () => {
    const thief = await createTestSigner();
    const descriptor = { ...(await current()), name: 'lax', owner: thief.thumbprint };
    expect(await codeOf(put(await signObject(DESCRIPTOR, descriptor, thief)))).toBe('wrong_signer');
    expect(await codeOf(put(await signObject(DESCRIPTOR, { ...descriptor, owner: world.owner.signer.thumbprint }, thief)))).toBe('wrong_signer');
  });

  test('a job that names such a descriptor gets nothing', async () => {
    const thief = await createTestSigner();
    const fake = await signObject(DESCRIPTOR, { ...(await current()), name: 'lax', owner: thief.thumbprint }, thief);
    expect(await codeOf(challenge(world, await makeJob(world, { inputs: [fake.digest], custodian: 'stranger' })))).toBe('asset_not_here');
  });

  const CUSTODIANS: readonly { readonly name: string; readonly change: () => Promise<Partial<Descriptor['custodians'][0]>>; readonly code: string }[] = [
    { name: 'another broker', change: async () => ({ broker: (await createTestSigner()).thumbprint }), code: 'invalid_object' },
    { name: 'a bundle recipient that is not this broker’s', change: async () => ({ recipients: { bundle: (await createTestIdentity()).recipient, review: world.pinned.description.recipients.review } }), code: 'invalid_object' },
    { name: 'a header for another recipient', change: async () => ({ wrapped: await headerTo((await createTestIdentity()).recipient) }), code: 'sealed_for_another' },
    { name: 'a header for this broker’s bundles', change: async () => ({ wrapped: await headerTo(world.pinned.description.recipients.bundle) }), code: 'sealed_for_another' },
    { name: 'a header that is none', change: async () => Promise.resolve({ wrapped: 'AAAA' }), code: 'sealed_corrupt' }
  ];
  test.each(CUSTODIANS)('one that names $name is refused', async ({ change, code }) => {
    expect(await codeOf(put(await signObject(DESCRIPTOR, custodian(await current(), await change()), world.owner.signer)))).toBe(code);
  });

  async function headerTo(recipient: Descriptor['custodians'][0]['recipients']['bundle']): Promise<string> {
    const sealed = await sealBytes(toUtf8('x'), [recipient]);
    return toBase64Url(sealed.slice(0, headerLength(sealed)));
  }

  test('a new version is an asset of its own under the same policy', async () => {
    const out = await folderIn(world, 'second');
    const sealed = await sealAsset({ ownerDir: world.owner.dir, file: `${world.dir}/table.csv`, name: 'table', kind: 'dataset', mediaType: 'text/csv', broker: world.pinned.description, url: world.client.baseUrl, out });
    await put(sealed.descriptor);
    expect(sealed.descriptor.payload.version).toBe(2);
    expect(await challenge(world, await makeJob(world, { inputs: [world.asset, sealed.descriptor.digest] }))).toHaveLength(43);
  });
});

describe('policies', () => {
  const sign = async (change: Partial<Policy>, signer = world.owner.signer) =>
    signObject(POLICY, { v: 1, version: 2, asset: { owner: world.owner.signer.thumbprint, name: 'table' }, allow: rulesOf(world, [{}]), ...change }, signer);

  test('only a higher version counts; the one in force, again, changes nothing', async () => {
    const stop = await putRules(world, []);
    const before = await readLedger(world.ownerDeps);
    expect(await codeOf(putPolicy(await sign({ version: 1 })))).toBe('policy_rollback');
    expect(await codeOf(putPolicy(await sign({ version: 2 })))).toBe('policy_rollback');
    expect(await putPolicy(stop)).toEqual({ policy: stop.digest, version: 2 });
    expect(await readLedger(world.ownerDeps)).toEqual(before);
  });

  test('only the owner’s word counts', async () => {
    const thief = await createTestSigner();
    expect(await codeOf(putPolicy(await sign({}, thief)))).toBe('wrong_signer');
    expect(await codeOf(putPolicy(await sign({ asset: { owner: thief.thumbprint, name: 'table' } })))).toBe('wrong_signer');
  });

  test('an asset that is not kept here has no policy here', async () => {
    expect(await codeOf(putPolicy(await sign({ asset: { owner: world.owner.signer.thumbprint, name: 'other' } })))).toBe('asset_not_here');
  });

  test('one with a byte changed is refused', async () => {
    const { jws } = await sign({});
    const [header = '', payload = '', signature = ''] = jws.split('.');
    const changed = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"version":2', '"version":9')).toString('base64url');
    expect(await codeOf(putPolicy({ jws: `${header}.${changed}.${signature}` }))).toBe('signature_invalid');
  });
});
