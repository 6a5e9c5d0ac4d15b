import { useEffect, useRef, useState, type JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';

/** How long a person pauses between two letters. */
const PAUSE_MS = 250;
/** The agent takes no longer ones. */
const LONGEST = 200;

export interface ISearchFieldProps {
  readonly value: string;
  readonly onSearch: (name: string) => void;
  readonly trans: TranslationBundle;
}

/** Searches while one types, but not at each letter; Enter searches at once, Escape clears. */
export function SearchField({ value, onSearch, trans }: ISearchFieldProps): JSX.Element {
  const [typed, setTyped] = useState(value);
  const timer = useRef(0);
  // Searched for elsewhere: by the button that shows all jobs again, or before a reload.
  useEffect(() => setTyped(value), [value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const search = (name: string, pause: number): void => {
    setTyped(name);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onSearch(name.trim()), pause);
  };
  return (
    <input
      type="search"
      className="jp-Cloister-jobs-search"
      maxLength={LONGEST}
      value={typed}
      placeholder={trans.__('Search by notebook or purpose')}
      aria-label={trans.__('Search jobs by notebook or purpose')}
      onChange={event => search(event.currentTarget.value, PAUSE_MS)}
      onKeyDown={event => {
        if (event.key === 'Enter') search(typed, 0);
        if (event.key === 'Escape') search('', 0);
      }}
    />
  );
}
