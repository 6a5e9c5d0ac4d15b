import { AppError, KeySet, VERIFIER_ADDRESSES, fromUtf8, parseJson, readKeySet, type PublishingVerifier } from '@cloister/protocol';
import * as z from 'zod/mini';
import type { Clock } from '../clock.js';
import type { Logger } from '../logger.js';
import { readPrivateFileIfThere, replacePrivateFile } from '../private-files.js';
import { SKEW_MS, USABLE_MS } from './published-keys.js';

export type KeptKeys = { readonly [K in PublishingVerifier]?: readonly KeySet[] | undefined };

/** Where keys outlive the process. */
export interface KeyStore {
  /** What was kept and can be believed; empty where there is nothing of that kind. */
  readonly load: () => Promise<KeptKeys>;
  readonly save: (kept: KeptKeys) => Promise<void>;
}

const Sets = z.optional(z.array(KeySet).check(z.maxLength(256)));
const KeyFile = z.strictObject({ v: z.literal(1), google: Sets, intel: Sets });

/**
 * A private file. Who can write it can put a key in it, so one that others could write, and one that says what we never write, is
 * ignored as a whole: then the keys are fetched anew, or nothing is verified.
 */
export function createKeyFile(path: string, { clock, logger }: { readonly clock: Pick<Clock, 'now'>; readonly logger: Logger }): KeyStore {
  return {
    load: async () => {
      try {
        const bytes = await readPrivateFileIfThere(path);
        if (bytes === undefined) return {};
        const kept = parseKept(bytes, clock.now());
        warnOfOld(kept, clock.now(), logger);
        return kept;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        logger.warn({ file: path, code: error.code, reason: error.detail }, 'the kept keys of verifiers are ignored');
        return {};
      }
    },
    save: async ({ google, intel }) => {
      const members = { ...(google === undefined ? {} : { google }), ...(intel === undefined ? {} : { intel }) };
      await replacePrivateFile(path, JSON.stringify({ v: 1, ...members }));
    }
  };
}

function parseKept(bytes: Uint8Array, now: Date): KeptKeys {
  const parsed = KeyFile.safeParse(parseJson(fromUtf8(bytes)));
  if (!parsed.success) throw new AppError('invalid_object', 'it is not of the form in which keys are kept');
  const { google = [], intel = [] } = parsed.data;
  google.forEach(set => requireOurs(set, 'google', now));
  intel.forEach(set => requireOurs(set, 'intel', now));
  return { google, intel };
}

/** Only what a look could have given: the pinned address, a time that was, keys that count. */
function requireOurs(set: KeySet, kind: PublishingVerifier, now: Date): void {
  const { jwks, algorithms } = VERIFIER_ADDRESSES[kind];
  if (set.source !== jwks) throw new AppError('invalid_object', 'it holds keys from another address');
  if (Date.parse(set.seen) > now.getTime() + SKEW_MS) throw new AppError('invalid_object', 'it holds keys from the future');
  const { keys, dropped } = readKeySet({ keys: set.keys }, algorithms);
  if (dropped.length > 0 || keys.length !== set.keys.length || keys.length === 0) throw new AppError('invalid_object', 'it holds keys that do not count');
}

function warnOfOld({ google = [], intel = [] }: KeptKeys, now: Date, logger: Logger): void {
  for (const sets of [google, intel]) {
    const newest = sets.reduce((latest, set) => Math.max(latest, Date.parse(set.seen)), -Infinity);
    if (sets.length === 0 || now.getTime() - newest <= USABLE_MS) continue;
    logger.warn({ seen: new Date(newest).toISOString() }, 'the kept keys of a verifier are too old to be used');
  }
}
