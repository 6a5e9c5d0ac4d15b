import { beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../errors.js';
import { toBase64Url } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import { jcs, jcsBytes } from '../bytes/jcs.js';
import { parseJson } from '../bytes/json.js';
import { concatBytes, fromUtf8, toUtf8 } from '../bytes/text.js';
import { createTestBundle, createTestOwner, createTestSigner, createTestWorld, type TestWorld } from '../testing/index.js';
import { ANY_SIGNER, signObject, verifyObject } from '../signed/signed-object.js';
import { createProver, verifyProof } from '../signed/proof.js';
import { createHeader, headerLength, openBytes, openHeader, sealBytes, verifyHeaderKey } from '../sealing/age-header.js';
import { BundlePath, decodeBundle, encodeBundle, requireBundleAgrees } from './bundle.js';
import { MANIFEST } from './manifest.js';
import { DESCRIPTOR } from './descriptor.js';
import { canonicalNotebookBytes, isCanonicalNotebook } from './notebook.js';
import { Policy } from './policy.js';
import { Session } from './release.js';
import { ServiceUrl } from './primitives.js';

let world: TestWorld;
beforeAll(async () => {
  world = await createTestWorld({ owners: ['hospital', 'registry'] });
});

const codeOf = async (run: () => unknown): Promise<string> => {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};
const encode = (value: unknown): string => toBase64Url(toUtf8(typeof value === 'string' ? value : jcs(value)));

describe('signed objects', () => {
  test('the digest is of the payload, whatever key signs it', async () => {
    const other = await createTestSigner();
    const again = await signObject(MANIFEST, world.manifest.payload, other);
    expect(again.digest).toBe(world.manifest.digest);
    expect(await codeOf(() => verifyObject(MANIFEST, again.jws, payload => payload.analyst))).toBe('wrong_signer');
  });

  test('each changed part has its code', async () => {
    const [header = '', payload = '', signature = ''] = world.manifest.jws.split('.');
    const parsed = JSON.parse(fromUtf8(Uint8Array.from(atob(header.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0)))) as Record<string, unknown>;
    const forms: [string, string][] = [
      [`${encode({ ...parsed, kid: 'x' })}.${payload}.${signature}`, 'invalid_object'],
      [`${encode({ ...parsed, alg: 'none' })}.${payload}.${signature}`, 'invalid_object'],
      [`${encode({ ...parsed, typ: 'cloister.policy.v1+jws' })}.${payload}.${signature}`, 'invalid_object'],
      [`${encode(JSON.stringify(parsed).replace('{', '{ '))}.${payload}.${signature}`, 'not_canonical'],
      [`${header}.${encode({ ...world.manifest.payload, v: 2 })}.${signature}`, 'signature_invalid'],
      [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, 'signature_invalid'],
      [`${header}.${payload}.${signature}=`, 'not_canonical'],
      [`${header}.${payload}`, 'not_canonical']
    ];
    for (const [jws, code] of forms) expect(await codeOf(() => verifyObject(MANIFEST, jws, ANY_SIGNER))).toBe(code);
  });

  test('an object of one kind is none of another', async () => {
    expect(await codeOf(() => verifyObject(DESCRIPTOR, world.manifest.jws, ANY_SIGNER))).toBe('invalid_object');
  });

  test('unknown members, null for absent, another version: refused before signing too', async () => {
    const { payload } = world.manifest;
    for (const bad of [{ ...payload, extra: 1 }, { ...payload, v: 2 }, { ...payload, notAfter: null }, { ...payload, notAfter: '2026-01-01T00:00:00Z' }]) {
      expect(await codeOf(() => signObject(MANIFEST, bad as never, world.analyst))).toBe('invalid_object');
    }
  });
});

describe('policies and sessions', () => {
  test('a rule that lacks any member is no rule', () => {
    const policy = world.owners[0]?.policy.payload;
    const [rule] = policy?.allow ?? [];
    expect(Policy.safeParse(policy).success).toBe(true);
    for (const member of Object.keys(rule ?? {})) {
      const rest = Object.fromEntries(Object.entries(rule ?? {}).filter(([name]) => name !== member));
      expect(Policy.safeParse({ ...policy, allow: [rest] }).success, member).toBe(false);
    }
    expect(Policy.safeParse({ ...policy, allow: [rule, rule] }).success).toBe(false);
    for (const [member, value] of Object.entries({ verifiers: 'any', images: 'any', analysts: 'any', debug: true, condition: 'false', outputs: 'review', isolation: 'none', reviewers: ['x'] })) {
      expect(Policy.safeParse({ ...policy, allow: [{ ...rule, [member]: value }] }).success, member).toBe(false);
    }
  });

  test('challenges are sorted by broker, one each', () => {
    const challenge = 'A'.repeat(43);
    const [a = '', b = ''] = world.owners.map(owner => owner.broker.thumbprint).sort();
    const session = { v: 1, job: world.manifest.digest, step: 'main', attempt: 1, recipient: world.analystIdentity.recipient, key: world.analyst.thumbprint };
    expect(Session.safeParse({ ...session, challenges: [{ broker: a, challenge }, { broker: b, challenge }] }).success).toBe(true);
    expect(Session.safeParse({ ...session, challenges: [{ broker: b, challenge }, { broker: a, challenge }] }).success).toBe(false);
    expect(Session.safeParse({ ...session, challenges: [{ broker: a, challenge }, { broker: a, challenge }] }).success).toBe(false);
    expect(Session.safeParse({ ...session, challenges: [] }).success).toBe(false);
  });

  test.each(['ftp://x', 'http://u:p@x', 'http://x/', 'http://x/?q', 'http://x#f', 'HTTP://X', 'http://x/a/', 'javascript:1', 'http://x/a/../b'])('no service lives at %s', url => {
    expect(ServiceUrl.safeParse(url).success).toBe(false);
  });
});

describe('bundles', () => {
  const bundle = createTestBundle(['1 + 1']);
  const bytes = encodeBundle(bundle);

  test('are read back, and agree with their manifest only', async () => {
    expect(decodeBundle(bytes).header).toEqual(bundle.header);
    requireBundleAgrees(world.bundle, world.manifest.payload.code);
    for (const header of [{ ...world.bundle.header, purpose: 'another' }, { ...world.bundle.header, salt: 'A'.repeat(43) }, { ...world.bundle.header, parameters: { a: 1 } }]) {
      expect(await codeOf(() => requireBundleAgrees({ ...world.bundle, header }, world.manifest.payload.code))).toBe('digest_mismatch');
    }
  });

  test.each<[string, Uint8Array, string]>([
    ['a changed file', concatBytes(bytes.subarray(0, -1), toUtf8('X')), 'digest_mismatch'],
    ['a cut', bytes.subarray(0, -1), 'bundle_invalid'],
    ['bytes after the end', concatBytes(bytes, toUtf8('x')), 'bundle_invalid'],
    ['a header that is not canonical', concatBytes(toUtf8(' '), bytes), 'bundle_invalid'],
    ['nothing', new Uint8Array(), 'bundle_invalid'],
    ['an entry that is not there', concatBytes(jcsBytes({ ...bundle.header, entry: 'other.ipynb' }), toUtf8('\n'), ...bundle.files.values()), 'bundle_invalid']
  ])('%s is refused', async (_, bad, code) => {
    expect(await codeOf(() => decodeBundle(bad))).toBe(code);
  });

  test.each(['../x', '/x', 'a//b', 'a/./b', 'C:/x', 'a\\b', 'a\u0000b', 'a\nb', 'e\u0301', 'x\u202etxt', '', 'a/', 'x'.repeat(256)])('U1 path %j is refused', path => {
    expect(BundlePath.safeParse(path).success).toBe(false);
  });
});

describe('notebooks', () => {
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', display_name: 'Py', argv: ['sh'] }, widgets: {}, signature: 'trusted' },
    cells: [
      { cell_type: 'code', id: 'a', source: ['x = 1\n', 'x'], execution_count: 7, outputs: [{ output_type: 'stream' }], metadata: { tags: ['skip-execution'], trusted: true } },
      { cell_type: 'markdown', id: 'b', source: '# hi', metadata: { x: 1 }, attachments: {} }
    ]
  };
  const canonical = canonicalNotebookBytes(toUtf8(JSON.stringify(notebook)));

  test('U7 keep what runs, and nothing that approval does not see', () => {
    expect(parseJson(canonical)).toEqual({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: 'python3', display_name: 'python3' } },
      cells: [
        { cell_type: 'code', id: 'a', source: 'x = 1\nx', execution_count: null, outputs: [], metadata: { tags: ['skip-execution'] } },
        { cell_type: 'markdown', id: 'b', source: '# hi', metadata: {} }
      ]
    });
    expect(isCanonicalNotebook(canonical)).toBe(true);
    expect(isCanonicalNotebook(toUtf8(JSON.stringify(notebook)))).toBe(false);
  });

  test.each<[string, string]>([
    ['{', 'notebook_not_json'],
    ['{"a":1}', 'notebook_not_json'],
    ['{"nbformat":3,"worksheets":[]}', 'notebook_unsupported'],
    ['{"nbformat":5,"cells":[]}', 'notebook_unsupported'],
    ['{"nbformat":4,"cells":[{"cell_type":"x","source":""}]}', 'notebook_unsupported'],
    ['{"nbformat":4,"cells":[{"cell_type":"code","id":"a","source":""},{"cell_type":"code","id":"a","source":""}]}', 'notebook_unsupported']
  ])('%s gives %s', async (text, code) => {
    expect(await codeOf(() => canonicalNotebookBytes(toUtf8(text)))).toBe(code);
  });
});

