import type { JSX } from 'react';
import { visibleLine } from '@cloister/protocol';
import { useJobContext } from './job-context';
import { isReachable } from './open-outputs';

/** A folder's path; pressed, the file browser shows it. */
export function FolderLink({ path }: { readonly path: string }): JSX.Element {
  const { trans, revealFolder } = useJobContext();
  const shown = visibleLine(path);
  if (revealFolder === undefined || !isReachable(path)) return <code>{shown}</code>;
  return (
    <button type="button" className="jp-Cloister-jobs-link" title={trans.__('Show this folder in the file browser')} onClick={() => revealFolder(path)}>
      {shown}
    </button>
  );
}
