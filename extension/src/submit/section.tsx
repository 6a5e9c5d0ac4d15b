import { useId, type ReactNode, type JSX } from 'react';

export interface ISectionProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** A part of the panel that screen readers find by its heading. */
export function Section({ title, children }: ISectionProps): JSX.Element {
  const id = useId();
  return (
    <section className="jp-Cloister-submit-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
