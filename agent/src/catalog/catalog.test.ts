import { readdirSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DESCRIPTOR, digestOf, signObject, toUtf8 } from '@cloister/protocol';
import { createTestOwner, createTestSigner } from '@cloister/protocol/testing';
import { codeOf, createWorkbench, MOCK, type Workbench } from '../testing/index.js';

let bench: Workbench;
beforeEach(async () => (bench = await createWorkbench()));
afterEach(async () => bench.close());

describe('the catalog', () => {
  test('shows what pinned owners signed, and says of the rest why it is not used', async () => {
    const [hospital] = bench.owners;
    if (hospital === undefined) throw new Error('no owner');
    const { catalog } = bench.operator;
    const stranger = await createTestOwner('stranger', { analyst: await createTestSigner(), image: bench.image });
    const other = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, name: 'forged' }, stranger.owner);
    catalog.push({ asset: stranger.descriptor.digest, owner: stranger.owner.thumbprint, descriptor: stranger.descriptor.jws });
    catalog.push({ asset: other.digest, owner: hospital.owner.thumbprint, descriptor: other.jws });
    catalog.push({ asset: digestOf(toUtf8('else')), owner: hospital.owner.thumbprint, descriptor: hospital.descriptor.jws });
    const { assets, unverified } = await bench.agent.catalog();
    expect(assets.map(asset => asset.name)).toEqual(['hospital/table', 'registry/table']);
    expect(unverified.map(entry => entry.why)).toEqual([
      expect.stringContaining('is not in your trust file'),
      expect.stringContaining('signed by'),
      'the catalog says something else than its owner signed'
    ]);
  });

  test('takes the newest version, and neither of two that contradict each other', async () => {
    const [hospital, registry] = bench.owners;
    if (hospital === undefined || registry === undefined) throw new Error('no owner');
    const newer = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, version: 2 }, hospital.owner);
    const double = await signObject(DESCRIPTOR, { ...registry.descriptor.payload, size: 1 }, registry.owner);
    bench.operator.catalog.push({ asset: newer.digest, owner: hospital.owner.thumbprint, descriptor: newer.jws });
    bench.operator.catalog.push({ asset: double.digest, owner: registry.owner.thumbprint, descriptor: double.jws });
    const { assets, unverified } = await bench.agent.catalog();
    expect(assets.map(asset => asset.asset)).toEqual([newer.digest]);
    expect(unverified).toHaveLength(2);
  });

  test('fetches mocks once, and leaves another file alone unless told otherwise', async () => {
    const fetch = async (replace = false) => (await bench.agent.fetchMocks({ folder: bench.workspace, names: ['hospital/table'], replace })).map(mock => mock.state);
    const path = join(bench.workspace, 'mocks/hospital/table.csv');
    expect(await fetch()).toEqual(['fetched']);
    expect(await readFile(path)).toEqual(Buffer.from(MOCK));
    expect(await fetch()).toEqual(['current']);
    await writeFile(path, 'my own');
    expect(await fetch()).toEqual(['differs']);
    expect(await readFile(path, 'utf8')).toBe('my own');
    expect(await fetch(true)).toEqual(['fetched']);
    expect(await readFile(path)).toEqual(Buffer.from(MOCK));
  });

  test.each([
    ['changed', toUtf8('id,value\n1,3\n')],
    ['longer', toUtf8('id,value\n1,2\n9,9\n')]
  ])('refuses a mock that is %s, and leaves no file', async (_, served) => {
    bench.operator.files.set(digestOf(MOCK), served);
    expect(await codeOf(bench.agent.fetchMocks({ folder: bench.workspace }))).toBe('digest_mismatch');
    expect(readdirSync(join(bench.workspace, 'mocks/hospital'))).toEqual([]);
  });

  test('does not write through a link in the place of mocks/', async () => {
    await symlink('/tmp', join(bench.workspace, 'mocks'));
    expect(await codeOf(bench.agent.fetchMocks({ folder: bench.workspace }))).toBe('workspace_unsafe');
  });
});
