import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { LONGEST_SHOWN, splitVisible } from '@cloister/protocol';

/** What of a text is put into the page at all; nobody reads more, and a page must stay quick. */
const MOST_CHARACTERS = 20_000;

export interface IShownTextProps {
  /** A stranger's text, of any length. */
  readonly text: string;
  readonly trans: TranslationBundle;
  /** In fixed type. */
  readonly code?: boolean;
}

/** A stranger's text, as text: unseen characters written out, a long one cut, with the rest one click away. */
export function ShownText({ text, trans, code = false }: IShownTextProps): JSX.Element {
  const { start, rest } = splitVisible(text.slice(0, MOST_CHARACTERS), LONGEST_SHOWN);
  const Tag = code ? 'code' : 'bdi';
  if (rest === '') return <Tag className="jp-Cloister-shownText">{start}</Tag>;
  const cut = text.length > MOST_CHARACTERS;
  return (
    <div className="jp-Cloister-shownText">
      <Tag>{start}…</Tag>
      <details>
        <summary>{cut ? trans.__('The first %1 of %2 characters', MOST_CHARACTERS, text.length) : trans.__('All %1 characters', text.length)}</summary>
        <pre className="jp-Cloister-shownText-all" tabIndex={0}>{start + rest}</pre>
      </details>
    </div>
  );
}
