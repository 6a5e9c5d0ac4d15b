import { toBase64Url } from '../bytes/base64url.js';
import { digestOf } from '../bytes/digest.js';
import { jcs, jcsBytes } from '../bytes/jcs.js';
import { randomBytes, toUtf8 } from '../bytes/text.js';
import { codeDigest, encodeBundle, parametersCommitment, type Bundle } from '../objects/bundle.js';
import { DESCRIPTOR, type Descriptor } from '../objects/descriptor.js';
import { createId, toTime } from '../objects/ids.js';
import { MANIFEST, WrappedCode, type Manifest } from '../objects/manifest.js';
import { canonicalNotebook } from '../objects/notebook.js';
import { POLICY, Rule, type Policy } from '../objects/policy.js';
import type { AgeRecipient, Digest } from '../objects/primitives.js';
import { generateIdentity, headerLength, openHeader, recipientOf, sealBytes } from '../sealing/age-header.js';
import { createSigningKey, signerOf, type Signer } from '../signed/keys.js';
import { signObject, type Verified } from '../signed/signed-object.js';
import { SIMULATOR_ISSUER } from '../attestation/issuers.js';

export interface TestIdentity {
  readonly identity: string;
  readonly recipient: AgeRecipient;
}

/** One owner with one broker and one sealed asset. */
export interface TestOwner {
  readonly name: string;
  readonly owner: Signer;
  readonly broker: Signer;
  readonly url: string;
  readonly dataset: TestIdentity;
  readonly bundle: TestIdentity;
  readonly review: TestIdentity;
  readonly plaintext: Uint8Array;
  readonly sealed: Uint8Array;
  readonly fileKey: Uint8Array;
  readonly descriptor: Verified<Descriptor>;
  readonly policy: Verified<Policy>;
}

export interface TestWorld {
  readonly now: Date;
  readonly image: Digest;
  readonly analyst: Signer;
  readonly analystIdentity: TestIdentity;
  readonly owners: readonly TestOwner[];
  readonly bundle: Bundle;
  readonly sealedBundle: Uint8Array;
  readonly bundleKey: Uint8Array;
  readonly manifest: Verified<Manifest>;
}

export interface TestWorldOptions {
  readonly now?: Date;
  readonly image?: Digest;
  /** Names of owners; each has one asset called "table". */
  readonly owners?: readonly string[];
  readonly rule?: Partial<Rule>;
  readonly manifest?: Partial<Manifest>;
  /** Sources of the notebook's code cells. */
  readonly cells?: readonly string[];
}

export async function createTestIdentity(): Promise<TestIdentity> {
  const identity = await generateIdentity();
  return { identity, recipient: await recipientOf(identity) };
}

export async function createTestSigner(): Promise<Signer> {
  return signerOf(await createSigningKey());
}

/** Everything of one job, really signed and sealed, for tests. */
export async function createTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  const now = options.now ?? new Date();
  const image = options.image ?? digestOf(toUtf8('test image'));
  const analyst = await createTestSigner();
  const analystIdentity = await createTestIdentity();
  const owners = await Promise.all((options.owners ?? ['hospital']).map(name => createTestOwner(name, { analyst, image, rule: options.rule ?? {} })));
  const bundle = createTestBundle(options.cells ?? ['print("hello")']);
  const sealedBundle = await sealBytes(encodeBundle(bundle), [analystIdentity.recipient]);
  const bundleKey = await openHeader(sealedBundle.slice(0, headerLength(sealedBundle)), analystIdentity.identity);
  const manifest = await signManifest({ now, image, analyst, analystIdentity, owners, bundle, sealedBundle, bundleKey, overrides: options.manifest ?? {} });
  return { now, image, analyst, analystIdentity, owners, bundle, sealedBundle, bundleKey, manifest };
}

export function createTestBundle(cells: readonly string[]): Bundle {
  const notebook = canonicalNotebook({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3' } },
    cells: cells.map((source, at) => ({ cell_type: 'code', id: `c${at}`, metadata: {}, source, execution_count: null, outputs: [] }))
  });
  const content = toUtf8(jcs(notebook));
  const path = 'notebook.ipynb';
  return {
    header: {
      v: 1,
      entry: path,
      files: [{ path, size: content.length, digest: digestOf(content) }],
      environment: 'image',
      parameters: {},
      purpose: 'a test',
      salt: toBase64Url(randomBytes(32)),
      timeoutSeconds: 120
    },
    files: new Map([[path, content]])
  };
}

