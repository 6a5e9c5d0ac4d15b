import { fromBase64, fromBase64Url, toBase64, toBase64Url } from '../bytes/base64url.js';
import { digestOf, labelledHash, sha256Bytes } from '../bytes/digest.js';
import { jcs } from '../bytes/jcs.js';
import { parseJson, type Json } from '../bytes/json.js';
import { compareUtf8, toUtf8 } from '../bytes/text.js';
import { isObject } from '../attestation/token.js';
import { REPORT_AUDIENCE, sessionNonce } from '../objects/release.js';
import { Report } from '../objects/report.js';
import { createAppraisal } from '../policy/appraisal.js';
import { outputCommitment } from '../report/output-commitment.js';
import { verifyReport } from '../report/verify.js';
import type { Signer } from '../signed/keys.js';
import { createTestReport, createTestVerifier, createTestWorld, TEST_TIME, type TestReport, type TestVerifier, type TestWorld } from '../testing/index.js';
import { writeJson } from './json-mutations.js';

/** What of a report somebody signs, or the runner states. */
export const PART_NAMES = ['descriptor', 'policy', 'manifest', 'session', 'receipt', 'index', 'statement', 'witness'] as const;
export type PartName = (typeof PART_NAMES)[number];

/** One lie of whoever may sign a part. Parts of which there are several: the first one lies. */
export interface Lie {
  readonly part: PartName;
  readonly apply: (document: Json) => Json;
  /** Written otherwise than canonically: the order of its members is the lie. */
  readonly order?: 'as given';
}

/** A report as a file holds it, and the opened index that lies beside it. */
export interface MadeReport {
  readonly text: string;
  readonly index: Uint8Array;
}

export interface ReportSubject {
  readonly kind: string;
  /** The parts as they are, to make mutations of. */
  readonly parts: Readonly<Record<PartName, Json>>;
  /** The whole report again, every signature new, with one lie in it that everybody after the liar takes for the truth. */
  readonly make: (lie?: Lie) => Promise<MadeReport>;
  /** Whether a reader who demands much, and has the outputs, takes it for a report of this verifier. */
  readonly isAccepted: (report: MadeReport) => Promise<boolean>;
  readonly signerOf: (part: 'descriptor' | 'policy' | 'manifest' | 'receipt' | 'witness') => Signer;
}

export interface ReportSubjectOptions {
  readonly verifier: 'google' | 'simulator';
  readonly token: 'oidc' | 'pki';
}

/** A valid report of a run over two owners' data, with its policies, witnesses and outputs. */
export async function createReportSubject({ verifier: kind, token }: ReportSubjectOptions): Promise<ReportSubject> {
  const verifier = await createTestVerifier({ kind });
  const world = await createTestWorld({ now: TEST_TIME, owners: ['hospital', 'registry'], rule: { maxOutputBytes: 1000, expires: '2027-01-01T00:00:00.000Z' } });
  const honest = await createTestReport(world, verifier);
  const files = new Map([...honest.opened].map(([path, bytes]) => [path, digestOf(bytes)]));
  const trust = {
    v: 1 as const,
    owners: world.owners.map(owner => ({ thumbprint: owner.owner.thumbprint, name: owner.name })),
    verifiers: [verifier.pinned],
    images: [{ image: world.image, source: 'a test' }]
  };
  const hardware = kind === 'google' ? 'GCP_INTEL_TDX' : 'SIMULATED';
  const policy = createAppraisal({ verifiers: [verifier.pinned.issuer], images: [world.image], projects: ['test'], hardware: [hardware] });
  const sealed = new Map([...honest.sealed].map(([name, bytes]) => [name, digestOf(bytes)]));
  const maker = new ReportMaker(world, honest, { verifier, token, hardware });
  return {
    kind: `${kind} ${token.toUpperCase()}`,
    parts: partsOf(await maker.make()),
    make: lie => maker.make(lie),
    signerOf: part => maker.signerOf(part, 0),
    isAccepted: async ({ text, index }) => {
      const { verdict } = await verifyReport(parseJson(text), { trust, policy, now: TEST_TIME, outputs: { sealed, opened: { index, files } }, expect: { attempt: 1 } });
      return verdict === (kind === 'google' ? 'verified' : 'simulated');
    }
  };
}

/** Compact JWS over any text, in the form of signed objects. */
export async function signText(kind: string, text: string, signer: Signer, header = headerOf(kind, signer)): Promise<string> {
  const input = [header, text].map(part => toBase64Url(toUtf8(part))).join('.');
  return `${input}.${toBase64Url(new Uint8Array(await crypto.subtle.sign('Ed25519', signer.key, toUtf8(input))))}`;
}

/** The exact header of a signed object of this kind. */
export const headerOf = (kind: string, { jwk }: Signer): string => jcs({ alg: 'EdDSA', jwk, typ: `cloister.${kind}.v1+jws` });

/** What later parts say of earlier ones, by its old value: digests, and nonces. */
type Links = Map<string, string>;

interface How extends Pick<ReportSubjectOptions, 'token'> {
  readonly verifier: TestVerifier;
  readonly hardware: string;
}

/** Makes one report over and over. Each part is linked to those before it, then changed if it lies, then signed. */
class ReportMaker {
  private readonly world: TestWorld;
  private readonly how: How;
  private readonly honest: TestReport;
  /** Ed25519 signs equal texts equally, and most parts are the same each time. */
  private readonly signed = new Map<string, Promise<string>>();

  constructor(world: TestWorld, honest: TestReport, how: How) {
    this.world = world;
    this.honest = honest;
    this.how = how;
  }

