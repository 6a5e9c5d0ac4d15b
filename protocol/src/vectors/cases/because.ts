import { digestOf } from '../../bytes/digest.js';
import { toBase64Url } from '../../bytes/base64url.js';
import { jcs } from '../../bytes/jcs.js';
import { toUtf8 } from '../../bytes/text.js';
import { DESCRIPTOR } from '../../objects/descriptor.js';
import { MANIFEST } from '../../objects/manifest.js';
import { signObject } from '../../signed/signed-object.js';
import { toJson, type Draft, type FileDraft } from '../format.js';
import { receiptOf, type VectorRun } from '../run-world.js';
import { OTHER, wrapCode, type VectorWorld } from '../world.js';
import { attestedBecause } from './because-attested.js';
import { sharedVerifiers } from './attestation.js';
import { SHOWN_ELSEWHERE } from './because-elsewhere.js';
import { decisionCases } from './decisions.js';
import { reportShared } from './report.js';
import { fileUnderTwoKeys } from './sealing.js';
import { signRaw } from './signed.js';

/** One case for every reason that docs/protocol.md gives for a rule, as far as this package decides it. */
export async function becauseFile(world: VectorWorld, run: VectorRun): Promise<FileDraft> {
  return {
    kind: 'because',
    about: 'Why each rule of the protocol is there: the attack that it stops, and what stops it. `elsewhere` lists what only a whole service can show, with its tests.',
    specs: ['RFC 7515', 'RFC 8785', 'C2SP age v1', 'in-toto Statement v1'],
    shared: { verifiers: sharedVerifiers(world), manifest: world.manifest.payload, ...reportShared(world, run) },
    cases: [...(await objectReasons(world, run)), ...(await sealingReasons(world, run)), ...codeReasons(world), ...policyReasons(world), ...(await attestedBecause(world, run))],
    elsewhere: SHOWN_ELSEWHERE
  };
}

async function objectReasons(world: VectorWorld, run: VectorRun): Promise<Draft[]> {
  const { manifest, analyst, stranger, hospital, registry } = world;
  const twin = await signObject(MANIFEST, { ...manifest.payload, notAfter: '2026-06-01T14:00:00.000Z' }, analyst);
  const made = await signObject(DESCRIPTOR, { ...hospital.descriptor.payload, owner: stranger.thumbprint }, stranger);
  const named = await signRaw('descriptor', toJson(hospital.descriptor.payload), 'stranger');
  const unknown = { ...receiptOf(world, run.sessionText, hospital), grants: [{ bundle: manifest.payload.code.bundle, obligations: { outputs: 'release', reviewers: [], maxOutputBytes: 'any', isolation: 'sandbox', expires: 'any', watermark: true } }] };
  return [
    { name: 'two manifests under one id are two jobs: the first', because: 'the id is chosen by the analyst, so two manifests under one id must not share a release: a job is named by the digest of its manifest', operation: 'verify', input: { kind: 'manifest', jws: manifest.jws, signer: analyst.thumbprint }, expect: { ok: { digest: manifest.digest, signer: analyst.thumbprint } } },
    { name: 'two manifests under one id are two jobs: the second', because: 'the same id, another job', operation: 'verify', input: { kind: 'manifest', jws: twin.jws, signer: analyst.thumbprint }, expect: { ok: { digest: twin.digest, signer: analyst.thumbprint } } },
    { name: 'a signed object is named by its payload, whoever signs it', because: 'signatures and header bytes can be made anew over one payload; were the JWS hashed, one thing would have many names', operation: 'verify', input: { kind: 'manifest', jws: await signRaw('manifest', toJson(manifest.payload), 'stranger'), signer: stranger.thumbprint }, expect: { ok: { digest: manifest.digest, signer: stranger.thumbprint } } },
    { name: 'a descriptor by a key of the operator', because: 'recipients of bundle and review come from descriptors of pinned owners, never from a catalog: else the operator serves its own', operation: 'verify', input: { kind: 'descriptor', jws: made.jws, signer: hospital.owner.thumbprint }, expect: { error: 'wrong_signer' } },
    { name: 'a descriptor that names the pinned owner and is signed by another', because: 'the key inside an object does not authenticate it; the context does', operation: 'verify', input: { kind: 'descriptor', jws: named, signer: { member: 'owner' } }, expect: { error: 'wrong_signer' } },
    { name: 'another owner’s descriptor at a broker that serves the hospital', because: 'a broker unwraps only for descriptors signed by the one owner key it serves: else a strict asset is opened under a lax policy of somebody else', operation: 'verify', input: { kind: 'descriptor', jws: registry.descriptor.jws, signer: hospital.owner.thumbprint }, expect: { error: 'wrong_signer' } },
    { name: 'an unknown obligation', because: 'a runner that ignores a demand it does not know breaks it', operation: 'verify', input: { kind: 'receipt', jws: await signRaw('receipt', toJson(unknown), 'hospital broker'), signer: hospital.broker.thumbprint }, expect: { error: 'invalid_object' } },
    { name: 'null for an absent member', because: 'optional means absent: with null too there would be two texts of one thing', operation: 'verify', input: { kind: 'descriptor', jws: await signRaw('descriptor', toJson({ ...hospital.descriptor.payload, origin: null }), 'hospital owner'), signer: hospital.owner.thumbprint }, expect: { error: 'invalid_object' } },
    { name: 'a manifest without a custodian of its code', because: 'nobody would keep the code’s key, and the runner could not open it', operation: 'verify', input: { kind: 'manifest', jws: await signRaw('manifest', toJson({ ...manifest.payload, code: { ...manifest.payload.code, custodians: [] } }), 'analyst'), signer: analyst.thumbprint }, expect: { error: 'invalid_object' } },
    { name: 'one broker twice in a session', because: 'a broker finds its own challenge exactly once, or it could not say which of two it answers', operation: 'readSession', input: { text: jcs({ ...run.session, challenges: [run.session.challenges[0], run.session.challenges[0]] }) }, expect: { error: 'invalid_object' } },
    { name: 'a proof that was copied to another address', because: 'who reads a request could send it elsewhere: the proof signs method, full URL and body', operation: 'verify', input: { kind: 'proof', jws: manifest.jws, signer: analyst.thumbprint }, expect: { error: 'invalid_object' } }
  ];
}

