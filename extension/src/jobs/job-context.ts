import { createContext, useContext } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Digest } from '@cloister/protocol';

/** What every row can do and say. */
export interface IJobContext {
  readonly trans: TranslationBundle;
  /** Whether the plugin that adds a command is there. */
  readonly can: (command: string) => boolean;
  readonly run: (command: string, args: { readonly job: Digest; readonly quiet?: boolean }) => Promise<unknown>;
  /** Shows a folder in the file browser; undefined where there is none. */
  readonly revealFolder?: (path: string) => void;
  readonly showPurpose: boolean;
}

export const JobContext = createContext<IJobContext | undefined>(undefined);

/** @throws Error outside of the panel */
export function useJobContext(): IJobContext {
  const context = useContext(JobContext);
  if (context === undefined) throw new Error('a job is shown outside of the panel');
  return context;
}
