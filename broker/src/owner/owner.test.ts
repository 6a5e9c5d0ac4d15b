import { bindRoutes, createApp, createLogger, createTransport, listen, authenticateByProof, createReplayMemory, type Handlers, type Listening, type NodeTransport } from '@cloister/kit';
import { AppError, DESCRIPTOR, SERVER_ROUTES, digestOf, fromBase64Url, jcs, verifyObject, type Digest, type Thumbprint } from '@cloister/protocol';
import { createTestSigner } from '@cloister/protocol/testing';
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { challenge, createWorld, makeJob, type BrokerWorld } from '../testing/broker-world.js';
import { codeOf, refusal } from '../testing/refusals.js';
import { createOwner, listPolicies, openOwner, pinBroker, publishAsset, publishPolicy, sealAsset, signPolicy, stopPolicy, type OwnerDeps, type SealAssetOptions } from './index.js';

const run = promisify(execFile);

let world: BrokerWorld;
beforeEach(async () => (world = await createWorld()));
afterEach(async () => world.close());

function options(change: Partial<SealAssetOptions> = {}): SealAssetOptions {
  return {
    ownerDir: world.owner.dir, file: join(world.dir, 'table.csv'), name: 'other', kind: 'dataset', mediaType: 'text/csv',
    broker: world.pinned.description, url: world.client.baseUrl, out: join(world.dir, 'out'), ...change
  };
}

describe('the owner’s key', () => {
  test('is made once, 0600, and never over another', async () => {
    expect((await stat(join(world.owner.dir, 'owner.jwk'))).mode & 0o777).toBe(0o600);
    expect((await openOwner(world.owner.dir)).signer.thumbprint).toBe(world.owner.signer.thumbprint);
    expect(await codeOf(createOwner(world.owner.dir))).toBe('file_exists');
  });
});

describe('sealing an asset', () => {
  test('makes a stock age file and a descriptor of it, with the table’s columns', async () => {
    const { descriptor, sealedFile } = await sealAsset(options());
    const bytes = await readFile(sealedFile);
    expect(descriptor.payload).toMatchObject({
      owner: world.owner.signer.thumbprint, name: 'other', version: 1, size: bytes.length, digest: digestOf(bytes),
      schema: { columns: [{ name: 'id', type: 'integer' }, { name: 'value', type: 'text' }] }
    });
    const header = Buffer.from(fromBase64Url(descriptor.payload.custodians[0].wrapped));
    expect(bytes.subarray(0, header.length).equals(header)).toBe(true);
    expect((await stat(sealedFile)).mode & 0o777).toBe(0o600);
  });

  test('what is sealed opens with the age command and the broker’s own identity', async () => {
    const { sealedFile } = await sealAsset(options());
    const identity = join(world.dir, 'broker', 'keys', 'dataset.age-identity');
    expect((await run('age', ['-d', '-i', identity, sealedFile])).stdout).toBe('id,value\n1,hospital\n');
  });

  test('counts versions, and writes over nothing', async () => {
    await sealAsset(options());
    expect((await sealAsset(options())).descriptor.payload.version).toBe(2);
    expect(await codeOf(sealAsset(options({ version: 2 })))).toBe('already_exists');
    expect((await sealAsset(options({ version: 7 }))).descriptor.payload.version).toBe(7);
    await writeFile(join(world.dir, 'out', 'other-8.age'), 'mine');
    expect(await codeOf(sealAsset(options()))).toBe('file_exists');
    expect(await readFile(join(world.dir, 'out', 'other-8.age'), 'utf8')).toBe('mine');
  });

  test('describes a mock, which must have the same columns', async () => {
    const mock = join(world.dir, 'mock.csv');
    await writeFile(mock, 'id,value\n9,mock\n');
    const { descriptor } = await sealAsset(options({ mock }));
    expect(descriptor.payload.mock).toEqual({ digest: digestOf(await readFile(mock)), size: 16, mediaType: 'text/csv' });
    await writeFile(mock, 'id,other\n9,mock\n');
    const error = await refusal(sealAsset(options({ mock })));
    expect(error).toMatchObject({ code: 'invalid_request', hint: 'Expected: id, value' });
    expect(await readdir(join(world.dir, 'out'))).toEqual(['other-1.age']);
  });

  const BAD: readonly { readonly name: string; readonly change: () => Promise<Partial<SealAssetOptions>>; readonly code: string }[] = [
    { name: 'a name that is none', change: async () => Promise.resolve({ name: '../x' }), code: 'invalid_request' },
    { name: 'a file that is not there', change: async () => Promise.resolve({ file: join(world.dir, 'nothing') }), code: 'invalid_request' },
    { name: 'a directory', change: async () => Promise.resolve({ file: world.dir }), code: 'invalid_request' },
    { name: 'a link', change: async () => symlink(join(world.dir, 'table.csv'), join(world.dir, 'link')).then(() => ({ file: join(world.dir, 'link') })), code: 'invalid_request' },
    { name: 'a broker that serves another owner', change: async () => ({ broker: { ...world.pinned.description, owner: (await createTestSigner()).thumbprint } }), code: 'wrong_signer' }
  ];
  test.each(BAD)('refuses $name', async ({ change, code }) => {
    expect(await codeOf(sealAsset(options(await change())))).toBe(code);
  });

  test('an empty file has no columns', async () => {
    await writeFile(join(world.dir, 'empty.csv'), '');
    expect((await sealAsset(options({ file: join(world.dir, 'empty.csv') }))).descriptor.payload.schema).toBeUndefined();
  });
});

