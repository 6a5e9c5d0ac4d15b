import type { JSX, ReactNode } from 'react';

export interface IFact {
  readonly name: string;
  readonly value: ReactNode;
}

/** Names and values in two columns; one below the other where there is little room. */
export function Facts({ facts }: { readonly facts: readonly IFact[] }): JSX.Element {
  return (
    <dl className="jp-Cloister-facts">
      {facts.map(({ name, value }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
