import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Copyable } from '../components/parts/copyable';
import { ShownText } from '../components/parts/shown-text';
import { verifyCommand } from './shell-words';

export interface IByYourselfProps {
  /** Path within JupyterLab's folder. */
  readonly path: string;
  /** The folder of opened outputs that lies around the report. */
  readonly outputs?: string;
  /** Absolute path of JupyterLab's folder, where the agent told it. */
  readonly workspace?: string;
  readonly trans: TranslationBundle;
  readonly onDownload: () => void;
}

/** How to check the report without this page: the command, and the file to hand on. */
export function ByYourself({ path, outputs, workspace, trans, onDownload }: IByYourselfProps): JSX.Element {
  const command = verifyCommand(path, outputs);
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Check it yourself')}>
      <h2>{trans.__('Check it yourself')}</h2>
      <p>{trans.__('This command asks the same questions in a terminal, by your own trust settings and without any network:')}</p>
      {command === undefined ? (
        <p>{trans.__('The file’s name has characters that a terminal would obey. Rename the file first.')}</p>
      ) : (
        <div className="jp-Cloister-command">
          <Copyable value={command} name={trans.__('the command')} trans={trans} />
        </div>
      )}
      {workspace !== undefined && (
        <p className="jp-Cloister-faint">
          {trans.__('Run it in')} <ShownText text={workspace} trans={trans} code />
        </p>
      )}
      {outputs === undefined && <p className="jp-Cloister-faint">{trans.__('With --outputs and the folder of the opened outputs it compares those files too.')}</p>}
      <div className="jp-Cloister-actions jp-Cloister-noPrint">
        <button type="button" className="jp-Cloister-button" onClick={onDownload}>
          {trans.__('Download the report')}
        </button>
        <span className="jp-Cloister-faint">{trans.__('Whoever has the file can check it, by their own trust.')}</span>
      </div>
    </section>
  );
}
