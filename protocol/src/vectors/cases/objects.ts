import { digestOf, digestOfJson } from '../../bytes/digest.js';
import { toUtf8 } from '../../bytes/text.js';
import { BROKER } from '../../objects/broker.js';
import { DESCRIPTOR } from '../../objects/descriptor.js';
import { APPROVAL, MANIFEST } from '../../objects/manifest.js';
import { POLICY } from '../../objects/policy.js';
import { DENIAL, LEDGER_HEAD, PROOF, RECEIPT } from '../../objects/release.js';
import { WITNESS } from '../../objects/witness.js';
import type { Json } from '../../bytes/json.js';
import { signObject } from '../../signed/signed-object.js';
import { testSigner } from '../fixtures.js';
import { toJson, type Draft, type FileDraft } from '../format.js';
import { receiptOf, witnessOf, type VectorRun } from '../run-world.js';
import type { VectorWorld } from '../world.js';
import { ledgerOf } from './ledger.js';
import { signRaw, signText, signedFile, type SignedSubject } from './signed.js';

type Change = (payload: Record<string, Json>) => Json;

/** Replaces the member at a path. */
const put = (...path: readonly (string | number)[]) => (value: Json): Change => payload => set(payload, path, value);

function set(target: Json, [first, ...rest]: readonly (string | number)[], value: Json): Json {
  if (first === undefined) return value;
  if (Array.isArray(target)) return target.map((item, at) => (at === first ? set(item, rest, value) : item));
  if (typeof target !== 'object' || target === null) throw new Error(`no member ${first}`);
  return { ...target, [first]: set(target[first] ?? null, rest, value) };
}

/** All files of signed kinds. */
export async function signedFiles(world: VectorWorld, run: VectorRun): Promise<FileDraft[]> {
  const subjects = [descriptor(world), policy(world), await manifest(world), approval(world), receipt(world, run), witness(world, run), denial(world), await proof(), await ledgerHead(world), await broker(world)];
  return Promise.all(subjects.map(subject => signedFile(subject)));
}

function descriptor({ hospital, registry }: VectorWorld): SignedSubject {
  return {
    kind: DESCRIPTOR, signer: 'hospital owner', payload: hospital.descriptor.payload,
    about: 'An owner’s word on one version of an asset: digest and size of the sealed file, its age header, its broker.',
    misshapen: {
      'null for an absent member': put('origin')(null),
      'two custodians': payload => ({ ...payload, custodians: toJson([...hospital.descriptor.payload.custodians, ...registry.descriptor.payload.custodians]) }),
      'no custodian': put('custodians')([]),
      'a digest in upper case': put('digest')(hospital.descriptor.payload.digest.toUpperCase()),
      'a recipient that is none': put('custodians', 0, 'recipients', 'bundle')('ssh-ed25519 AAAA'),
      'an address with a query': put('custodians', 0, 'url')('https://broker.hospital.example/?x=1'),
      'an address with a user': put('custodians', 0, 'url')('https://user:secret@broker.hospital.example'),
      'a header in padded base64': put('custodians', 0, 'wrapped')('YWdl=='),
      'a name with a slash': put('name')('../table'),
      'version 0': put('version')(0),
      'a size that is no integer': put('size')(1.5)
    }
  };
}

function policy({ hospital }: VectorWorld): SignedSubject {
  const rule = Object.entries(hospital.policy.payload.allow[0] ?? {});
  const withRule = (changes: Record<string, Json>): Change => payload => ({ ...payload, allow: [toJson({ ...Object.fromEntries(rule), ...changes })] });
  const lacking = rule.map(([name]): [string, Change] => [`a rule without ${name}`, payload => ({ ...payload, allow: [toJson(Object.fromEntries(rule.filter(([other]) => other !== name)))] })]);
  return {
    kind: POLICY, signer: 'hospital owner', payload: hospital.policy.payload,
    about: 'An owner’s rule about who and what may open an asset. Every member of a rule is required and "any" is written out.',
    misshapen: {
      ...Object.fromEntries(lacking),
      'any verifier': withRule({ verifiers: 'any' }),
      'any image': withRule({ images: 'any' }),
      'any analyst': withRule({ analysts: 'any' }),
      'debug allowed': withRule({ debug: true }),
      'a condition other than true': withRule({ condition: 'false' }),
      'outputs under review': withRule({ outputs: 'review' }),
      'reviewers': withRule({ reviewers: [hospital.owner.thumbprint] }),
      'no isolation': withRule({ isolation: 'none' }),
      'fewer than no uses': withRule({ uses: -1 }),
      'an end in another time zone': withRule({ expires: '2027-01-01T00:00:00+01:00' }),
      'two rules of one id': payload => ({ ...payload, allow: toJson(hospital.policy.payload.allow.flatMap(item => [item, item])) }),
      'version 0': put('version')(0)
    }
  };
}

