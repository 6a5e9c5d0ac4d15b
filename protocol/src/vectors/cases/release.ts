import { toBase64Url } from '../../bytes/base64url.js';
import { digestOfJson } from '../../bytes/digest.js';
import { jcs } from '../../bytes/jcs.js';
import type { ErrorCode } from '../../errors.js';
import { RECEIPT, sealableRelease, sessionNonce, type Receipt, type Share } from '../../objects/release.js';
import type { Signer } from '../../signed/keys.js';
import { signObject } from '../../signed/signed-object.js';
import type { Draft, FileDraft } from '../format.js';
import { receiptOf, sharesOf, type VectorRun } from '../run-world.js';
import { INSTANCE, OTHER, wrapCode, type VectorWorld } from '../world.js';

/** The session's text and the nonce that it makes. */
export function sessionFile(world: VectorWorld, { session, sessionText }: VectorRun): FileDraft {
  const read = (name: string, text: string, error?: ErrorCode): Draft => ({ name, operation: 'readSession', input: { text }, ...(error === undefined ? {} : { expect: { error } }) });
  const { challenges } = session;
  const shaped = (changes: object): string => jcs({ ...session, ...changes });
  return {
    kind: 'session',
    about: 'What one token of an attempt answers for. Its exact text is hashed: the nonce is H("cloister/release/v1", text), the token’s audience "urn:cloister:release".',
    specs: ['RFC 8785'],
    cases: [
      read('a session and its nonce', sessionText),
      read('another attempt is another nonce', shaped({ attempt: 2 })),
      read('another recipient is another nonce', shaped({ recipient: world.strangerIdentity.recipient })),
      read('challenges in the other order', shaped({ challenges: challenges.toReversed() }), 'invalid_object'),
      read('one broker twice', shaped({ challenges: [challenges[0], challenges[0]] }), 'invalid_object'),
      read('no challenge', shaped({ challenges: [] }), 'invalid_object'),
      read('a challenge of 31 bytes', shaped({ challenges: [{ ...challenges[0], challenge: 'A'.repeat(42) }] }), 'invalid_object'),
      read('a challenge with trailing bits', shaped({ challenges: [{ ...challenges[0], challenge: 'B'.repeat(43) }] }), 'invalid_object'),
      read('an unknown member', shaped({ extra: 1 }), 'invalid_object'),
      read('another version', shaped({ v: 2 }), 'invalid_object'),
      read('not canonical', ` ${sessionText}`, 'not_canonical'),
      read('two equal keys', sessionText.replace('{', '{"attempt":9,'), 'invalid_json')
    ]
  };
}

/** The code's key for one custodian. */
export async function wrappedCodeFile(world: VectorWorld): Promise<FileDraft> {
  const { hospital, registry, stranger, manifest } = world;
  const { analyst, code } = manifest.payload;
  const input = { wrapped: code.custodians[0]?.wrapped, identity: hospital.bundle.identity, analyst, bundle: code.bundle };
  const open = (name: string, changes: object, error?: ErrorCode, because?: string): Draft => ({
    name, ...(because === undefined ? {} : { because }), operation: 'openWrappedCode', input: { ...input, ...changes }, ...(error === undefined ? {} : { expect: { error } })
  });
  const cut = async (name: string, lies: Parameters<typeof wrapCode>[2]): Promise<string> => toBase64Url(await wrapCode(world, name, lies));
  return {
    kind: 'wrapped-code',
    about: 'The key of the code as its analyst wraps it for a broker: an age file to the broker’s bundle recipient of JCS {v, purpose, analyst, bundle, fileKey}.',
    specs: ['C2SP age v1', 'RFC 8785'],
    cases: [
      open('for this analyst and bundle', {}),
      open('in a manifest of another analyst', { analyst: stranger.thumbprint }, 'code_not_bound'),
      open('for another bundle', { bundle: OTHER }, 'code_not_bound'),
      open('wrapped by its analyst for somebody else', { wrapped: await cut('wrapped for a stranger', { analyst: stranger.thumbprint }) }, 'code_not_bound'),
      open('wrapped for another bundle', { wrapped: await cut('wrapped for another bundle', { bundle: OTHER }) }, 'code_not_bound'),
      open('sealed to another broker', { wrapped: await cut('wrapped to the registry', { recipient: registry.bundle.recipient }) }, 'sealed_for_another'),
      open('opened by another identity of the broker', { identity: hospital.dataset.identity }, 'sealed_for_another', 'one identity per purpose: what is sealed for one purpose cannot be handed in for another')
    ]
  };
}

