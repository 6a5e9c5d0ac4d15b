import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, type ShownStatus } from '@cloister/protocol';
import { Copyable } from '../components/parts/copyable';
import { formatTime } from '../words/quantities';
import type { IRunView, IWitnessView } from './report-view';

export interface IWitnessesProps {
  readonly run: Pick<IRunView, 'brokers' | 'witnesses'>;
  /** Of the check of that name: witnesses that do not fit are not listed as if they did. */
  readonly status: ShownStatus | undefined;
  readonly trans: TranslationBundle;
}

/** Who saw this very report and witnesses no other for its attempt, and when; where nobody did, what that means. */
export function Witnesses({ run, status, trans }: IWitnessesProps): JSX.Element {
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Witnesses')}>
      <h2>{trans.__('Witnesses')}</h2>
      <p className={status === 'pass' ? 'jp-Cloister-faint' : ''}>{wordsOf(run, status, trans)}</p>
      {status === 'pass' && run.witnesses.length > 0 && <WitnessTable witnesses={run.witnesses} trans={trans} />}
    </section>
  );
}

function wordsOf({ brokers, witnesses }: IWitnessesProps['run'], status: ShownStatus | undefined, trans: TranslationBundle): string {
  if (witnesses.length === 0) {
    return trans.__('No broker witnessed this report. A verdict does not need it. If there were a second report for the same attempt, only somebody who has both would notice.');
  }
  if (status !== 'pass') return trans.__('The file carries witnesses, and they do not fit this report. The questions above say what is wrong.');
  return trans.__('%1 of %2 brokers that this run had to ask for keys saw this very report. A broker witnesses one report for each attempt, and no second one.', witnesses.length, brokers);
}

/** Owners as the reader pinned them; a broker of nobody that she knows is told by its key alone. */
function WitnessTable({ witnesses, trans }: { readonly witnesses: readonly IWitnessView[]; readonly trans: TranslationBundle }): JSX.Element {
  return (
    <table className="jp-Cloister-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Broker of')}</th>
          <th scope="col">{trans.__('Its key')}</th>
          <th scope="col">{trans.__('Saw it')}</th>
        </tr>
      </thead>
      <tbody>
        {witnesses.map(({ broker, owners, time }) => (
          <tr key={broker}>
            <td>{owners.length === 0 ? trans.__('Nobody that you know') : visibleLine(owners.join(', '), 120)}</td>
            <td>
              <Copyable value={broker} shown={broker.slice(0, 12)} name={trans.__('the broker’s key')} trans={trans} />
            </td>
            <td>{formatTime(time)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