async function sealingReasons(world: VectorWorld, run: VectorRun): Promise<Draft[]> {
  const { hospital, registry, stranger, manifest, sealedBundle } = world;
  const two = fileUnderTwoKeys(world);
  const [custodian] = manifest.payload.code.custodians;
  const asset = { descriptor: hospital.descriptor.jws, owner: hospital.owner.thumbprint, fileKey: toBase64Url(hospital.fileKey) };
  const [wrapped, identity] = [custodian?.wrapped, hospital.bundle.identity];
  const invented = await world.source.seal('invented by a stranger', toUtf8('{"shares":[],"receipt":""}'), [run.recipient.recipient]);
  const expect = { broker: hospital.broker.thumbprint, job: manifest.digest, attempt: 1, session: 'A'.repeat(43), instance: 'x', subjects: [] };
  const wrappedFor = toBase64Url(await wrapCode(world, 'wrapped for a stranger', { analyst: stranger.thumbprint }));
  return [
    { name: 'a payload that opens under two keys, under the key that its header does not know', because: 'a payload does not commit to its key and can be made to open under two: the header’s MAC is verified under the file key before any chunk', operation: 'openFileWithKey', input: { file: toBase64Url(two.file), fileKey: toBase64Url(two.otherKey) }, expect: { error: 'sealed_corrupt' } },
    { name: 'a key that does not belong to a header', because: 'a released key that is another one’s must not get as far as data', operation: 'verifyHeaderKey', input: { header: toBase64Url(two.header), fileKey: toBase64Url(two.otherKey) }, expect: { error: 'sealed_corrupt' } },
    { name: 'an authentic payload under the right header and key, and not the signed file', because: 'age does not say who sealed: nothing is believed because it could be decrypted', operation: 'openAsset', input: { ...asset, file: toBase64Url(two.file) }, expect: { error: 'digest_mismatch' } },
    { name: 'the header of one asset presented for another', because: 'a header handed in by a caller is not a thing; the signed descriptor holds the header, and runner and broker compare', operation: 'openAsset', input: { ...asset, file: toBase64Url(registry.sealed) }, expect: { error: 'header_mismatch' } },
    { name: 'the start of a sealed file', because: 'nothing is ready before its final chunk: a cut file must not pass for a whole one', operation: 'openFile', input: { file: toBase64Url(hospital.sealed.slice(0, -1)), identity: hospital.dataset.identity }, expect: { error: 'sealed_corrupt' } },
    { name: 'a dataset’s header at the identity for bundles', because: 'one identity per purpose: else whoever may have a bundle opened could have a dataset opened', operation: 'openHeader', input: { header: toBase64Url(hospital.header), identity: hospital.bundle.identity }, expect: { error: 'sealed_for_another' } },
    { name: 'the wrapped key of the code, copied into another analyst’s manifest', because: 'whoever sees a manifest could copy its header into her own and have the code opened for her', operation: 'openWrappedCode', input: { wrapped, identity, analyst: stranger.thumbprint, bundle: digestOf(sealedBundle) }, expect: { error: 'code_not_bound' } },
    { name: 'the wrapped key of the code, in a manifest about another bundle', because: 'the key belongs to one bundle; under another it would open what its analyst never sealed', operation: 'openWrappedCode', input: { wrapped, identity, analyst: world.analyst.thumbprint, bundle: OTHER }, expect: { error: 'code_not_bound' } },
    { name: 'a key that a stranger wrapped for herself, in the analyst’s manifest', because: 'age does not say who sealed; the plaintext names its analyst', operation: 'openWrappedCode', input: { wrapped: wrappedFor, identity, analyst: world.analyst.thumbprint, bundle: digestOf(sealedBundle) }, expect: { error: 'code_not_bound' } },
    { name: 'something that somebody sealed to the runner', because: 'anybody can seal to the runner’s recipient: without a broker’s signed receipt the operator feeds it invented data', operation: 'openRelease', input: { sealed: toBase64Url(invented), identity: run.recipient.identity, expect }, expect: { error: 'receipt_rejected' } }
  ];
}

