import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../errors.js';
import { verifyChain } from '../attestation/certificate-chain.js';
import { readKeySet } from '../attestation/key-set.js';
import { parseToken, readToken } from '../attestation/token.js';
import { readClaims } from '../attestation/claims.js';
import { verifyAttestation } from '../attestation/verify.js';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../bytes/base64url.js';
import { jcs, jcsBytes, parseJcs } from '../bytes/jcs.js';
import { parseJson } from '../bytes/json.js';
import { concatBytes, toUtf8 } from '../bytes/text.js';
import { errorOfProblem } from '../http/problem.js';
import { decodeBundle, encodeBundle } from '../objects/bundle.js';
import { canonicalNotebook, canonicalNotebookBytes, isCanonicalNotebook } from '../objects/notebook.js';
import { MANIFEST } from '../objects/manifest.js';
import { DESCRIPTOR } from '../objects/descriptor.js';
import { POLICY } from '../objects/policy.js';
import { RECEIPT, Session, parseSession } from '../objects/release.js';
import { OutputIndex, Report, Statement } from '../objects/report.js';
import { AppraisalPolicy, Trust } from '../objects/trust.js';
import { WITNESS } from '../objects/witness.js';
import { readReport } from '../report/evidence.js';
import { verifyReport } from '../report/verify.js';
import { headerLength, openBytes, openHeader, sealBytes, verifyHeaderKey } from '../sealing/age-header.js';
import { peekPayload, verifyObject } from '../signed/signed-object.js';
import { createTestBundle, createTestIdentity, createTestReport, createTestVerifier, createTestWorld } from '../testing/index.js';
import { createAppraisal } from '../policy/appraisal.js';

const NOW = new Date('2026-06-01T12:00:00.000Z');
const identity = await createTestIdentity();
const sealed = await sealBytes(toUtf8('a small secret'), [identity.recipient]);
const header = sealed.slice(0, headerLength(sealed));
const bundle = encodeBundle(createTestBundle(['1 + 1']));
const world = await createTestWorld({ now: NOW });
const verifier = await createTestVerifier();
const { report, statement, index } = await createTestReport(world, verifier);
const token = await verifier.mint({ audience: 'urn:cloister:report', nonces: ['n'.repeat(43)], image: world.image, instance: 'job-1', issuedAt: NOW, kind: 'pki' });
const [leaf, middle, root] = verifier.chain.x5c;
const keySet = jcs({ keys: verifier.pinned.jwks.flatMap(set => set.keys) });
const roots = [verifier.chain.root];

/** Whatever comes in, there is an answer, or a refusal of ours: no other error, and no crash. */
async function answersOrRefuses(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
  }
}

/** Bytes of a true thing, changed, cut, repeated or put together with others. */
function mutated(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: good.length });
  return fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    place.map(at => good.slice(0, at)),
    fc.tuple(place, fc.nat({ max: 255 })).map(([at, byte]) => concatBytes(good.slice(0, at), Uint8Array.of(byte), good.slice(at + 1))),
    fc.tuple(place, fc.uint8Array({ maxLength: 40 })).map(([at, more]) => concatBytes(good.slice(0, at), more, good.slice(at))),
    fc.tuple(place, place).map(([from, to]) => concatBytes(good.slice(0, from), good.slice(to)))
  );
}

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'u', 'd', '8', '0', '1', 'e', '-', '.', ' ', '\n', 'a', '\ud800') }), fc.json());
const json = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' });

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

function verify(text: string): ReturnType<typeof verifyAttestation> {
  const policy = createAppraisal({ verifiers: [verifier.pinned.issuer], images: [world.image], projects: 'any' });
  return verifyAttestation(text, { trust: { verifiers: [verifier.pinned] }, now: NOW, expect: { audience: 'urn:cloister:report', nonce: 'n'.repeat(43), policy, freshness: { kind: 'report' } } });
}

/** A true document with the value at one place, of whatever depth, exchanged for another. */
function replaced(document: object): fc.Arbitrary<unknown> {
  const places: (readonly string[])[] = [];
  const visit = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      places.push([...path, name]);
      visit(member, [...path, name]);
    }
  };
  visit(document, []);
  return fc.tuple(fc.constantFrom(...places), json).map(([path, value]) => withValue(document, path, value));
}

function withValue(document: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined || typeof document !== 'object' || document === null) return value;
  const entries = Object.entries(document).map(([key, member]): [string, unknown] => [key, key === name ? withValue(member, rest, value) : member]);
  return Array.isArray(document) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}

