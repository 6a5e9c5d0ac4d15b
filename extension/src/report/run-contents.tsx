import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine } from '@cloister/protocol';
import { Badge } from '../components/parts/badge';
import { Copyable } from '../components/parts/copyable';
import { Facts, type IFact } from '../components/parts/facts';
import { formatBytes, formatDuration, formatTime, shortDigest } from '../words/quantities';
import { MoreRows } from './more-rows';
import type { IInputView, IOutputView, IRunView, ITokenView } from './report-view';

interface IRunProps {
  readonly run: IRunView;
  readonly trans: TranslationBundle;
}

/** What it read: every input with its owner, and the policy under which its key was released. */
export function Inputs({ run, trans }: IRunProps): JSX.Element {
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Inputs')}>
      <h2>{trans.__('Inputs')}</h2>
      {run.inputs.length === 0 && <p>{trans.__('It read none.')}</p>}
      <div className="jp-Cloister-inputs">
        {run.inputs.map((input, at) => (
          // A report that lies may list one twice.
          <Input key={at} input={input} trans={trans} />
        ))}
      </div>
    </section>
  );
}

function Input({ input, trans }: { readonly input: IInputView; readonly trans: TranslationBundle }): JSX.Element {
  const { owner, asset, rules } = input;
  return (
    <div className="jp-Cloister-input">
      <h3>
        <bdi>{owner.pinnedAs === undefined ? visibleLine(asset) : visibleLine(`${owner.pinnedAs}/${asset}`)}</bdi>
        {owner.pinnedAs === undefined && <Badge tone="caution">{trans.__('Owner not pinned')}</Badge>}
      </h3>
      <Facts facts={inputFacts(input, trans)} />
      {rules !== undefined && (
        <details>
          <summary>{trans.__('The policy’s rules')}</summary>
          <pre className="jp-Cloister-shownText-all" tabIndex={0}>{visibleLines(rules)}</pre>
        </details>
      )}
    </div>
  );
}

function inputFacts(input: IInputView, trans: TranslationBundle): IFact[] {
  const { owner, digest, policy, broker, released } = input;
  const key = <Copyable value={owner.key} shown={owner.key.slice(0, 12)} name={trans.__('the owner’s key')} trans={trans} />;
  return [
    {
      name: trans.__('Owner'),
      value: owner.pinnedAs === undefined ? <>{trans.__('Nobody that you know: the key')} {key}</> : <>{owner.pinnedAs} {key}</>
    },
    { name: trans.__('What'), value: trans.__('%1, version %2, %3, %4 sealed', input.kind, input.version, visibleLine(input.mediaType), formatBytes(input.size)) },
    { name: trans.__('Asset'), value: <Copyable value={digest} shown={shortDigest(digest)} name={trans.__('the asset’s digest')} trans={trans} /> },
    {
      name: trans.__('Policy'),
      value: policy === undefined ? trans.__('The statement names none.') : <Copyable value={policy} shown={shortDigest(policy)} name={trans.__('the policy’s digest')} trans={trans} />
    },
    { name: trans.__('Key keeper'), value: <Copyable value={broker} shown={broker.slice(0, 12)} name={trans.__('the broker’s key')} trans={trans} /> },
    { name: trans.__('Key released'), value: released === undefined ? trans.__('No receipt says so.') : formatTime(released) }
  ];
}

/** JSON that we laid out ourselves: its own line ends stay, all else unseen is written out. */
function visibleLines(text: string): string {
  return text.split('\n').slice(0, 2000).map(line => visibleLine(line)).join('\n');
}

/** The sealed files that came out. Names and sizes travel sealed, so a report has neither. */
export function Outputs({ run, trans }: IRunProps): JSX.Element {
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Outputs')}>
      <h2>{trans.__('Outputs')}</h2>
      <p className="jp-Cloister-faint">{trans.__('Digests are of the sealed files. Their names and sizes travel sealed too, in the index, and show only where the outputs are opened.')}</p>
      <MoreRows rows={run.outputs} trans={trans}>
        {shown => <OutputTable outputs={shown} trans={trans} />}
      </MoreRows>
    </section>
  );
}

function OutputTable({ outputs, trans }: { readonly outputs: readonly IOutputView[]; readonly trans: TranslationBundle }): JSX.Element {
  return (
    <table className="jp-Cloister-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('File')}</th>
          <th scope="col">{trans.__('SHA-256 of the sealed file')}</th>
        </tr>
      </thead>
      <tbody>
        {outputs.map(({ name, digest }, at) => (
          <tr key={at}>
            <td>{visibleLine(name, 64)}</td>
            <td>
              <code>{visibleLine(digest.replace(/^sha256:/, ''))}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** When it ran, and until when what counts. */
export function Times({ run, token, trans }: IRunProps & { readonly token: ITokenView | undefined }): JSX.Element {
  const took = formatDuration(Date.parse(run.ended) - Date.parse(run.started));
  const facts: IFact[] = [
    { name: trans.__('Started'), value: formatTime(run.started) },
    { name: trans.__('Ended'), value: trans.__('%1, after %2', formatTime(run.ended), took) },
    ...(token?.issuedAt === undefined ? [] : [{ name: trans.__('Attested'), value: formatTime(token.issuedAt) }]),
    ...(token?.expiresAt === undefined ? [] : [{ name: trans.__('Token until'), value: trans.__('%1. The report can still be checked: it counts for the time when it was made.', formatTime(token.expiresAt)) }]),
    { name: trans.__('Job until'), value: formatTime(run.notAfter) },
    { name: trans.__('Use allowed'), value: run.allowedUntil === undefined ? trans.__('The owners set no end.') : trans.__('Until %1', formatTime(run.allowedUntil)) }
  ];
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Times')}>
      <h2>{trans.__('Times')}</h2>
      <Facts facts={facts} />
    </section>
  );
}
