import type { JSX, ReactNode } from 'react';
import type { IProblem } from '../../model/problem';
import type { Tone } from './badge';

export interface IMessageProps {
  readonly tone: Tone;
  readonly title: string;
  readonly children?: ReactNode;
  /** Buttons, after the text. */
  readonly actions?: ReactNode;
}

/** A boxed message. Bad ones are announced at once by screen readers, others when there is time. */
export function Message({ tone, title, children, actions }: IMessageProps): JSX.Element {
  return (
    <div className={`jp-Cloister-message jp-mod-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <p className="jp-Cloister-message-title">{title}</p>
      {children !== undefined && <div className="jp-Cloister-message-text">{children}</div>}
      {actions !== undefined && <div className="jp-Cloister-actions">{actions}</div>}
    </div>
  );
}

export interface IProblemMessageProps {
  readonly problem: IProblem;
  readonly tone?: Tone;
  readonly actions?: ReactNode;
}

/** What happened, what to do, and the code to quote. */
export function ProblemMessage({ problem, tone = 'bad', actions }: IProblemMessageProps): JSX.Element {
  return (
    <Message tone={tone} title={problem.title} {...(actions === undefined ? {} : { actions })}>
      {problem.detail !== undefined && <p>{problem.detail}</p>}
      <p>{problem.hint}</p>
      <p className="jp-Cloister-faint">
        <code>{problem.code}</code>
      </p>
    </Message>
  );
}
