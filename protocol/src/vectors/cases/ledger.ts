import { digestOfJson } from '../../bytes/digest.js';
import type { Json } from '../../bytes/json.js';
import { CODE_OBLIGATIONS } from '../../policy/obligations.js';
import { LEDGER_HEAD, LedgerEntry, type LedgerHead } from '../../objects/release.js';
import { SIMULATOR_ISSUER } from '../../attestation/issuers.js';
import { signObject } from '../../signed/signed-object.js';
import { testSigner } from '../fixtures.js';
import { toJson, type Draft, type FileDraft } from '../format.js';
import { IMAGE, INSTANCE, OTHER, type VectorWorld } from '../world.js';

interface VectorLedger {
  readonly entries: readonly LedgerEntry[];
  readonly headPayload: LedgerHead;
  readonly head: string;
}

/** One entry of every kind, chained. */
export async function ledgerOf({ hospital, manifest, analyst }: VectorWorld): Promise<VectorLedger> {
  const job = manifest.digest;
  const { code } = manifest.payload;
  const grants = [{ bundle: code.bundle, obligations: CODE_OBLIGATIONS }];
  const bodies = [
    { kind: 'descriptor', asset: hospital.descriptor.digest, name: 'table' },
    { kind: 'policy', asset: 'table', policy: hospital.policy.digest, version: 1 },
    { kind: 'approval', approval: OTHER, code: code.digest, decision: 'approved' },
    { kind: 'release', job, attempt: 1, analyst: analyst.thumbprint, session: 'A'.repeat(43), instance: INSTANCE, image: IMAGE, issuer: SIMULATOR_ISSUER, sharesDigest: OTHER, grants },
    { kind: 'denial', job, attempt: 2, analyst: analyst.thumbprint, reasons: [{ asset: hospital.descriptor.digest, code: 'uses_exhausted', expected: 3, actual: 3 }] },
    { kind: 'witness', job, attempt: 1, session: 'A'.repeat(43), statement: OTHER },
    { kind: 'conflict', job, attempt: 1, session: 'A'.repeat(43), statement: digestOfJson('another'), witnessed: OTHER },
    { kind: 'recovery', asset: 'table', policy: hospital.policy.digest, lost: 'entries after 4' }
  ];
  const entries: LedgerEntry[] = [];
  for (const [at, body] of bodies.entries()) {
    const last = entries.at(-1);
    entries.push(LedgerEntry.parse({ v: 1, seq: at + 1, time: `2026-06-01T12:00:0${at}.000Z`, previous: last === undefined ? 'none' : digestOfJson(last), ...body }));
  }
  const end = entries.at(-1);
  const headPayload: LedgerHead = { v: 1, broker: hospital.broker.thumbprint, seq: entries.length, entry: digestOfJson(end), time: '2026-06-01T12:01:00.000Z' };
  return { entries, headPayload, head: (await signObject(LEDGER_HEAD, headPayload, hospital.broker)).jws };
}

export async function ledgerFile(world: VectorWorld): Promise<FileDraft> {
  const { entries, headPayload, head } = await ledgerOf(world);
  const all = toJson(entries);
  const { broker } = world.hospital;
  const list = Array.isArray(all) ? all : [];
  const cut = (await signObject(LEDGER_HEAD, { ...headPayload, seq: 5 }, broker)).jws;
  const verify = (name: string, changes: object, error?: 'ledger_broken' | 'wrong_signer'): Draft => ({
    name, operation: 'verifyLedger', input: { entries: list, head, broker: broker.thumbprint, ...changes }, ...(error === undefined ? {} : { expect: { error } })
  });
  const shape = (name: string, at: number, changes: Record<string, Json>): Draft => ({
    name, operation: 'requireShape', input: { shape: 'ledger-entry', value: { ...toMembers(list[at]), ...changes } }, expect: { error: 'invalid_object' }
  });
  return {
    kind: 'ledger',
    about: 'A broker’s record: entries chained by `previous`, the digest of the canonical entry before ("none" for entry 1), and a signed head.',
    specs: ['RFC 8785'],
    cases: [
      verify('one entry of every kind', {}),
      verify('an entry changed', { entries: list.map((entry, at) => (at === 2 ? { ...toMembers(entry), decision: 'refused' } : entry)) }, 'ledger_broken'),
      verify('an entry left out', { entries: list.filter((_, at) => at !== 4) }, 'ledger_broken'),
      verify('two entries in the other order', { entries: list.toSpliced(3, 2, list[4] ?? null, list[3] ?? null) }, 'ledger_broken'),
      verify('the last entry cut off', { entries: list.slice(0, -1) }, 'ledger_broken'),
      verify('an entry put in front', { entries: [list[0], ...list] }, 'ledger_broken'),
      verify('a head that the broker signed of another chain', { head: cut }, 'ledger_broken'),
      verify('a head by another key', { head: (await signObject(LEDGER_HEAD, headPayload, await testSigner('stranger'))).jws }, 'wrong_signer'),
      shape('an entry of no known kind', 0, { kind: 'note' }),
      shape('an entry with a member of another kind', 0, { job: OTHER }),
      shape('an entry that names nothing before it', 1, { previous: '' })
    ]
  };
}

function toMembers(value: Json | undefined): Record<string, Json> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value;
}