describe('pinning a broker', () => {
  test('on first contact; later other keys are refused', async () => {
    expect(await pinBroker(world.owner, { url: world.client.baseUrl, transport: world.client.transport })).toEqual(world.pinned);
    const pin = join(world.owner.dir, 'broker.json');
    const text = await readFile(pin, 'utf8');
    await writeFile(pin, text.replace(world.pinned.description.broker, world.analyst.thumbprint));
    const error = await refusal(pinBroker(world.owner, { url: world.client.baseUrl, transport: world.client.transport }));
    expect(error.code).toBe('wrong_signer');
    expect(error.detail).toContain('other keys');
  });

  test('a broker that serves somebody else is refused', async () => {
    const other = await createOwner(join(world.dir, 'other-owner'));
    expect(await codeOf(pinBroker(other, { url: world.client.baseUrl, transport: world.client.transport }))).toBe('wrong_signer');
    expect(await readdir(other.dir)).toEqual(['owner.jwk']);
  });

  test('without one nothing can be published', async () => {
    const other = await createOwner(join(world.dir, 'other-owner'));
    expect(await codeOf(listPolicies({ ...world.ownerDeps, ownerDir: other.dir }))).toBe('trust_missing');
  });
});

describe('signing a policy', () => {
  const rule = {
    id: 'first', verifiers: [], images: [], envOverrides: 'any', hardware: 'any', debug: false, attributes: 'any', projects: 'any', analysts: [], code: 'any', environments: 'any',
    parameters: 'any', inputs: 'any', condition: 'true', outputs: 'release', reviewers: [], maxOutputBytes: 'any', isolation: 'sandbox', uses: 3, attempts: 'any', expires: 'any'
  };
  const { uses, ...withoutUses } = rule;
  const BAD: readonly { readonly name: string; readonly input: unknown; readonly words: string }[] = [
    { name: 'a member that a rule lacks', input: { asset: 'table', allow: [withoutUses] }, words: 'allow.0.uses' },
    { name: 'a member that a rule must not have', input: { asset: 'table', allow: [{ ...rule, imagez: [] }] }, words: 'allow.0.imagez: unknown key; did you mean images?' },
    { name: 'a member that a policy must not have', input: { asset: 'table', allow: [], owner: 'me' }, words: 'owner: unknown key' },
    { name: 'a value that is none', input: { asset: 'table', allow: [{ ...rule, uses: -uses }] }, words: 'allow.0.uses' },
    { name: 'debug images', input: { asset: 'table', allow: [{ ...rule, debug: true }] }, words: 'allow.0.debug' },
    { name: 'a condition that this version does not know', input: { asset: 'table', allow: [{ ...rule, condition: 'false' }] }, words: 'allow.0.condition' },
    { name: 'two rules of one id', input: { asset: 'table', allow: [rule, rule] }, words: 'two rules have the id first' },
    { name: 'a template whose places are not filled', input: { asset: 'table', allow: [{ ...rule, images: ['@image'] }] }, words: '@image is a placeholder' },
    { name: 'no asset', input: { allow: [] }, words: 'asset' }
  ];
  test.each(BAD)('refuses $name, and names the place', async ({ input, words }) => {
    const error = await refusal(signPolicy({ ownerDir: world.owner.dir, policyInput: input }));
    expect(error.code).toBe('invalid_object');
    expect(error.detail).toContain(words);
  });

  test('counts versions; a lower one is refused', async () => {
    const policyInput = { asset: 'other', allow: [rule] };
    expect((await signPolicy({ ownerDir: world.owner.dir, policyInput })).payload.version).toBe(1);
    expect((await signPolicy({ ownerDir: world.owner.dir, policyInput: { ...policyInput, version: 5 } })).payload.version).toBe(5);
    expect((await signPolicy({ ownerDir: world.owner.dir, policyInput })).payload).toMatchObject({ version: 6, asset: { owner: world.owner.signer.thumbprint, name: 'other' } });
    expect(await codeOf(signPolicy({ ownerDir: world.owner.dir, policyInput: { ...policyInput, version: 6 } }))).toBe('policy_rollback');
  });

  test('a stop is a higher version without rules, and takes effect at once', async () => {
    const job = await makeJob(world);
    await challenge(world, job);
    const stop = await stopPolicy({ ownerDir: world.owner.dir, name: 'table' });
    expect(stop.payload).toMatchObject({ version: 2, allow: [] });
    await publishPolicy(world.ownerDeps, stop);
    expect(await codeOf(challenge(world, job))).toBe('released_never');
  });
});