function codeReasons({ bundle, bundleBytes }: VectorWorld): Draft[] {
  const { salt, parameters, purpose } = bundle.header;
  const cell = { cell_type: 'code', id: 'a', metadata: {}, source: 'x', execution_count: null, outputs: [] };
  const notebook = (more: object, cellMore: object): string => jcs({ nbformat: 4, nbformat_minor: 5, metadata: {}, ...more, cells: [{ ...cell, ...cellMore }] });
  const hidden = 'what approval does not see must not reach the code';
  const refuse = (name: string, text: string): Draft => ({ name, because: hidden, operation: 'requireCanonicalNotebook', input: { text }, expect: { error: 'notebook_not_canonical' } });
  return [
    refuse('a notebook with outputs', notebook({}, { outputs: [{ output_type: 'stream', name: 'stdout', text: 'x' }] })),
    refuse('a notebook with metadata', notebook({ metadata: { payload: 'code to be' } }, {})),
    refuse('a cell with metadata', notebook({}, { metadata: { payload: 'code to be' } })),
    refuse('a cell with an execution count', notebook({}, { execution_count: 3 })),
    { name: 'tags and the kernel’s name stay', because: 'they change what runs, so they are approved with the rest', operation: 'requireCanonicalNotebook', input: { text: notebook({ metadata: { kernelspec: { display_name: 'python3', name: 'python3' } } }, { metadata: { tags: ['skip-execution'] } }) } },
    { name: 'a bundle whose purpose is not the one committed to', because: 'runner and approving broker recompute every digest and commitment from the opened bundle: the analyst could show an owner one purpose and sign another', operation: 'openBundle', input: { bytes: toBase64Url(bundleBytes), code: { digest: OTHER, environment: 'image', parameters: 'A'.repeat(43) } }, expect: { error: 'digest_mismatch' } },
    { name: 'a commitment to a purpose that can be guessed', because: 'salted: who sees the manifest cannot try purposes until one fits', operation: 'parametersCommitment', input: { salt, parameters, purpose } },
    { name: 'the same purpose under another salt', because: 'equal purposes do not show as equal', operation: 'parametersCommitment', input: { salt: 'A'.repeat(43), parameters, purpose } },
    { name: 'files sorted by UTF-16 units', because: 'one order, by bytes, so that code has one digest', operation: 'codeDigest', input: { listing: { v: 1, entry: 'a', files: ['\u{1f600}', '\uffee'].map(path => ({ path, size: 1, digest: OTHER })) } }, expect: { error: 'invalid_object' } }
  ];
}

function policyReasons(world: VectorWorld): Draft[] {
  const decide = decisionCases(world);
  const rule = Object.entries(world.hospital.policy.payload.allow[0] ?? {});
  const shape = (name: string, because: string, changes: object): Draft => ({
    name, because, operation: 'requireShape', input: { shape: 'rule', value: toJson({ ...Object.fromEntries(rule), ...changes }) }, expect: { error: 'invalid_object' }
  });
  const forgotten = Object.fromEntries(rule.filter(([member]) => member !== 'projects'));
  const why = (because: string, draft: Draft): Draft => ({ ...draft, because });
  return [
    why('an empty policy denies: that is also how an owner stops', decide('no rule, no permission', [], 'deny', ['policy_empty'])),
    why('a new device is a new analyst key, which no rule lists yet', decide('another key of the same person', [{ analysts: [world.stranger.thumbprint] }], 'deny', ['analyst'])),
    why('a use that another job merely reserves may come free, so this is no denial', decide('the last use is reserved', [{ uses: 1 }], 'reserved', ['use_reserved'], { used: { jobsReleased: 0, jobsReserved: 1, attempts: 0 } })),
    why('a check that nobody asked is not a check that passed', decide('a skipped check of the token', [{}], 'deny', ['hardware'], { checks: [{ id: 'hardware', status: 'skipped' }] })),
    { name: 'a rule that forgets a member', because: 'a forgotten member is an error and not a permission: "any" is written out', operation: 'requireShape', input: { shape: 'rule', value: toJson(forgotten) }, expect: { error: 'invalid_object' } },
    shape('a rule for any program', 'a policy that any image satisfies is none: any Confidential Space workload would do', { images: 'any' }),
    shape('a rule for any verifier', 'whoever names no verifier trusts the operator’s own', { verifiers: 'any' }),
    shape('a rule that allows debug images', 'a debug image gives its operator root', { debug: true }),
    shape('a condition that this version cannot evaluate', 'only "true" allows: a condition that is not understood must not be skipped', { condition: 'job.purpose == "research"' }),
    shape('an isolation that this version does not have', 'the only isolation is the sandbox', { isolation: 'none' }),
    shape('outputs under review', 'a review that nobody performs must not be promised', { outputs: 'review' })
  ];
}