interface ReleaseLies {
  readonly signer?: Signer;
  readonly receipt?: Partial<Receipt>;
  readonly shares?: (shares: Share[]) => Share[];
}

/** A broker's releases, as true ones and as an operator or another broker would make them. */
export async function releaseFile(world: VectorWorld, run: VectorRun): Promise<FileDraft> {
  const { hospital, registry, manifest, stranger } = world;
  const seal = async (name: string, lies: ReleaseLies): Promise<string> => {
    const shares = (lies.shares ?? ((honest: Share[]) => honest))(sharesOf(world, hospital));
    const receipt = await signObject(RECEIPT, { ...receiptOf(world, run.sessionText, hospital), ...lies.receipt }, lies.signer ?? hospital.broker);
    return toBase64Url(await world.source.seal(`release ${name}`, sealableRelease({ shares, receipt: receipt.jws }), [run.recipient.recipient]));
  };
  const subjects = [hospital.descriptor.digest, manifest.payload.code.bundle];
  const expect = { broker: hospital.broker.thumbprint, job: manifest.digest, attempt: 1, session: sessionNonce(run.sessionText), instance: INSTANCE, subjects };
  const honest = await seal('honest', {});
  const open = (name: string, sealed: string, changes: object = {}, error: ErrorCode = 'receipt_rejected'): Draft => ({
    name, operation: 'openRelease', input: { sealed, identity: run.recipient.identity, expect: { ...expect, ...changes } }, expect: { error }
  });
  const swapped = (shares: Share[]): Share[] => shares.map(share => ({ ...share, fileKey: toBase64Url(registry.fileKey) }));
  return {
    kind: 'release',
    about: 'Keys sealed to the recipient of a session, with the broker’s receipt: JCS {shares, receipt} as an age file. A runner believes only what the named broker signed for its own session.',
    specs: ['C2SP age v1', 'RFC 7515', 'RFC 8785'],
    cases: [
      { name: 'a release to this session', operation: 'openRelease', input: { sealed: honest, identity: run.recipient.identity, expect } },
      open('by another broker than the descriptor names', honest, { broker: registry.broker.thumbprint }),
      open('by a broker that the operator made up', await seal('by a stranger', { signer: stranger })),
      open('for another session', await seal('of another session', { receipt: { session: 'A'.repeat(43) } })),
      open('for another job', await seal('of another job', { receipt: { job: OTHER } })),
      open('for another attempt', await seal('of another attempt', { receipt: { attempt: 2 } })),
      open('for another instance', await seal('of another instance', { receipt: { instance: 'other' } })),
      open('a receipt over other keys', await seal('over other keys', { receipt: { sharesDigest: digestOfJson([]) } })),
      open('keys that the receipt does not cover', await seal('with swapped keys', { shares: swapped })),
      open('without the key of the code', await seal('without the code', { shares: shares => shares.slice(0, 1), receipt: { sharesDigest: digestOfJson(sharesOf(world, hospital).slice(0, 1)) } })),
      open('for less than the runner asked of this broker', honest, { subjects: [...subjects, OTHER] }),
      { name: 'sealed to somebody else', operation: 'openRelease', input: { sealed: honest, identity: world.strangerIdentity.identity, expect }, expect: { error: 'receipt_rejected' } }
    ]
  };
}
