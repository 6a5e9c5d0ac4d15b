import type { JSX } from 'react';
import { visibleLine, type DraftView } from '@cloister/protocol';
import { Section } from './section';
import type { ISubmitContext } from './submit-context';

export interface ISecretsSectionProps {
  readonly context: ISubmitContext;
  readonly draft: DraftView;
  readonly accepted: boolean;
}

const SHOWN = 100;

/** What looks like a secret among the files. Only a person can tell, so she must say that she looked. */
export function SecretsSection({ context: { model, trans }, draft: { secrets }, accepted }: ISecretsSectionProps): JSX.Element | null {
  if (secrets.length === 0) return null;
  return (
    <Section title={trans.__('Likely secrets')}>
      <div className="jp-Cloister-message jp-mod-caution">
        <p>{trans.__('These look like passwords or keys. Owners who read your code would see them. Take them out, or list the file in .cloisterignore; then press Refresh.')}</p>
        <ul className="jp-Cloister-submit-list">
          {secrets.slice(0, SHOWN).map(({ path, where, kind }) => (
            <li key={`${path}\n${where ?? ''}\n${kind}`}>
              <span className="jp-Cloister-submit-path">{visibleLine(path)}</span>
              {where === undefined ? '' : `, ${visibleLine(where, 60)}`}: {visibleLine(kind, 120)}
            </li>
          ))}
          {secrets.length > SHOWN && <li>{trans.__('… and %1 more', secrets.length - SHOWN)}</li>}
        </ul>
        <label className="jp-Cloister-submit-check">
          <input type="checkbox" checked={accepted} onChange={({ target }) => model.acceptSecrets(target.checked)} />
          {trans.__('I looked at these, send them all the same')}
        </label>
      </div>
    </Section>
  );
}
