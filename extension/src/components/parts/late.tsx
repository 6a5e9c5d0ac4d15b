import { Component, Suspense, type JSX, type ReactNode } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { problemOf } from '../../model/problem';
import { ProblemMessage } from './message';

export interface ILateProps {
  readonly trans: TranslationBundle;
  readonly children: ReactNode;
}

/** Around what is loaded when it is first shown: words while it comes, and words where it does not or breaks. */
export function Late({ trans, children }: ILateProps): JSX.Element {
  return (
    <UnlessBroken trans={trans}>
      <Suspense fallback={<p role="status">{trans.__('Loading …')}</p>}>{children}</Suspense>
    </UnlessBroken>
  );
}

class UnlessBroken extends Component<ILateProps, { readonly broken: boolean }> {
  static getDerivedStateFromError(): { readonly broken: boolean } {
    return { broken: true };
  }

  override readonly state = { broken: false };

  override render(): ReactNode {
    const { trans, children } = this.props;
    return this.state.broken ? <ProblemMessage problem={problemOf(undefined, trans)} /> : children;
  }
}
