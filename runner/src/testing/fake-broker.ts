import {
  AppError,
  BROKER_ROUTES,
  CODE_OBLIGATIONS,
  DENIAL,
  Grant,
  MANIFEST,
  Obligations,
  RECEIPT,
  Receipt,
  Report,
  Share,
  WITNESS,
  defineSignedKind,
  digestOf,
  digestOfJson,
  fromBase64,
  jcsBytes,
  obligationsOf,
  parseSession,
  randomBytes,
  sealBytes,
  sessionNonce,
  signObject,
  toBase64Url,
  toTime,
  verifyObject,
  type AgeRecipient,
  type CompactJws,
  type Session,
  type Signer,
  type Witness
} from '@cloister/protocol';
import type { TestOwner, TestWorld } from '@cloister/protocol/testing';
import * as z from 'zod/mini';
import type { Binding } from './route-server.js';

/** How this broker, or whoever answers in its place, misbehaves. */
export interface BrokerLies {
  /** Signs receipts in the broker's stead. */
  readonly signer?: Signer;
  /** Replaces members of the receipt before it is signed, also by ones that no receipt has. */
  readonly receipt?: (honest: Receipt) => Readonly<Record<string, unknown>>;
  /** Shares that are sealed; the receipt's digest stays that of the honest ones. */
  readonly shares?: (honest: readonly Share[]) => readonly Share[];
  /** Shares and grants alike, so that the receipt still fits them. */
  readonly contents?: (honest: { shares: Share[]; grants: Grant[] }) => { shares: Share[]; grants: Grant[] };
  readonly recipient?: AgeRecipient;
  readonly obligations?: Readonly<Partial<Obligations>>;
  /** Called at each challenge, and may throw. */
  readonly atChallenge?: (times: number) => void | Promise<void>;
  readonly atRelease?: (times: number) => void | Promise<void>;
  /** Called at each report, and may throw or never answer. */
  readonly atReport?: (times: number) => void | Promise<void>;
  /** Replaces members of the witness before it is signed. */
  readonly witness?: (honest: Witness) => Partial<Witness>;
}

const ChallengeBody = z.object({ manifest: z.string() });
const ReportBody = z.object({ report: Report });
const ReleaseBody = z.object({ session: z.string(), tokens: z.array(z.string()) });
/** Receipts as nobody should send them. */
const LOOSE_RECEIPT = defineSignedKind(RECEIPT.kind, z.looseObject({}));

export interface FakeBroker {
  readonly bindings: readonly Binding[];
  /** Texts of the sessions that were shown. */
  readonly sessions: string[];
  readonly challenges: string[];
  /** Reports that it was asked to witness. */
  readonly reports: Report[];
}

/** A broker that grants whatever its descriptor and the manifest name it for, with real keys, seals and receipts. */
export function createFakeBroker(world: TestWorld, owner: TestOwner, lies: BrokerLies = {}): FakeBroker {
  const sessions: string[] = [];
  const challenges: string[] = [];
  const reports: Report[] = [];
  const handleChallenge = async (body: unknown): Promise<unknown> => {
    challenges.push(toBase64Url(randomBytes(32)));
    await lies.atChallenge?.(challenges.length);
    await verifyObject(MANIFEST, ChallengeBody.parse(body).manifest, world.analyst.thumbprint);
    return { challenge: challenges.at(-1), expiresAt: toTime(new Date(Date.now() + 60_000)) };
  };
  const handleRelease = async (body: unknown): Promise<unknown> => {
    const { session } = ReleaseBody.parse(body);
    sessions.push(session);
    await lies.atRelease?.(sessions.length);
    const parsed = parseSession(session);
    const own = parsed.challenges.filter(({ broker }) => broker === owner.broker.thumbprint);
    if (own.length !== 1 || !challenges.includes(own[0]?.challenge ?? '')) throw new AppError('challenge_unknown', 'not mine');
    return { sealed: toBase64Url(await releaseFor(world, owner, { session, parsed, lies })) };
  };
  const handleReport = async (body: unknown): Promise<unknown> => {
    const { report } = ReportBody.parse(body);
    reports.push(report);
    await lies.atReport?.(reports.length);
    const { job, attempt } = parseSession(report.session);
    const statement = digestOf(fromBase64(report.statement));
    const honest: Witness = { v: 1, job, attempt, session: sessionNonce(report.session), statement, time: toTime(new Date()) };
    return { witness: (await signObject(WITNESS, { ...honest, ...lies.witness?.(honest) }, lies.signer ?? owner.broker)).jws };
  };
  return {
    sessions,
    challenges,
    reports,
    bindings: [
      { route: BROKER_ROUTES.createChallenge, handle: async ({ body }) => handleChallenge(body) },
      { route: BROKER_ROUTES.createRelease, handle: async ({ body }) => handleRelease(body) },
      { route: BROKER_ROUTES.createWitness, handle: async ({ body }) => handleReport(body) }
    ]
  };
}

async function releaseFor(
  world: TestWorld,
  owner: TestOwner,
  { session, parsed, lies }: { readonly session: string; readonly parsed: Session; readonly lies: BrokerLies }
): Promise<Uint8Array> {
  const honest = contentsOf(world, owner, lies);
  const { shares, grants } = lies.contents?.(honest) ?? honest;
  const receipt = Receipt.parse({
    v: 1, job: parsed.job, attempt: parsed.attempt, session: sessionNonce(session), instance: 'job-1', time: toTime(new Date()),
    ledger: digestOfJson('entry'), sharesDigest: digestOfJson(shares), grants
  });
  const signer = lies.signer ?? owner.broker;
  const { jws } = await signObject(LOOSE_RECEIPT, { ...receipt, ...lies.receipt?.(receipt) }, signer);
  return sealBytes(jcsBytes({ shares: lies.shares?.(shares) ?? shares, receipt: jws }), [lies.recipient ?? parsed.recipient]);
}

function contentsOf(world: TestWorld, owner: TestOwner, lies: BrokerLies): { shares: Share[]; grants: Grant[] } {
  const { inputs, code } = world.manifest.payload;
  const [rule] = owner.policy.payload.allow;
  const own = world.owners.filter(({ descriptor }) => descriptor.payload.custodians[0].broker === owner.broker.thumbprint);
  const granted = own.filter(({ descriptor }) => inputs.some(({ asset }) => asset === descriptor.digest));
  const obligations = Obligations.parse({ ...(rule === undefined ? CODE_OBLIGATIONS : obligationsOf(rule)), ...lies.obligations });
  const shares = granted.map(item => Share.parse({ asset: item.descriptor.digest, fileKey: toBase64Url(item.fileKey) }));
  const grants = granted.map(item => Grant.parse({ asset: item.descriptor.digest, policy: item.policy.digest, obligations }));
  if (!code.custodians.some(({ broker }) => broker === owner.broker.thumbprint)) return { shares, grants };
  return {
    shares: [...shares, Share.parse({ bundle: code.bundle, fileKey: toBase64Url(world.bundleKey) })],
    grants: [...grants, Grant.parse({ bundle: code.bundle, obligations: CODE_OBLIGATIONS })]
  };
}

/** A refusal with the broker's signed word, as a real one answers. */
export async function denialBy(signer: Signer, world: TestWorld): Promise<AppError> {
  const denial = { v: 1 as const, job: world.manifest.digest, time: toTime(new Date()), denials: [{ code: 'uses_exhausted' }] };
  const { jws }: { jws: CompactJws } = await signObject(DENIAL, denial, signer);
  return new AppError('uses_exhausted', 'no uses are left', { members: { denials: jws } });
}
