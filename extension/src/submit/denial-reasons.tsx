import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine } from '@cloister/protocol';
import { Copyable } from '../components/parts/copyable';
import { stepAfterDenial } from '../words/policy-words';
import type { AssetAnswer } from './submit-state';

export interface IDenialReasonsProps {
  readonly answer: Pick<AssetAnswer, 'reasons' | 'denials'>;
  readonly owner: string;
  /** The analyst's key, to send to an owner who does not list it. */
  readonly analyst: string | undefined;
  readonly trans: TranslationBundle;
}

/** Why not, as the owner says it, and what to do. */
export function DenialReasons({ answer: { reasons, denials }, owner, analyst, trans }: IDenialReasonsProps): JSX.Element {
  const steps = [...new Set(denials.map(denial => stepAfterDenial(denial, owner, trans)))];
  return (
    <>
      <ul className="jp-Cloister-submit-list">
        {[...new Set(reasons)].slice(0, 20).map(reason => (
          <li key={reason}>{visibleLine(reason)}</li>
        ))}
      </ul>
      {steps.length > 0 && <p>{steps.join(' ')}</p>}
      {analyst !== undefined && denials.some(denial => denial.code === 'analyst') && (
        <p>
          {trans.__('Your analyst key:')} <Copyable value={analyst} name={trans.__('analyst key')} trans={trans} />
        </p>
      )}
    </>
  );
}
