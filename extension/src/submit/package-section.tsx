import { useState, type JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type DraftView } from '@cloister/protocol';
import { Badge } from '../components/parts/badge';
import { Copyable } from '../components/parts/copyable';
import { Facts } from '../components/parts/facts';
import { formatBytes } from '../words/quantities';
import { Section } from './section';

const SHOWN_AT_ONCE = 50;

export interface IPackageSectionProps {
  readonly draft: DraftView;
  readonly trans: TranslationBundle;
}

/** Every file that would be sent, and what stays here. */
export function PackageSection({ draft, trans }: IPackageSectionProps): JSX.Element {
  const { files, leftOut, code, sealedSize } = draft;
  const total = files.reduce((sum, file) => sum + file.size, 0);
  return (
    <Section title={trans.__('What will be sent')}>
      <FileTable files={files} trans={trans} />
      {files.some(file => file.large) && (
        <p>{trans.__('Large files make a job slow to send. Tables belong to a data set of an owner; list other files that the notebook does not need in .cloisterignore, beside the notebook, and press Refresh.')}</p>
      )}
      {leftOut.length > 0 && (
        <details>
          <summary>{trans._n('%1 file or folder stays here', '%1 files and folders stay here', leftOut.length)}</summary>
          <LeftOut leftOut={leftOut} trans={trans} />
        </details>
      )}
      <Facts
        facts={[
          { name: trans.__('In all'), value: trans._n('%1 file, %2; sealed %3', '%1 files, %2; sealed %3', files.length, formatBytes(total), formatBytes(sealedSize)) },
          {
            name: trans.__('Package digest'),
            value: (
              <>
                <Copyable value={code} name={trans.__('package digest')} trans={trans} />
                <div className="jp-Cloister-faint">{trans.__('The report will name this, so that you can tell that exactly these files ran.')}</div>
              </>
            )
          }
        ]}
      />
    </Section>
  );
}

function FileTable({ files, trans }: { readonly files: DraftView['files']; readonly trans: TranslationBundle }): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? files : files.slice(0, SHOWN_AT_ONCE);
  return (
    <>
      <table className="jp-Cloister-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('File')}</th>
            <th scope="col">{trans.__('Why')}</th>
            <th scope="col" className="jp-mod-number">
              {trans.__('Size')}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ path, size, why, large }) => (
            <tr key={path}>
              <td>
                <span className="jp-Cloister-submit-path">{visibleLine(path)}</span> {large && <Badge tone="caution">{trans.__('Large')}</Badge>}
              </td>
              <td>{visibleLine(why, 160)}</td>
              <td className="jp-mod-number">{formatBytes(size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && files.length > SHOWN_AT_ONCE && (
        <div>
          <button type="button" className="jp-Cloister-button" onClick={() => setAll(true)}>
            {trans.__('Show all %1 files', files.length)}
          </button>
        </div>
      )}
    </>
  );
}

function LeftOut({ leftOut, trans }: { readonly leftOut: DraftView['leftOut']; readonly trans: TranslationBundle }): JSX.Element {
  return (
    <table className="jp-Cloister-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('File or folder')}</th>
          <th scope="col">{trans.__('Why it stays')}</th>
        </tr>
      </thead>
      <tbody>
        {leftOut.slice(0, 500).map(({ path, why }) => (
          <tr key={path}>
            <td>{visibleLine(path)}</td>
            <td>{visibleLine(why, 160)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
