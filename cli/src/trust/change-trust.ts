import { ensureStateFolder, openTrustFile, saveTrust, type TrustFile } from '@cloister/agent';
import { AppError, type Trust } from '@cloister/protocol';
import type { CliContext } from '../context.js';
import { withTrustHint } from '../reports/own-trust.js';
import { askYesNo, isInteractive } from '../terminal/ask.js';

/** Options that all commands of `cloister trust` have. */
export interface TrustFileFlags {
  readonly trust?: string;
  readonly json?: true;
}

export const TRUST_OPTION = ['--trust <file>', 'the trust file (default: your trust.json)'] as const;

/** The file that a command is about. A missing one pins nobody. */
export async function openOwnTrust({ state }: CliContext, { trust }: TrustFileFlags): Promise<TrustFile> {
  return withTrustHint(openTrustFile(trust ?? state.trust));
}

/** Writes a changed trust; where it is the same as before, nothing is touched. Whether it was written. */
export async function keepTrust({ state }: CliContext, file: TrustFile, changed: Trust): Promise<boolean> {
  if (changed === file.trust) return false;
  if (file.path === state.trust) await ensureStateFolder(state);
  await whereWritable(file.path, saveTrust(file, changed));
  return true;
}

/** @throws AppError usage where the folder is missing or not ours: a mistake of who named it, and no fault of this program */
export async function whereWritable<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw NOT_WRITABLE.has(code) ? new AppError('usage', `nothing can be written to ${path}`, { cause, hint: 'Name a file in a folder that is there and yours.' }) : cause;
  });
}

const NOT_WRITABLE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS']);

/** @throws AppError usage where it was not a yes, with nothing changed */
export async function requireYes(question: string, yes: boolean): Promise<void> {
  const sure = yes || (isInteractive() && (await askYesNo(question)));
  if (!sure) throw new AppError('usage', 'nothing was changed', { hint: 'Say yes, or give --yes where nobody can be asked.' });
}