describe('publishing an asset', () => {
  const stored = new Map<Digest, Buffer>();
  const catalog: string[] = [];
  let listening: Listening;
  let network: NodeTransport;
  let deps: OwnerDeps;
  const server = 'http://server.cloister.localhost';

  beforeEach(async () => {
    stored.clear();
    catalog.length = 0;
    const { putAssetFile, publishAsset: list } = SERVER_ROUTES;
    const handlers: Handlers<{ putAssetFile: typeof putAssetFile; list: typeof list }, Thumbprint> = {
      putAssetFile: async ({ params, body }) => {
        const parts: Uint8Array[] = [];
        for await (const part of body) parts.push(part);
        const bytes = Buffer.concat(parts);
        if (digestOf(bytes) !== params.digest) throw new AppError('digest_mismatch', 'other bytes');
        stored.set(params.digest, bytes);
        return undefined;
      },
      list: async ({ body, caller }) => {
        const { payload, digest } = await verifyObject(DESCRIPTOR, body.descriptor, caller);
        if (!stored.has(payload.digest)) throw new AppError('not_found', 'the sealed file is missing');
        catalog.push(digest);
        return { asset: digest, owner: payload.owner, descriptor: body.descriptor };
      }
    };
    const authenticate = authenticateByProof({ publicUrl: server, clock: world.clock, replays: createReplayMemory(world.clock) });
    const logger = createLogger({ service: 'test', level: 'silent', destination: 'stderr' });
    const socketPath = join(world.dir, 'server.sock');
    listening = await listen(createApp({ logger, routers: [bindRoutes({ putAssetFile, list }, handlers, { authenticate })] }), { socketPath });
    network = createTransport({ sockets: { 'server.cloister.localhost': socketPath, 'cloister.localhost': join(world.dir, 'broker.sock') } });
    deps = { ...world.ownerDeps, transport: network.transport };
  });
  afterEach(async () => {
    network.close();
    await listening.close();
  });

  test('gives the key to the broker, the files to the server, then lists it; and may be repeated', async () => {
    const mock = join(world.dir, 'mock.csv');
    await writeFile(mock, 'id,value\n9,mock\n');
    const { descriptor, sealedFile } = await sealAsset(options({ mock }));
    expect(await publishAsset(deps, { name: 'other', server })).toEqual({ asset: descriptor.digest });
    expect(stored.get(descriptor.payload.digest)?.equals(await readFile(sealedFile))).toBe(true);
    expect(stored.size).toBe(2);
    await publishAsset(deps, { name: 'other', server });
    expect(catalog).toEqual([descriptor.digest, descriptor.digest]);
    await publishPolicy(deps, await signPolicy({ ownerDir: world.owner.dir, policyInput: { asset: 'other', allow: [] } }));
    expect(await listPolicies(deps)).toHaveLength(2);
  });

  test('a sealed file that changed since is not published', async () => {
    const { sealedFile } = await sealAsset(options());
    const bytes = await readFile(sealedFile);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await rm(sealedFile);
    await writeFile(sealedFile, bytes);
    await refusal(publishAsset(deps, { name: 'other', server }));
    expect(catalog).toEqual([]);
  });

  test('nothing that was not sealed here is published', async () => {
    await mkdir(join(world.dir, 'x'), { recursive: true });
    expect(await codeOf(publishAsset(deps, { name: 'unknown', server }))).toBe('asset_unknown');
    expect(jcs(catalog)).toBe('[]');
  });
});
