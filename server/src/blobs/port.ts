import type { Digest } from '@cloister/protocol';

/** Names of blobs are made of digests and numbers only, never of words that a user chose. */
export type BlobName =
  | { readonly kind: 'bundle' | 'asset'; readonly digest: Digest }
  | { readonly kind: 'output'; readonly job: Digest; readonly attempt: number; readonly output: number | 'index' }
  | { readonly kind: 'report'; readonly job: Digest; readonly attempt: number };

/** What is to be deleted: a bundle, or everything that a job left behind. */
export type Garbage = { readonly kind: 'bundle'; readonly digest: Digest } | { readonly kind: 'job'; readonly job: Digest };

export interface StoredBlob {
  readonly size: number;
  /** Fails where the blob turns out shorter or longer than it was. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface BlobStore {
  /**
   * Stores bytes under a name that is written once. Nothing is there before all of it is: a stream that fails, or
   * whose digest is another one, leaves no trace. The same bytes again are fine, and `created` is false.
   * @throws AppError digest_mismatch | already_exists (other bytes have the name) | storage_full
   */
  put(name: BlobName, bytes: AsyncIterable<Uint8Array>, expected: Digest): Promise<{ readonly created: boolean; readonly size: number }>;
  open(name: BlobName): Promise<StoredBlob | undefined>;
  /** Deleting what is not there succeeds. */
  delete(garbage: Garbage): Promise<void>;
  /** @throws where nothing can be written */
  ping(): Promise<void>;
}
