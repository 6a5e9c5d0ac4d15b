import type { Kysely } from 'kysely';

/**
 * The broker's tables. Signed objects are kept as the owner or analyst signed them and verified again whenever they
 * are read, so that whoever edits the database forges nothing.
 */
export interface Tables {
  /** What belongs to the store as a whole: whose it is, and when it was last found restored from a backup. */
  readonly facts: { readonly name: FactName; readonly value: string };
  readonly descriptors: { readonly asset: string; readonly name: string; readonly version: number; readonly jws: string };
  /** All versions; the highest of a name is in force. */
  readonly policies: { readonly name: string; readonly version: number; readonly policy: string; readonly jws: string };
  readonly approvals: {
    readonly approval: string;
    /** Digest of what is approved or refused. */
    readonly subject: string;
    readonly jws: string;
    /** 1 where a restored backup made it unclear whether it was revoked since. */
    readonly voided: number;
  };
  readonly challenges: {
    readonly challenge: string;
    readonly job: string;
    readonly attempt: number;
    readonly analyst: string;
    readonly manifest: string;
    readonly created_at: string;
    readonly expires_at: string;
  };
  /** One row per job and rule: `expires_at` is set while the use is merely reserved. */
  readonly uses: { readonly name: string; readonly rule: string; readonly job: string; readonly expires_at: string | null };
  readonly attempts: { readonly name: string; readonly rule: string; readonly job: string; readonly attempt: number };
  /** Which keys an attempt was released to. Rows are never changed or removed. */
  readonly bindings: { readonly job: string; readonly attempt: number; readonly recipient: string; readonly key: string };
  /** Replies by session nonce, for retries. They are sealed to the session's recipient. */
  readonly replies: { readonly session: string; readonly sealed: string };
  /** By which rule of which policy a session got an asset's key. */
  readonly terms: { readonly session: string; readonly asset: string; readonly policy: string; readonly rule: string };
  /** Statements that verified: one of an attempt has a witness, others contradict it. */
  readonly witnesses: { readonly statement: string; readonly job: string; readonly attempt: number; readonly jws: string | null };
  readonly ledger: { readonly seq: number; readonly digest: string; readonly entry: string };
  /** Assets that a restored backup put out of service, until a policy above `version` arrives. */
  readonly rollbacks: { readonly name: string; readonly version: number };
  readonly proofs: { readonly jti: string; readonly expires_at: string };
}

export type FactName = 'owner' | 'broker' | 'restored_at';

/** The database, or one transaction of it. */
export type Store = Kysely<Tables>;