async function manifest(world: VectorWorld): Promise<SignedSubject> {
  const payload = toJson(world.manifest.payload);
  const [first] = world.manifest.payload.inputs;
  return {
    kind: MANIFEST, signer: 'analyst', payload,
    about: 'A job as its analyst signs it. The digest of its payload is the job’s name everywhere.',
    misshapen: {
      'no custodian of the code': put('code', 'custodians')([]),
      'no recipient of the outputs': put('outputs', 'recipients')([]),
      'a recipient whose checksum does not fit': put('outputs', 'recipients')([`${world.analystIdentity.recipient.slice(0, -1)}${world.analystIdentity.recipient.endsWith('q') ? 'p' : 'q'}`]),
      'reviewers': put('outputs', 'reviewers')([world.hospital.owner.thumbprint]),
      'any image': put('code', 'runner', 'images')('any'),
      'debug allowed': put('code', 'runner', 'debug')(true),
      'another step': put('step')('prepare'),
      'an id that is no UUIDv7': put('id')('01975c3f-2a00-4000-8000-000000000001'),
      'a time without milliseconds': put('notAfter')('2026-06-01T13:00:00Z'),
      'a day that does not exist': put('notAfter')('2026-02-30T13:00:00.000Z'),
      'no attempts': put('maxAttempts')(0),
      'one name for two inputs': put('inputs')(toJson([first, { ...first, asset: digestOfJson('x') }])),
      'one input under two names': put('inputs')(toJson([first, { ...first, name: 'a/b' }]))
    },
    more: [
      {
        name: 'an analyst names herself, and signs', operation: 'verify', input: { kind: 'manifest', jws: world.manifest.jws, signer: { member: 'analyst' } }
      },
      {
        name: 'a manifest that names another analyst than its signer', operation: 'verify',
        input: { kind: 'manifest', jws: await signRaw('manifest', payload, 'stranger'), signer: { member: 'analyst' } }, expect: { error: 'wrong_signer' }
      },
      {
        name: 'a payload with two equal keys', operation: 'verify',
        input: { kind: 'manifest', jws: await signText('manifest', '{"v":1,"v":1}', 'analyst'), signer: { member: 'analyst' } }, expect: { error: 'invalid_json' }
      },
      {
        name: 'a payload that is not canonical', operation: 'verify',
        input: { kind: 'manifest', jws: await signText('manifest', `${JSON.stringify(payload)}\n`, 'analyst'), signer: { member: 'analyst' } }, expect: { error: 'not_canonical' }
      }
    ]
  };
}

function approval({ manifest: { payload }, hospital }: VectorWorld): SignedSubject {
  const { digest, environment, parameters } = payload.code;
  return {
    kind: APPROVAL, signer: 'hospital owner',
    payload: { v: 1, code: digest, environment, parameters, inputs: payload.inputs.map(input => input.asset), analyst: payload.analyst, notAfter: '2026-12-31T00:00:00.000Z', decision: 'approved', reason: 'read it' },
    about: 'An owner’s word on one code under one environment, parameters, inputs and analyst.',
    misshapen: { 'a decision that is none': put('decision')('maybe'), 'no parameters': put('parameters')('any'), 'an analyst by name': put('analyst')(hospital.name) }
  };
}

function receipt(world: VectorWorld, run: VectorRun): SignedSubject {
  const payload = receiptOf(world, run.sessionText, world.hospital);
  return {
    kind: RECEIPT, signer: 'hospital broker', payload,
    about: 'A broker’s word that it released these keys to this session, under these policies and obligations.',
    misshapen: {
      'no grants': put('grants')([]),
      'an unknown obligation': put('grants', 0, 'obligations', 'watermark')(true),
      'a demand for review': put('grants', 0, 'obligations', 'outputs')('review'),
      'attempt 0': put('attempt')(0),
      'a session that is no 32 bytes': put('session')('AAAA')
    }
  };
}

function witness(world: VectorWorld, run: VectorRun): SignedSubject {
  return {
    kind: WITNESS, signer: 'hospital broker', payload: toJson(witnessOf(world, run)),
    about: 'A broker’s word that it saw this statement of an attempt that it released to, and no other.',
    misshapen: { 'a statement by another hash': put('statement')('md5:0'), 'an attempt of none': put('attempt')(0) }
  };
}

