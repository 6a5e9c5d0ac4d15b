import {
  BROKER_ROUTES, DENIAL, RELEASE_AUDIENCE, Release, Session, callRoute, createSigningKey, fromBase64Url, generateIdentity, jcs, openBytes, parseJcs, peekPayload, recipientOf,
  sessionNonce, signerOf, type AppError, type Bytes32, type ClientDeps, type CompactJws, type DenialReason, type Digest, type Thumbprint
} from '@cloister/protocol';
import { tokenFrom, type InstanceFiles } from './instances.js';

/** What identifies an attempt to a broker: keys that are fresh per attempt. */
export interface StandInKeys {
  readonly identity: string;
  readonly recipient: Awaited<ReturnType<typeof recipientOf>>;
  readonly key: Thumbprint;
}

export async function freshKeys(): Promise<StandInKeys> {
  const identity = await generateIdentity();
  return { identity, recipient: await recipientOf(identity), key: (await signerOf(await createSigningKey())).thumbprint };
}

/** One broker, as a runner talks to it. */
export interface StandInBroker {
  readonly client: ClientDeps;
  readonly thumbprint: Thumbprint;
}

export async function challengeBy({ client }: StandInBroker, manifest: CompactJws, attempt: number): Promise<Bytes32> {
  return (await callRoute(client, BROKER_ROUTES.createChallenge, { body: { manifest, attempt } })).challenge;
}

export interface Asked {
  readonly job: Digest;
  readonly attempt: number;
  readonly challenge: Bytes32;
  readonly keys: StandInKeys;
}

export function sessionOf({ thumbprint }: StandInBroker, { job, attempt, challenge, keys }: Asked): string {
  const { recipient, key } = keys;
  return jcs(Session.parse({ v: 1, job, step: 'main', attempt, recipient, key, challenges: [{ broker: thumbprint, challenge }] }));
}

/** Attests on a machine that is there anyway, then asks for the keys; gives the sealed reply. */
export async function releaseBy(broker: StandInBroker, session: string, machine: InstanceFiles, nonce: string = sessionNonce(session)): Promise<string> {
  const token = await tokenFrom(machine, RELEASE_AUDIENCE, nonce);
  return releaseWith(broker, session, token);
}

export async function releaseWith({ client }: StandInBroker, session: string, token: string): Promise<string> {
  return (await callRoute(client, BROKER_ROUTES.createRelease, { body: { session, tokens: [BROKER_ROUTES.createRelease.body.schema.shape.tokens.parse([token])[0]] } })).sealed;
}

export async function openRelease(sealed: string, { identity }: StandInKeys): Promise<Release> {
  return Release.parse(parseJcs(await openBytes(fromBase64Url(sealed), identity)));
}

/** Why a broker refused, by its signed word. */
export function deniedBy(error: AppError): DenialReason[] {
  const { denials } = error.members;
  return typeof denials === 'string' ? peekPayload(DENIAL, denials).payload.denials : [];
}
