import { useState, type JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, copyIcon } from '@jupyterlab/ui-components';

export interface ICopyableProps {
  /** What is copied, whole. */
  readonly value: string;
  /** What is shown, where it is shorter. */
  readonly shown?: string;
  /** What the value is, for the button's name. */
  readonly name: string;
  readonly trans: TranslationBundle;
}

/** A value in fixed type with a button that copies it. */
export function Copyable({ value, shown, name, trans }: ICopyableProps): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(value).then(
      () => setCopied(true),
      () => setCopied(false)
    );
  };
  const Icon = copied ? checkIcon : copyIcon;
  const label = copied ? trans.__('Copied %1', name) : trans.__('Copy %1', name);
  return (
    <span className="jp-Cloister-copyable">
      <code title={value}>{shown ?? value}</code>
      <button type="button" className="jp-Cloister-iconButton" aria-label={label} title={label} onClick={copy} onBlur={() => setCopied(false)}>
        <Icon.react tag="span" />
      </button>
    </span>
  );
}
