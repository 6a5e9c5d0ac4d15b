import { Digest } from '@cloister/protocol';
import type { IStateDB } from '@jupyterlab/statedb';
import { isRecord, parseValues, type ISubmitValues } from './submit-values';

/** What is kept of one panel over a reload: what was typed, or the job that came of it. */
export interface IKeptPanel {
  readonly values?: ISubmitValues;
  readonly job?: Digest;
}

/** Where panels are kept, by the notebook's path. */
export interface IKeptPanels {
  read(path: string): Promise<IKeptPanel>;
  write(path: string, panel: IKeptPanel): void;
  forget(path: string): void;
}

/** Keeps panels in JupyterLab's state database; without one, or where it fails, they are kept as long as the page. */
export function createKeptPanels(state: Pick<IStateDB, 'fetch' | 'save' | 'remove'> | null): IKeptPanels {
  const keyOf = (path: string): string => `cloister-submit-values:${path}`;
  // What a panel keeps is a convenience: where the database fails, the panel itself still has it.
  const ignore = (): void => undefined;
  return {
    read: async path => parsePanel(await state?.fetch(keyOf(path)).catch(ignore)),
    write: (path, { values, job }) => {
      const kept = { ...(values === undefined ? {} : { values: { ...values, custodians: [...values.custodians] } }), ...(job === undefined ? {} : { job }) };
      void state?.save(keyOf(path), kept).catch(ignore);
    },
    forget: path => void state?.remove(keyOf(path)).catch(ignore)
  };
}

function parsePanel(kept: unknown): IKeptPanel {
  if (!isRecord(kept)) return {};
  const values = parseValues(kept['values']);
  const job = Digest.safeParse(kept['job']);
  return { ...(values === undefined ? {} : { values }), ...(job.success ? { job: job.data } : {}) };
}