  signerOf(part: 'descriptor' | 'policy' | 'manifest' | 'receipt' | 'witness', at: number): Signer {
    const owner = this.world.owners[at];
    if (owner === undefined) throw new Error('the world has no such owner');
    if (part === 'manifest') return this.world.analyst;
    return part === 'descriptor' || part === 'policy' ? owner.owner : owner.broker;
  }

  async make(lie?: Lie): Promise<MadeReport> {
    const { report, session, index, statement } = this.honest;
    const links: Links = new Map();
    const descriptors = await this.signAll('descriptor', report.descriptors, { links, lie });
    const policies = await this.signAll('policy', this.world.owners.map(owner => owner.policy.jws), { links: new Map(), lie });
    const manifestText = written(this.manifest(), 'manifest', { links, lie });
    const manifest = await this.sign('manifest', manifestText, this.world.analyst);
    links.set(this.world.manifest.digest, digestOf(toUtf8(manifestText)));
    const sessionText = written(copy(session), 'session', { links, lie });
    links.set(sessionNonce(report.session), sessionNonce(sessionText));
    const receipts = await this.signAll('receipt', report.receipts, { links, lie });
    const newIndex = toUtf8(written(parseJson(index), 'index', { links, lie }));
    links.set(commitmentOf(index, index), commitmentOf(newIndex, index));
    const newStatement = written(sortReceipts(relinked(copy(statement), links)), 'statement', { links: new Map(), lie });
    links.set(digestOf(fromBase64(report.statement)), digestOf(toUtf8(newStatement)));
    const witnesses = await this.signAll('witness', report.witnesses, { links, lie });
    const token = await this.attest(newStatement);
    const made = { v: 1, statement: toBase64(toUtf8(newStatement)), tokens: [token], session: sessionText, manifest, descriptors, receipts, policies, witnesses };
    return { text: JSON.stringify(made), index: newIndex };
  }

  /** The world's own manifest, for the verifier at hand. */
  private manifest(): Json {
    const { payload } = this.world.manifest;
    const { issuer } = this.how.verifier.pinned;
    return copy({ ...payload, code: { ...payload.code, runner: { verifiers: [issuer], images: [this.world.image], hardware: [this.how.hardware], debug: false } } });
  }

  private attest(statement: string): Promise<string> {
    const { verifier, token } = this.how;
    const nonces = [labelledHash('cloister/report/v1', toUtf8(statement))];
    return verifier.mint({ audience: REPORT_AUDIENCE, nonces, image: this.world.image, instance: 'job-1', issuedAt: new Date(TEST_TIME.getTime() + 10_000), kind: token });
  }

  private sign(part: string, text: string, signer: Signer): Promise<string> {
    const name = [part, signer.thumbprint, text].join(' ');
    const jws = this.signed.get(name) ?? signText(part, text, signer);
    this.signed.set(name, jws);
    return jws;
  }

  private async signAll(part: 'descriptor' | 'policy' | 'receipt' | 'witness', objects: readonly string[], { links, lie }: Writing): Promise<string[]> {
    const signed = await Promise.all(
      objects.map(async (jws, at) => {
        const text = written(payloadOf(jws), part, { links, lie: at === 0 ? lie : undefined });
        return { jws: await this.sign(part, text, this.signerOf(part, at)), was: digestOf(payloadBytesOf(jws)), is: digestOf(toUtf8(text)) };
      })
    );
    for (const { was, is } of signed) links.set(was, is);
    return signed.map(({ jws }) => jws);
  }
}

interface Writing {
  readonly links: Links;
  readonly lie: Lie | undefined;
}

/** A part's text: what was made before it put in, then the lie. */
function written(document: Json, part: PartName, { links, lie }: Writing): string {
  const linked = relinked(document, links);
  return lie?.part === part ? writeJson(lie.apply(linked), lie.order ?? 'canonical') : writeJson(linked, 'canonical');
}

function partsOf({ text, index }: MadeReport): Record<PartName, Json> {
  const { statement, session, manifest, ...lists } = Report.parse(JSON.parse(text));
  const first = (list: readonly string[] | undefined): Json => payloadOf(list?.[0] ?? '');
  return {
    descriptor: first(lists.descriptors),
    policy: first(lists.policies),
    manifest: payloadOf(manifest),
    session: parseJson(session),
    receipt: first(lists.receipts),
    index: parseJson(index),
    statement: parseJson(fromBase64(statement)),
    witness: first(lists.witnesses)
  };
}

const payloadBytesOf = (jws: string): Uint8Array => fromBase64Url(jws.split('.')[1] ?? '');
const payloadOf = (jws: string): Json => parseJson(payloadBytesOf(jws));
const copy = (value: object): Json => parseJson(jcs(value));

function relinked(value: Json, links: Links): Json {
  if (typeof value === 'string') return links.get(value) ?? value;
  if (Array.isArray(value)) return value.map(item => relinked(item, links));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, relinked(member, links)])) : value;
}

/** New digests have another order than the old ones, and a statement lists its receipts sorted. */
function sortReceipts(statement: Json): Json {
  if (!isObject(statement) || !isObject(statement['predicate'])) throw new Error('not a statement');
  const { receipts } = statement['predicate'];
  const sorted = Array.isArray(receipts) ? receipts.map(String).sort(compareUtf8) : [];
  return { ...statement, predicate: { ...statement['predicate'], receipts: sorted } };
}

/** The index's commitment, under its own salt; under the honest one where its own is none. */
function commitmentOf(index: Uint8Array, honest: Uint8Array): string {
  const salt = /"salt":"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])","v"/;
  const [own, other] = [index, honest].map(bytes => salt.exec(new TextDecoder().decode(bytes))?.[1]);
  return outputCommitment(fromBase64Url(own ?? other ?? ''), sha256Bytes(index));
}

