import { AppError, type Digest } from '@cloister/protocol';
import type { Draft, Plan } from '../job/draft-job.js';

export interface ShelvedDraft {
  readonly plan: Plan;
  readonly draft: Draft;
}

/** Drafts that wait for a person's word. They hold whole bundles, so only the newest few are kept, in memory. */
export interface DraftShelf {
  readonly put: (shelved: ShelvedDraft) => void;
  /** @throws AppError not_found */
  readonly take: (job: Digest) => ShelvedDraft;
}

const MAX_DRAFTS = 8;

export function createDraftShelf(): DraftShelf {
  const drafts = new Map<Digest, ShelvedDraft>();
  return {
    put: shelved => {
      drafts.set(shelved.draft.manifest.digest, shelved);
      for (const oldest of drafts.keys()) {
        if (drafts.size <= MAX_DRAFTS) break;
        drafts.delete(oldest);
      }
    },
    take: job => {
      const shelved = drafts.get(job);
      if (shelved === undefined) throw new AppError('not_found', 'there is no such draft any more', { hint: 'Make it again: it shows what would be sent.' });
      drafts.delete(job);
      return shelved;
    }
  };
}
