import type { JSX, ReactNode } from 'react';

/** `good` is for what a verified report says, and for nothing else. */
export type Tone = 'neutral' | 'info' | 'good' | 'caution' | 'bad';

export interface IBadgeProps {
  readonly tone: Tone;
  readonly children: ReactNode;
}

/** A word with a colour. The word alone carries the meaning. */
export function Badge({ tone, children }: IBadgeProps): JSX.Element {
  return <span className={`jp-Cloister-badge jp-mod-${tone}`}>{children}</span>;
}
