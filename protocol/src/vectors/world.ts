import { toBase64Url } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import { jcs, jcsBytes } from '../bytes/jcs.js';
import { toUtf8 } from '../bytes/text.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';
import { codeDigest, encodeBundle, parametersCommitment, type Bundle } from '../objects/bundle.js';
import { DESCRIPTOR, type Descriptor } from '../objects/descriptor.js';
import { MANIFEST, WrappedCode, type Manifest } from '../objects/manifest.js';
import { canonicalNotebook } from '../objects/notebook.js';
import { POLICY, Rule, type Policy } from '../objects/policy.js';
import type { Digest } from '../objects/primitives.js';
import { headerLength, openHeader } from '../sealing/age-header.js';
import type { Signer } from '../signed/keys.js';
import { signObject, type Verified } from '../signed/signed-object.js';
import { testBytes, testSigner, type FixtureSource, type VectorIdentity } from './fixtures.js';
import { createVectorVerifier, type VectorVerifier } from './verifier.js';

export const NOW = new Date('2026-06-01T12:00:00.000Z');
export const IMAGE: Digest = digestOf(toUtf8('cloister test image'));
export const OTHER: Digest = digestOf(toUtf8('something else'));
export const INSTANCE = 'cloister-test-1';

export interface VectorOwner {
  readonly name: string;
  readonly owner: Signer;
  readonly broker: Signer;
  readonly url: string;
  readonly dataset: VectorIdentity;
  readonly bundle: VectorIdentity;
  readonly review: VectorIdentity;
  readonly plaintext: Uint8Array;
  readonly sealed: Uint8Array;
  readonly header: Uint8Array;
  readonly fileKey: Uint8Array;
  readonly descriptor: Verified<Descriptor>;
  readonly policy: Verified<Policy>;
}

/** One analyst, two owners with one table each, one job: the world of all vectors, the same every time. */
export interface VectorWorld {
  readonly source: FixtureSource;
  readonly verifier: VectorVerifier;
  readonly analyst: Signer;
  readonly stranger: Signer;
  readonly analystIdentity: VectorIdentity;
  readonly strangerIdentity: VectorIdentity;
  readonly hospital: VectorOwner;
  readonly registry: VectorOwner;
  readonly bundle: Bundle;
  readonly bundleBytes: Uint8Array;
  readonly sealedBundle: Uint8Array;
  readonly bundleKey: Uint8Array;
  readonly manifest: Verified<Manifest>;
}

export async function createVectorWorld(source: FixtureSource): Promise<VectorWorld> {
  const [analyst, stranger] = [await testSigner('analyst'), await testSigner('stranger')];
  const [analystIdentity, strangerIdentity] = [await source.identity('analyst'), await source.identity('stranger')];
  const hospital = await createOwner(source, 'hospital', analyst);
  const registry = await createOwner(source, 'registry', analyst);
  const bundle = createBundle();
  const bundleBytes = encodeBundle(bundle);
  const sealedBundle = await source.seal('bundle', bundleBytes, [analystIdentity.recipient]);
  const bundleKey = await openHeader(sealedBundle.slice(0, headerLength(sealedBundle)), analystIdentity.identity);
  const parts = { source, analyst, stranger, analystIdentity, strangerIdentity, hospital, registry, bundle, bundleBytes, sealedBundle, bundleKey };
  const manifest = await signObject(MANIFEST, await manifestOf(parts), analyst);
  return { ...parts, verifier: await createVectorVerifier(source), manifest };
}

/** A rule that allows the simulator and nothing unusual. */
export function createRule(overrides: Readonly<Record<string, unknown>>): Rule {
  return Rule.parse({
    id: 'research', verifiers: [SIMULATOR_ISSUER], images: [IMAGE], envOverrides: 'any', hardware: ['SIMULATED'], debug: false, attributes: 'any', projects: 'any', analysts: [],
    code: 'any', environments: 'any', parameters: 'any', inputs: 'any', condition: 'true', outputs: 'release', reviewers: [], maxOutputBytes: 'any', isolation: 'sandbox',
    uses: 'any', attempts: 'any', expires: 'any', ...overrides
  });
}