describe('age headers', () => {
  test('a header opens for its recipient only, and its MAC tells which key is its own', async () => {
    const [owner, other] = [await createTestOwner('a', world), await createTestOwner('b', world)];
    const header = owner.sealed.slice(0, headerLength(owner.sealed));
    expect(await openHeader(header, owner.dataset.identity)).toEqual(owner.fileKey);
    expect(await codeOf(() => openHeader(header, other.dataset.identity))).toBe('sealed_for_another');
    await verifyHeaderKey(header, owner.fileKey);
    expect(await codeOf(() => verifyHeaderKey(header, other.fileKey))).toBe('sealed_corrupt');
    expect(await codeOf(() => openHeader(concatBytes(header, toUtf8('x')), owner.dataset.identity))).toBe('sealed_corrupt');
    const mac = header.slice();
    mac[mac.length - 5] = mac[mac.length - 5] === 65 ? 66 : 65;
    expect(await codeOf(() => openHeader(mac, owner.dataset.identity))).toBe('sealed_corrupt');
  });

  test('a header made for streaming holds the very key that it wraps', async () => {
    const { identity, recipient } = world.analystIdentity;
    const { header, fileKey } = await createHeader([recipient]);
    expect(await openHeader(header, identity)).toEqual(fileKey);
    expect(await openBytes(await sealBytes(toUtf8('x'), [recipient]), identity)).toEqual(toUtf8('x'));
    expect(await codeOf(() => openBytes(toUtf8('not age'), identity))).toBe('sealed_corrupt');
    expect(await codeOf(() => sealBytes(toUtf8('x'), []))).toBe('invalid_request');
  });
});

describe('proofs', () => {
  const now = new Date('2026-06-01T12:00:00.000Z');
  const request = { htm: 'POST', htu: 'http://server.test/v1/jobs?x=1', bodyDigest: digestOf(toUtf8('body')) };

  test('hold for one request, for a minute', async () => {
    const proof = await createProver(world.analyst, { now: () => now })(request);
    expect((await verifyProof(proof, { ...request, now })).signer).toBe(world.analyst.thumbprint);
    const cases: [object, string][] = [
      [{ htm: 'GET' }, 'proof_invalid'],
      [{ htu: 'http://server.test/v1/jobs' }, 'proof_invalid'],
      [{ htu: 'http://evil.test/v1/jobs?x=1' }, 'proof_invalid'],
      [{ bodyDigest: digestOf(toUtf8('other')) }, 'proof_invalid'],
      [{ now: new Date(now.getTime() + 62_000) }, 'proof_stale'],
      [{ now: new Date(now.getTime() - 62_000) }, 'proof_stale']
    ];
    for (const [over, code] of cases) expect(await codeOf(() => verifyProof(proof, { ...request, now, ...over }))).toBe(code);
    expect(await codeOf(() => verifyProof('x.y.z', { ...request, now }))).toBe('proof_invalid');
  });
});
