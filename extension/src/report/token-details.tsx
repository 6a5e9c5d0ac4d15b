import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine, visibleText } from '@cloister/protocol';
import { Copyable } from '../components/parts/copyable';
import { Facts, type IFact } from '../components/parts/facts';
import { createClaimsDictionary, explainClaim } from '../words/claims-dictionary';
import { formatTime, shortDigest } from '../words/quantities';
import { verifierWords } from '../words/verifier-words';
import type { IClaimView, ISignerView, ITokenView } from './report-view';
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
      <Facts facts={signerFacts(token.signer ?? {}, trans)} />
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

/** Whose word it is, and which key or root of the reader’s own trust stands behind it. */
function signerFacts(signer: ISignerView, trans: TranslationBundle): IFact[] {
  const { kind, key, root } = signer;
  return [
    { name: trans.__('Verifier'), value: verifierWords(kind, trans) },
    {
      name: trans.__('Signed by'),
      value: (
        <>
          {key !== undefined && <>{trans.__('A key that you pinned')} <Copyable value={key.id} shown={visibleLine(key.id, 16)} name={trans.__('the key’s id')} trans={trans} /> {key.algorithm}</>}
          {root !== undefined && <>{trans.__('A key with certificates up to a root that you pinned')} <Copyable value={root.fingerprint} shown={shortDigest(root.fingerprint)} name={trans.__('the root’s fingerprint')} trans={trans} /></>}
          {key === undefined && root === undefined && trans.__('Not confirmed. No key or root that you pinned is known to have signed this token.')}
        </>
      )
    },
    ...pinnedFrom(signer, trans)
  ];
}

function pinnedFrom({ key, root }: ISignerView, trans: TranslationBundle): IFact[] {
  const source = key?.source ?? root?.source;
  if (source === undefined) return [];
  return [
    {
      name: trans.__('Pinned from'),
      value: (
        <>
          <ShownText text={source} trans={trans} /> {key?.seen !== undefined && trans.__('seen %1', formatTime(key.seen))}
        </>
      )
    }
  ];
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
