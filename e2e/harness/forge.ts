import { readKeys, stateFolderOf, type AnalystKeys } from '@cloister/agent';
import { systemClock } from '@cloister/kit';
import {
  MANIFEST, SERVER_ROUTES, callRoute, codeDigest, collect, createId, createProver, digestOf, encodeBundle, jcsBytes, parametersCommitment, sealBytes, signObject, toBase64Url,
  type Bundle, type ClientDeps, type JobView, type Manifest, type Verified
} from '@cloister/protocol';
import { sealStream } from '@cloister/sealing';
import type { Drafted } from './jobs.js';
import { SERVER_URL } from './owners.js';
import type { World } from './world.js';

/** A job made by hand, with the analyst's own keys and past all that her agent would refuse. */
export interface Forged {
  readonly manifest: Verified<Manifest>;
  readonly bundle: Uint8Array;
}

export const analystKeys = async ({ home }: World): Promise<AnalystKeys> => readKeys(stateFolderOf(home).keys);

/** Signs a draft's manifest anew with members replaced; a fresh id makes it another job. */
export async function forgeManifest(world: World, { draft }: Drafted, change: Partial<Manifest>): Promise<Forged> {
  const { signer } = await analystKeys(world);
  const manifest = await signObject(MANIFEST, { ...draft.manifest.payload, id: createId(new Date()), ...change }, signer);
  return { manifest, bundle: draft.bundle.bytes };
}

/** A bundle of one's own making in a well-signed manifest, its key wrapped for the hospital's broker. */
export async function forgeBundle(world: World, { draft }: Drafted, bundle: Bundle): Promise<Forged> {
  const { signer, recipient } = await analystKeys(world);
  const sealing = await sealStream(once(encodeBundle(bundle)), [recipient]);
  const bytes = await collect(sealing.stream, 1 << 26);
  const wrapped = { v: 1, purpose: 'cloister/code/v1', analyst: signer.thumbprint, bundle: digestOf(bytes), fileKey: toBase64Url(sealing.fileKey) };
  const { payload } = draft.manifest;
  const custodians = await Promise.all(
    draft.custodians.map(async ({ broker, url, recipient: to }) => ({ broker, url, wrapped: toBase64Url(await sealBytes(jcsBytes(wrapped), [to])) }))
  );
  const code = { ...payload.code, digest: codeDigest(bundle.header), bundle: digestOf(bytes), parameters: parametersCommitment(bundle.header), custodians };
  return { manifest: await signObject(MANIFEST, { ...payload, id: createId(new Date()), code }, signer), bundle: bytes };
}

/** A client of the server that signs as the analyst, and nothing more. */
export async function rawServer(world: World): Promise<ClientDeps> {
  const { signer } = await analystKeys(world);
  return { transport: world.transport, baseUrl: SERVER_URL, prove: createProver(signer, systemClock) };
}

/** Sends without the agent's care. */
export async function sendRaw(world: World, { manifest, bundle }: Forged, idempotencyKey = manifest.payload.id): Promise<JobView> {
  const server = await rawServer(world);
  await callRoute(server, SERVER_ROUTES.putBundle, { params: { digest: manifest.payload.code.bundle }, body: once(bundle), stream: { digest: digestOf(bundle), size: bundle.length } });
  return callRoute(server, SERVER_ROUTES.submitJob, { body: { manifest: manifest.jws }, headers: { 'idempotency-key': idempotencyKey } });
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield bytes;
  return undefined;
}