describe('arbitrary input gets an answer or a refusal of ours', () => {
  const texts: [string, (text: string) => unknown][] = [
    ['parseJson', parseJson],
    ['parseJcs', text => parseJcs(toUtf8(text))],
    ['fromBase64Url', fromBase64Url],
    ['fromBase64', fromBase64],
    ['parseToken', parseToken],
    ['readToken', readToken],
    ['readKeySet', text => readKeySet(text, ['RS256', 'PS384'])],
    ['verifyChain, of an entry', text => verifyChain([text, middle, root], roots, NOW)],
    ['verifyAttestation', text => verify(text)],
    ['parseSession', parseSession],
    ['decodeBundle', text => decodeBundle(toUtf8(text))],
    ['verifyObject', text => verifyObject(MANIFEST, text, payload => payload.analyst)],
    ['peekPayload', text => peekPayload(MANIFEST, text)],
    ['canonicalNotebookBytes', text => canonicalNotebookBytes(toUtf8(text))],
    ['isCanonicalNotebook', text => isCanonicalNotebook(toUtf8(text))],
    ['errorOfProblem', text => errorOfProblem(500, toUtf8(text))]
  ];
  test.each(texts)('%s, of text', async (_, run) => {
    await fc.assert(fc.asyncProperty(anyText, text => answersOrRefuses(() => run(text))), { numRuns: 500 });
  });

  const mutations: [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
    ['parseJson', jcsBytes(world.manifest.payload), parseJson],
    ['parseJcs', jcsBytes(world.manifest.payload), parseJcs],
    ['parseToken', toUtf8(token), bytes => parseToken(latin1(bytes))],
    ['verifyAttestation', toUtf8(token), bytes => verify(latin1(bytes))],
    ['readKeySet', toUtf8(keySet), bytes => readKeySet(bytes, ['RS256'])],
    ['verifyChain, of a leaf', fromBase64(leaf), bytes => verifyChain([toBase64(bytes), middle, root], roots, NOW)],
    ['verifyChain, of an intermediate', fromBase64(middle), bytes => verifyChain([leaf, toBase64(bytes), root], roots, NOW)],
    ['verifyObject', toUtf8(world.manifest.jws), bytes => verifyObject(MANIFEST, latin1(bytes), payload => payload.analyst)],
    ['parseSession', toUtf8(report.session), bytes => parseSession(latin1(bytes))],
    ['decodeBundle', bundle, decodeBundle],
    ['headerLength', sealed, headerLength],
    ['openHeader', header, bytes => openHeader(bytes, identity.identity)],
    ['verifyHeaderKey', header, bytes => verifyHeaderKey(bytes, new Uint8Array(16))],
    ['openBytes', sealed, bytes => openBytes(bytes, identity.identity)],
    ['canonicalNotebookBytes', world.bundle.files.get('notebook.ipynb') ?? new Uint8Array(), canonicalNotebookBytes]
  ];
  test.each(mutations)('%s, of a true thing that was damaged', async (_, good, run) => {
    await fc.assert(fc.asyncProperty(mutated(good), bytes => answersOrRefuses(() => run(bytes))), { numRuns: 300 });
  });

  test('canonicalNotebook, of any JSON', async () => {
    const notebook = fc.record({ nbformat: fc.constantFrom(3, 4, 5, '4'), cells: fc.array(fc.oneof(json, fc.record({ cell_type: fc.constantFrom('code', 'raw', 'x'), source: json, metadata: json, id: json }))), metadata: json });
    await fc.assert(fc.asyncProperty(fc.oneof(json, notebook), value => answersOrRefuses(() => canonicalNotebook(parseJson(JSON.stringify(value))))), { numRuns: 500 });
  });

  const schemas: [string, { readonly safeParse: (value: unknown) => unknown }, object][] = [
    ['Report', Report, report],
    ['Statement', Statement, statement],
    ['OutputIndex', OutputIndex, JSON.parse(new TextDecoder().decode(index)) as object],
    ['Session', Session, JSON.parse(report.session) as object],
    ['Trust', Trust, { v: 1, owners: [{ thumbprint: world.analyst.thumbprint, name: 'a' }], verifiers: [verifier.pinned], images: [{ image: world.image, source: 'a test' }] }],
    ['AppraisalPolicy', AppraisalPolicy, createAppraisal({ verifiers: [], images: [], projects: [] })],
    ['Manifest', MANIFEST.schema, world.manifest.payload],
    ['Descriptor', DESCRIPTOR.schema, world.owners[0]?.descriptor.payload ?? {}],
    ['Policy', POLICY.schema, world.owners[0]?.policy.payload ?? {}],
    ['Receipt', RECEIPT.schema, peekPayload(RECEIPT, report.receipts[0] ?? '').payload],
    ['Witness', WITNESS.schema, peekPayload(WITNESS, report.witnesses[0] ?? '').payload]
  ];
  test.each(schemas)('the schema %s, of any JSON and of true documents with one value exchanged', (_, schema, good) => {
    expect(schema.safeParse(good)).toMatchObject({ success: true });
    fc.assert(fc.property(fc.oneof(json, replaced(good)), value => { schema.safeParse(value); }), { numRuns: 400 });
  });

  test('verifyChain, of any JSON and of lists with anything in them', async () => {
    const entry = fc.oneof(json, fc.constantFrom(leaf, middle, root), fc.string(), fc.uint8Array({ maxLength: 200 }).map(toBase64));
    await fc.assert(fc.asyncProperty(fc.oneof(json, fc.array(entry, { maxLength: 4 })), x5c => answersOrRefuses(() => verifyChain(parseJson(JSON.stringify(x5c)), roots, NOW))), { numRuns: 400 });
  });

  test('readClaims, of any claims', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), json), claims => {
      fc.pre(!JSON.stringify(claims).includes('"__proto__"'));
      const read = parseJson(JSON.stringify(claims));
      if (typeof read === 'object' && read !== null && !Array.isArray(read)) readClaims(read);
    }), { numRuns: 400 });
  });

  test('DER whose values lie in one another by the thousand, of known length and of unknown', async () => {
    const unknown = Uint8Array.from({ length: 20_000 }, (_, at) => (at % 2 === 0 ? 0x30 : 0x80));
    let known: readonly number[] = [];
    for (let depth = 0; depth < 4000; depth += 1) known = [0x30, 0x82, known.length >> 8, known.length & 0xff, ...known];
    for (const der of [unknown, Uint8Array.from(known)]) {
      await expect(verifyChain([toBase64(der), middle, root], roots, NOW)).rejects.toBeInstanceOf(AppError);
    }
  });

  test('readReport and verifyReport, of any JSON and of reports with a part replaced', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(json, replaced(report)), async value => {
        await answersOrRefuses(() => readReport(value));
        const { verdict } = await verifyReport(value, { trust: { v: 1, owners: [], verifiers: [], images: [] }, now: NOW });
        expect(['failed', 'inconclusive']).toContain(verdict);
      }),
      { numRuns: 200 }
    );
  });

  test('verifyAttestation, of any claims under a signature that holds', async () => {
    const name = fc.constantFrom('aud', 'iss', 'iat', 'nbf', 'exp', 'eat_nonce', 'hwmodel', 'swname', 'dbgstat', 'secboot', 'submods', 'tdx');
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, json, { maxKeys: 3 }), async lies => {
        const changed = Object.entries(lies);
        const claims = Object.fromEntries(changed.map(([key, value]) => [key, parseJson(JSON.stringify(value))]));
        const lying = await verifier.mint({ audience: 'urn:cloister:report', nonces: ['n'.repeat(42) + 'A'], image: world.image, instance: 'job-1', issuedAt: NOW, claims });
        readClaims(claims);
        const { accepted } = await verifyAttestation(lying, {
          trust: { verifiers: [verifier.pinned] }, now: NOW,
          expect: { audience: 'urn:cloister:release', nonce: 'A'.repeat(43), policy: createAppraisal({ verifiers: [], images: [], projects: 'any', attributes: 'any', envOverrides: 'any' }), freshness: { kind: 'release', issuedAfter: NOW } }
        });
        expect(accepted).toBe(false);
      }),
      { numRuns: 100 }
    );
  });

  test('strings of many megabytes, with and without escapes', async () => {
    for (const part of ['a', '\\n', '\\\\', '\\u0041']) {
      const text = `{"a":"${part.repeat(Math.ceil((9 << 20) / part.length))}"}`;
      expect(parseJson(text)).toHaveProperty('a');
    }
    await answersOrRefuses(() => parseJson(`"${'\\'.repeat(9 << 20)}`));
    await answersOrRefuses(() => fromBase64Url('A'.repeat(9 << 20)));
  });
});

describe('canonical JSON', () => {
  test('is read back to the same value, and written again to the same text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), value => {
        fc.pre(!JSON.stringify(value).includes('"__proto__"'));
        const text = jcs(value);
        const read = parseJcs(toUtf8(text));
        expect(jcs(read)).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 }
    );
  });

  test('is one text, in whatever order the members were put', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), value => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(jcs(turned)).toBe(jcs(value));
      })
    );
  });

  test('any other text of the same value is refused', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), value => {
        const text = jcs(value);
        for (const other of [` ${text}`, `${text}\n`, JSON.stringify(value, null, 1)]) {
          if (other !== text) expect(() => parseJcs(toUtf8(other))).toThrow(AppError);
        }
      })
    );
  });
});

test('base64url has one text for one value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), bytes => {
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    })
  );
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('A', 'B', 'Q', 'g', '_', '-', '=', '+') }), text => {
      let bytes: Uint8Array | undefined;
      try {
        bytes = fromBase64Url(text);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
      if (bytes !== undefined) expect(toBase64Url(bytes)).toBe(text);
    })
  );
});
