import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Copyable } from '../components/parts/copyable';
import { createClaimsDictionary, explainClaim } from '../words/claims-dictionary';
import { visibleLine, visibleText } from '../words/visible';
import type { IClaimView, ITokenView } from './report-view';
import { ShownText } from '../components/parts/shown-text';

export interface ITokenDetailsProps {
  readonly token: ITokenView;
  readonly trans: TranslationBundle;
}

/** The verifier's token: raw, and taken apart with a word on each claim. */
export function TokenDetails({ token, trans }: ITokenDetailsProps): JSX.Element {
  const readable = token.claims.length > 0;
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Evidence')}>
      <h2>{trans.__('Evidence')}</h2>
      {readable && (
        <details>
          <summary>{trans.__('What the verifier’s token says, claim by claim')}</summary>
          <ClaimTable caption={trans.__('Header')} claims={token.header} trans={trans} />
          <ClaimTable caption={trans.__('Claims')} claims={token.claims} trans={trans} />
          {token.leftOut > 0 && <p>{trans._n('%1 more claim is not listed.', '%1 more claims are not listed.', token.leftOut)}</p>}
        </details>
      )}
      <details>
        <summary>{trans.__('The raw token')}</summary>
        <div className="jp-Cloister-rawToken">
          <Copyable value={token.raw} shown={visibleLine(token.raw, 48)} name={trans.__('the token')} trans={trans} />
          <pre className="jp-Cloister-shownText-all" tabIndex={0}>{visibleText(token.raw)}</pre>
        </div>
      </details>
    </section>
  );
}

interface IClaimTableProps {
  readonly caption: string;
  readonly claims: readonly IClaimView[];
  readonly trans: TranslationBundle;
}

function ClaimTable({ caption, claims, trans }: IClaimTableProps): JSX.Element {
  const dictionary = createClaimsDictionary(trans);
  return (
    <table className="jp-Cloister-table jp-Cloister-claims">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('Claim')}</th>
          <th scope="col">{trans.__('Value')}</th>
          <th scope="col">{trans.__('Meaning')}</th>
        </tr>
      </thead>
      <tbody>
        {claims.map(({ path, value }) => (
          <tr key={path}>
            <td>
              <code>{visibleLine(path, 120)}</code>
            </td>
            <td>
              <ShownText text={value} trans={trans} code />
            </td>
            <td>{explainClaim(path, dictionary, trans) ?? <span className="jp-Cloister-faint">{trans.__('Not in the dictionary.')}</span>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