function denial(world: VectorWorld): SignedSubject {
  const { digest, payload } = world.manifest;
  return {
    kind: DENIAL, signer: 'hospital broker',
    payload: {
      v: 1, job: digest, attempt: 1, time: '2026-06-01T12:00:02.000Z',
      denials: [{ asset: world.hospital.descriptor.digest, policy: world.hospital.policy.digest, rule: 'research', code: 'analyst', expected: [world.stranger.thumbprint], actual: payload.analyst }]
    },
    about: 'A broker’s word on why it released nothing: for each rule what it expected and what came.',
    misshapen: { 'no reasons': put('denials')([]), 'null for an absent attempt': put('attempt')(null) }
  };
}

async function proof(): Promise<SignedSubject> {
  const signer = await testSigner('analyst');
  const bodyDigest = digestOf(toUtf8('{"manifest":"…"}'));
  const request = { htm: 'POST', htu: 'https://server.example/v1/jobs?x=1' };
  const payload = { ...request, jti: '01975c3f-2a00-7000-8000-0000000000aa', iat: 1_780_315_200, bodyDigest } as const;
  const { jws } = await signObject(PROOF, { ...payload, htm: 'POST' }, signer);
  const now = '2026-06-01T12:00:00.000Z';
  const verify = (name: string, changes: object, error?: 'proof_invalid' | 'proof_stale'): Draft => ({
    name, operation: 'verifyProof', input: { jws, ...request, bodyDigest, now, ...changes }, ...(error === undefined ? {} : { expect: { error } })
  });
  return {
    kind: PROOF, signer: 'analyst', payload,
    about: 'Signs one HTTP request, in the header Cloister-Proof: method, full URL, time, a fresh id, the digest of the body.',
    misshapen: { 'a method that no route has': put('htm')('PATCH'), 'an id that is no UUIDv7': put('jti')('1'), 'a time in text': put('iat')('1780315200') },
    more: [
      verify('a proof of this request', {}),
      verify('up to 60 seconds old', { now: '2026-06-01T12:01:00.000Z' }),
      verify('61 seconds old', { now: '2026-06-01T12:01:01.000Z' }, 'proof_stale'),
      verify('61 seconds from the future', { now: '2026-06-01T11:58:59.000Z' }, 'proof_stale'),
      verify('for another method', { htm: 'DELETE' }, 'proof_invalid'),
      verify('for another query', { htu: 'https://server.example/v1/jobs?x=2' }, 'proof_invalid'),
      verify('for another host', { htu: 'https://evil.example/v1/jobs?x=1' }, 'proof_invalid'),
      verify('for another body', { bodyDigest: digestOf(toUtf8('{}')) }, 'proof_invalid'),
      verify('another signed object in its place', { jws: await signRaw('receipt', toJson(payload), 'analyst') }, 'proof_invalid')
    ]
  };
}

async function ledgerHead(world: VectorWorld): Promise<SignedSubject> {
  const ledger = await ledgerOf(world);
  return {
    kind: LEDGER_HEAD, signer: 'hospital broker', payload: ledger.headPayload,
    about: 'A broker’s signed checkpoint: the number and digest of its ledger’s last entry.',
    misshapen: { 'no entry': put('entry')('none'), 'a number below zero': put('seq')(-1) }
  };
}

async function broker({ hospital, registry }: VectorWorld): Promise<SignedSubject> {
  const { dataset, bundle, review, owner } = hospital;
  const recipients = { dataset: dataset.recipient, bundle: bundle.recipient, review: review.recipient };
  const payload = toJson({ v: 1, broker: hospital.broker.thumbprint, owner: owner.thumbprint, recipients });
  return {
    kind: BROKER, signer: 'hospital broker', payload,
    about: 'A broker’s word on its owner and on the recipients that things are sealed to for it. The owner compares the signer with the thumbprint that her broker printed at its start.',
    misshapen: {
      'a recipient that is none': put('recipients', 'dataset')('ssh-ed25519 AAAA'),
      'a purpose that no broker has': put('recipients', 'backup')(registry.dataset.recipient),
      'no recipient for datasets': payload => ({ ...payload, recipients: toJson({ bundle: bundle.recipient, review: review.recipient }) }),
      'an owner by name': put('owner')(hospital.name)
    },
    more: [
      {
        name: 'a description that names another broker than its signer', operation: 'verify',
        input: { kind: 'broker', jws: await signRaw('broker', payload, 'stranger'), signer: { member: 'broker' } }, expect: { error: 'wrong_signer' }
      }
    ]
  };
}
