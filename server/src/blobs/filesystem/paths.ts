import { join } from 'node:path';
import type { Digest } from '@cloister/protocol';
import type { BlobName, Garbage } from '../port.js';

/**
 * Where a blob lies below the store's root. Two letters of the digest come first, so that no folder grows without
 * bounds; nothing in a path comes from a user.
 */
export function pathOf(name: BlobName): string {
  switch (name.kind) {
    case 'bundle':
    case 'asset':
      return join(`${name.kind}s`, ...shard(name.digest));
    case 'output':
      return join('jobs', ...shard(name.job), `${name.attempt}-${name.output}`);
    case 'report':
      return join('jobs', ...shard(name.job), `${name.attempt}-report`);
  }
}

/** The file of a bundle, or the folder of all that a job left. */
export function placeOf(garbage: Garbage): string {
  return garbage.kind === 'job' ? join('jobs', ...shard(garbage.job)) : pathOf(garbage);
}

function shard(digest: Digest): [string, string] {
  const hex = digest.slice('sha256:'.length);
  return [hex.slice(0, 2), hex];
}
