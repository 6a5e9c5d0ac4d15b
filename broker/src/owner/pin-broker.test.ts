import { AppError, BROKER, signObject, toUtf8, type BrokerDescription, type Signer, type Transport } from '@cloister/protocol';
import { createTestIdentity, createTestSigner } from '@cloister/protocol/testing';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeOf, refusal } from '../testing/refusals.js';
import { createOwner, pinBroker, pinnedBroker, type Owner } from './index.js';

const FAR = 'https://broker.hospital.example';
let dir: string;
let owner: Owner;
let broker: Signer;
let honest: BrokerDescription;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pin-'));
  owner = await createOwner(join(dir, 'owner'));
  broker = await createTestSigner();
  honest = await describedBy(broker);
});
afterEach(async () => rm(dir, { recursive: true }));

async function describedBy(signer: Signer): Promise<BrokerDescription> {
  const recipient = async (): Promise<BrokerDescription['recipients']['dataset']> => (await createTestIdentity()).recipient;
  return { v: 1, broker: signer.thumbprint, owner: owner.signer.thumbprint, recipients: { dataset: await recipient(), bundle: await recipient(), review: await recipient() } };
}

/** Whatever answers at the address. */
const answering = (description: unknown): Transport => async () => Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body: once(JSON.stringify({ description })) });

async function* once(text: string): AsyncGenerator<Uint8Array, undefined> {
  yield toUtf8(text);
}

const signedBy = async (signer: Signer, description: BrokerDescription): Promise<Transport> => answering((await signObject(BROKER, description, signer)).jws);
const pins = async (): Promise<string[]> => (await readdir(owner.dir)).filter(name => name === 'broker.json');

test('the owner’s public thumbprint and recipients of one’s own make nobody her broker', async () => {
  const rogue = await createTestSigner();
  const transport = await signedBy(rogue, await describedBy(rogue));
  expect(await codeOf(pinBroker(owner, { url: FAR, transport }))).toBe('trust_missing');
  const error = await refusal(pinBroker(owner, { url: FAR, transport, brokerKey: broker.thumbprint }));
  expect(error).toBeInstanceOf(AppError);
  expect({ code: error.code, named: error.detail.includes(rogue.thumbprint) }).toEqual({ code: 'wrong_signer', named: true });
  expect(await pins()).toEqual([]);
});

test('nor does the true broker’s name above recipients of one’s own', async () => {
  const rogue = await createTestSigner();
  const copied = { ...(await describedBy(rogue)), broker: broker.thumbprint };
  expect(await codeOf(pinBroker(owner, { url: FAR, transport: await signedBy(rogue, copied), brokerKey: broker.thumbprint }))).toBe('wrong_signer');
  const [header, , signature] = (await signObject(BROKER, honest, broker)).jws.split('.');
  const [, payload] = (await signObject(BROKER, copied, broker)).jws.split('.');
  expect(await codeOf(pinBroker(owner, { url: FAR, transport: answering(`${header}.${payload}.${signature}`), brokerKey: broker.thumbprint }))).toBe('signature_invalid');
  expect(await pins()).toEqual([]);
});

test('without a key nobody far away is even asked', async () => {
  const transport: Transport = async () => Promise.reject(new Error('asked'));
  for (const url of [FAR, 'http://broker.localhost', 'http://localhost', 'http://127.0.0.1', 'http://cloister.localhost.example', 'http://a.cloister.localhost:8080', 'https://a.cloister.localhost']) {
    expect(await codeOf(pinBroker(owner, { url, transport })), url).toBe('trust_missing');
  }
});

test('the broker with the key that the owner was told is pinned, and needs no key from then on', async () => {
  const transport = await signedBy(broker, honest);
  expect(await pinBroker(owner, { url: FAR, transport, brokerKey: broker.thumbprint })).toEqual({ url: FAR, description: honest });
  expect(await pinBroker(owner, { url: FAR, transport })).toEqual({ url: FAR, description: honest });
  expect((await pinnedBroker(owner)).description).toEqual(honest);
  const other = await createTestSigner();
  expect(await codeOf(pinBroker(owner, { url: FAR, transport: await signedBy(other, await describedBy(other)) }))).toBe('wrong_signer');
  expect(await codeOf(pinBroker(owner, { url: FAR, transport, brokerKey: other.thumbprint }))).toBe('wrong_signer');
});

test('the daemon of one’s own machine is pinned without, and compared where a key is given', async () => {
  const url = 'http://hospital.cloister.localhost';
  const transport = await signedBy(broker, honest);
  expect(await codeOf(pinBroker(owner, { url, transport, brokerKey: (await createTestSigner()).thumbprint }))).toBe('wrong_signer');
  expect(await pinBroker(owner, { url, transport })).toEqual({ url, description: honest });
});

test('what is no thumbprint, and what is not signed, is refused', async () => {
  expect(await codeOf(pinBroker(owner, { url: FAR, transport: await signedBy(broker, honest), brokerKey: 'hospital' }))).toBe('invalid_request');
  expect(await codeOf(pinBroker(owner, { url: FAR, transport: answering(honest), brokerKey: broker.thumbprint }))).toBe('invalid_object');
  expect(await pins()).toEqual([]);
});