async function createOwner(source: FixtureSource, name: string, analyst: Signer): Promise<VectorOwner> {
  const [owner, broker] = [await testSigner(`${name} owner`), await testSigner(`${name} broker`)];
  const [dataset, bundle, review] = [await source.identity(`${name} dataset`), await source.identity(`${name} bundle`), await source.identity(`${name} review`)];
  const url = `https://broker.${name}.example`;
  const plaintext = toUtf8(`id,value\n1,${name}\n`);
  const sealed = await source.seal(`${name} table`, plaintext, [dataset.recipient]);
  const header = sealed.slice(0, headerLength(sealed));
  const descriptor = await signObject(
    DESCRIPTOR,
    {
      v: 1, owner: owner.thumbprint, name: 'table', version: 1, kind: 'dataset', mediaType: 'text/csv', size: sealed.length, digest: digestOf(sealed),
      schema: { columns: [{ name: 'id', type: 'int64' }, { name: 'value', type: 'string' }] },
      custodians: [{ broker: broker.thumbprint, url, recipients: { bundle: bundle.recipient, review: review.recipient }, wrapped: toBase64Url(header) }]
    },
    owner
  );
  const rule = createRule({ analysts: [analyst.thumbprint], ...(name === 'hospital' ? { uses: 3 } : { maxOutputBytes: 1_000_000 }) });
  const policy = await signObject(POLICY, { v: 1, version: 1, asset: { owner: owner.thumbprint, name: 'table' }, allow: [rule] }, owner);
  const fileKey = await openHeader(header, dataset.identity);
  return { name, owner, broker, url, dataset, bundle, review, plaintext, sealed, header, fileKey, descriptor, policy };
}

function createBundle(): Bundle {
  const cells = ['import cloister\ntable = cloister.read_csv("hospital/table")', 'print(len(table))'];
  const notebook = jcsBytes(
    canonicalNotebook({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: 'python3' } },
      cells: cells.map((source, at) => ({ cell_type: 'code', id: `c${at}`, metadata: {}, source, execution_count: null, outputs: [] }))
    })
  );
  const helper = toUtf8('def mean(values):\n    return sum(values) / len(values)\n');
  const files = new Map<string, Uint8Array>([['helper.py', helper], ['notebook.ipynb', notebook]]);
  return {
    header: {
      v: 1,
      entry: 'notebook.ipynb',
      files: [...files].map(([path, content]) => ({ path, size: content.length, digest: digestOf(content) })),
      environment: 'image',
      parameters: { folds: 5 },
      purpose: 'to show the format',
      salt: toBase64Url(testBytes('bundle salt')),
      timeoutSeconds: 120
    },
    files
  };
}

type ManifestParts = Omit<VectorWorld, 'manifest' | 'verifier'>;

async function manifestOf(parts: ManifestParts): Promise<Manifest> {
  const { analyst, analystIdentity, hospital, registry, bundle, sealedBundle } = parts;
  return {
    v: 1,
    id: '01975c3f-2a00-7000-8000-000000000001',
    step: 'main',
    analyst: analyst.thumbprint,
    notAfter: '2026-06-01T13:00:00.000Z',
    maxAttempts: 2,
    inputs: [hospital, registry].map(owner => ({ name: `${owner.name}/table`, asset: owner.descriptor.digest })),
    code: {
      digest: codeDigest(bundle.header),
      bundle: digestOf(sealedBundle),
      environment: 'image',
      parameters: parametersCommitment(bundle.header),
      custodians: [{ broker: hospital.broker.thumbprint, url: hospital.url, wrapped: toBase64Url(await wrapCode(parts, 'wrapped code', {})) }],
      runner: { verifiers: [SIMULATOR_ISSUER], images: [IMAGE], hardware: ['SIMULATED'], debug: false }
    },
    outputs: { recipients: [analystIdentity.recipient], reviewers: [] }
  };
}

/** The code's key as its analyst wraps it for the hospital's broker, or as a liar would. */
export async function wrapCode(
  { source, analyst, sealedBundle, bundleKey, hospital }: ManifestParts,
  name: string,
  lies: { readonly analyst?: string; readonly bundle?: Digest; readonly recipient?: string }
): Promise<Uint8Array<ArrayBuffer>> {
  const wrapped = WrappedCode.parse({
    v: 1, purpose: 'cloister/code/v1', analyst: lies.analyst ?? analyst.thumbprint, bundle: lies.bundle ?? digestOf(sealedBundle), fileKey: toBase64Url(bundleKey)
  });
  return source.seal(name, toUtf8(jcs(wrapped)), [lies.recipient ?? hospital.bundle.recipient]);
}