export async function createTestOwner(
  name: string,
  context: { readonly analyst: Signer; readonly image: Digest; readonly rule?: Partial<Rule>; readonly plaintext?: Uint8Array }
): Promise<TestOwner> {
  const [owner, broker] = [await createTestSigner(), await createTestSigner()];
  const [dataset, bundle, review] = [await createTestIdentity(), await createTestIdentity(), await createTestIdentity()];
  const url = `http://${name}.cloister.localhost`;
  const plaintext = context.plaintext ?? toUtf8(`id,value\n1,${name}\n`);
  const sealed = await sealBytes(plaintext, [dataset.recipient]);
  const header = sealed.slice(0, headerLength(sealed));
  const descriptor = await signObject(
    DESCRIPTOR,
    {
      v: 1, owner: owner.thumbprint, name: 'table', version: 1, kind: 'dataset', mediaType: 'text/csv', size: sealed.length, digest: digestOf(sealed),
      custodians: [{ broker: broker.thumbprint, url, recipients: { bundle: bundle.recipient, review: review.recipient }, wrapped: toBase64Url(header) }]
    },
    owner
  );
  const rule = createTestRule({ analysts: [context.analyst.thumbprint], images: [context.image], ...context.rule });
  const policy = await signObject(POLICY, { v: 1, version: 1, asset: { owner: owner.thumbprint, name: 'table' }, allow: [rule] }, owner);
  const fileKey = await openHeader(header, dataset.identity);
  return { name, owner, broker, url, dataset, bundle, review, plaintext, sealed, fileKey, descriptor, policy };
}

/** A rule that allows the simulator and nothing unusual. */
export function createTestRule(overrides: Partial<Rule>): Rule {
  return Rule.parse({
    id: 'test', verifiers: [SIMULATOR_ISSUER], images: [], envOverrides: 'any', hardware: ['SIMULATED'], debug: false, attributes: 'any', projects: 'any', analysts: [],
    code: 'any', environments: 'any', parameters: 'any', inputs: 'any', condition: 'true', outputs: 'release', reviewers: [], maxOutputBytes: 'any', isolation: 'sandbox',
    uses: 'any', attempts: 'any', expires: 'any', ...overrides
  });
}

interface ManifestParts extends Omit<TestWorld, 'manifest'> {
  readonly overrides: Partial<Manifest>;
}

async function signManifest(parts: ManifestParts): Promise<Verified<Manifest>> {
  const bundleDigest = digestOf(parts.sealedBundle);
  const custodians = await Promise.all(
    parts.owners.map(async owner => {
      const wrapped = WrappedCode.parse({ v: 1, purpose: 'cloister/code/v1', analyst: parts.analyst.thumbprint, bundle: bundleDigest, fileKey: toBase64Url(parts.bundleKey) });
      return { broker: owner.broker.thumbprint, url: owner.url, wrapped: toBase64Url(await sealBytes(jcsBytes(wrapped), [owner.bundle.recipient])) };
    })
  );
  const manifest: Manifest = {
    v: 1,
    id: createId(parts.now),
    step: 'main',
    analyst: parts.analyst.thumbprint,
    notAfter: toTime(new Date(parts.now.getTime() + 3_600_000)),
    maxAttempts: 2,
    inputs: parts.owners.map(owner => ({ name: `${owner.name}/table`, asset: owner.descriptor.digest })),
    code: {
      digest: codeDigest(parts.bundle.header), bundle: bundleDigest, environment: 'image', parameters: parametersCommitment(parts.bundle.header), custodians,
      runner: { verifiers: [SIMULATOR_ISSUER], images: [parts.image], hardware: ['SIMULATED'], debug: false }
    },
    outputs: { recipients: [parts.analystIdentity.recipient], reviewers: [] },
    ...parts.overrides
  };
  return signObject(MANIFEST, manifest, parts.analyst);
}

