import type { Digest, ShownCheck, Verdict } from '@cloister/protocol';

/** An owner as the reader's own trust names it; else by its key alone, whatever the report calls it. */
export interface IOwnerView {
  readonly key: string;
  readonly pinnedAs?: string;
}

export interface IInputView {
  /** What the owner signed as its name. */
  readonly asset: string;
  readonly owner: IOwnerView;
  readonly digest: string;
  readonly version: number;
  readonly kind: string;
  readonly mediaType: string;
  /** Bytes of the sealed file. */
  readonly size: number;
  /** Digest of the policy under which its key was released; absent where the statement names no such input. */
  readonly policy?: string;
  /** The policy itself, as JSON, where the report carries it. */
  readonly rules?: string;
  /** Name of whoever keeps its key. */
  readonly broker: string;
  readonly released?: string;
}

export interface IOutputView {
  readonly name: string;
  /** Of the sealed file. */
  readonly digest: string;
}

/** A broker that witnessed the report. */
export interface IWitnessView {
  /** Thumbprint of its key. */
  readonly broker: string;
  /** Owners of inputs whose keys it keeps, as the reader’s own trust names them. */
  readonly owners: readonly string[];
  readonly time: string;
}

/** What the report says of its run; worth what the verdict is worth. */
export interface IRunView {
  readonly job: Digest;
  readonly attempt: number;
  readonly outcome: 'succeeded' | 'failed';
  readonly failure?: string;
  readonly cells: { readonly done: number; readonly total: number };
  readonly code: string;
  readonly environment: string;
  readonly image: string;
  readonly analyst: string;
  readonly started: string;
  readonly ended: string;
  readonly notAfter: string;
  /** Until when the owners allowed it; absent where they set no end. */
  readonly allowedUntil?: string;
  readonly inputs: readonly IInputView[];
  readonly outputs: readonly IOutputView[];
  /** How many brokers had to release keys: so many could have witnessed. */
  readonly brokers: number;
  /** What the report carries; of this very report only where the check of that name passed. */
  readonly witnesses: readonly IWitnessView[];
}

/** By whose word a token counts, in the words of the reader’s own trust. */
export interface ISignerView {
  /** What the reader pinned the token’s issuer as; absent where she pinned none of that name. */
  readonly kind?: 'google' | 'intel' | 'simulator';
  /** The pinned key that signed; present only where key and signature passed. */
  readonly key?: { readonly id: string; readonly algorithm?: string; readonly source?: string; readonly seen?: string };
  /** The pinned root to which the signing key’s certificates lead; the same. */
  readonly root?: { readonly fingerprint: string; readonly source: string };
}

/** One claim of the token by its path, such as `submods.container.image_digest`. */
export interface IClaimView {
  readonly path: string;
  readonly value: string;
}

export interface ITokenView {
  readonly raw: string;
  readonly issuer?: string;
  readonly signer?: ISignerView;
  /** RFC 3339. */
  readonly issuedAt?: string;
  readonly expiresAt?: string;
  readonly header: readonly IClaimView[];
  readonly claims: readonly IClaimView[];
  /** Claims that were too many to list. */
  readonly leftOut: number;
}

/** All that the page shows of one verification. */
export interface IReportView {
  readonly verdict: Verdict;
  readonly checks: readonly ShownCheck[];
  /** Why it cannot be read as a report at all. */
  readonly unreadable?: string;
  readonly run?: IRunView;
  readonly token?: ITokenView;
}
