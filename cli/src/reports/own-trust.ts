import { access } from 'node:fs/promises';
import { NO_TRUST, readAppraisal, readTrust } from '@cloister/agent';
import { AppError, type AppraisalPolicy, type Trust } from '@cloister/protocol';
import type { CliContext } from '../context.js';
import { shellWord } from '../terminal/shell-word.js';

const TRUST_HINT = 'A trust file of an older version has another shape: move it away, and pin anew by `cloister trust add`, or the demo’s by `npm run demo`.';
const POLICY_HINT = 'A policy of an older version has other members: `cloister trust policy NEW.json` writes one to compare it with.';

export interface TrustFlags {
  readonly trust?: string;
  readonly policy?: string;
}

/** What the person at this machine trusts and demands. Nothing is made and nothing is asked for. */
export interface OwnTrust {
  readonly trust: Trust;
  readonly policy: AppraisalPolicy | undefined;
}

/**
 * By the files named, else by the state directory's. A file that was named must be there; of the state directory's
 * either may be missing, and then nothing is better than *could not check*.
 * @throws AppError usage | trust_missing | config_invalid
 */
export async function readOwnTrust({ state }: Pick<CliContext, 'state'>, flags: TrustFlags): Promise<OwnTrust> {
  return { trust: await trustBy(state.trust, flags.trust), policy: await policyBy(state.appraisal, flags.policy) };
}

/** @throws AppError trust_missing | config_invalid */
export async function trustBy(usual: string, named: string | undefined): Promise<Trust> {
  if (named !== undefined && !(await exists(named))) {
    throw new AppError('trust_missing', `there is no trust file ${named}`, { hint: `Check the path, or begin one: cloister trust add owner NAME THUMBPRINT --trust ${shellWord(named)}` });
  }
  if (named !== undefined) return withTrustHint(readTrust(named));
  return (await exists(usual)) ? withTrustHint(readTrust(usual)) : NO_TRUST;
}

async function policyBy(usual: string, named: string | undefined): Promise<AppraisalPolicy | undefined> {
  return named === undefined ? hinted(readAppraisal(usual), POLICY_HINT) : readNamedPolicy(named);
}

/** @throws AppError usage | config_invalid */
export async function readNamedPolicy(path: string): Promise<AppraisalPolicy> {
  const policy = await hinted(readAppraisal(path), POLICY_HINT);
  if (policy === undefined) throw new AppError('usage', `there is no policy ${path}`, { hint: 'Make one to begin with: cloister trust policy FILE' });
  return policy;
}

/** A trust file that is not of its shape, with what to do about it. */
export const withTrustHint = async <T>(read: Promise<T>): Promise<T> => hinted(read, TRUST_HINT);

/** The same of any file. */
async function hinted<T>(read: Promise<T>, hint: string): Promise<T> {
  return read.catch((cause: unknown) => {
    throw cause instanceof AppError && cause.code === 'config_invalid' ? new AppError(cause.code, cause.detail, { cause, hint }) : cause;
  });
}

const exists = async (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  );
