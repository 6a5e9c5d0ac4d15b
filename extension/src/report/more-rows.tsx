import { useState, type JSX, type ReactNode } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';

const PER_STEP = 100;

export interface IMoreRowsProps<T> {
  readonly rows: readonly T[];
  readonly trans: TranslationBundle;
  /** Puts the rows that are shown into a list or a table. */
  readonly children: (shown: readonly T[]) => ReactNode;
}

/** The first hundred of many rows, and a button for the next hundred: ten thousand at once would stop the page. */
export function MoreRows<T>({ rows, trans, children }: IMoreRowsProps<T>): JSX.Element {
  const [shown, setShown] = useState(PER_STEP);
  const left = rows.length - shown;
  return (
    <>
      {children(rows.slice(0, shown))}
      {left > 0 && (
        <div className="jp-Cloister-actions">
          <button type="button" className="jp-Cloister-button" onClick={() => setShown(shown + PER_STEP)}>
            {trans.__('Show %1 more', Math.min(PER_STEP, left))}
          </button>
          <span>{trans.__('%1 of %2 are shown', shown, rows.length)}</span>
        </div>
      )}
    </>
  );
}
