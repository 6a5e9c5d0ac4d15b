import type { JSX } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import { groupChecks, visibleLine, type Question, type ShownCheck } from '@cloister/protocol';
import { answerWord, hintOnPage, questionWords, statusWord } from '../words/verdict-words';
import { ShownText } from '../components/parts/shown-text';
import { StatusIcon } from './status-icon';

export interface IQuestionsProps {
  readonly checks: readonly ShownCheck[];
  readonly trans: TranslationBundle;
}

/** The plain questions, each with its answer, and the named checks that it follows from. What is not a yes is open. */
export function Questions({ checks, trans }: IQuestionsProps): JSX.Element {
  return (
    <section className="jp-Cloister-section" aria-label={trans.__('Questions')}>
      <h2>{trans.__('Questions')}</h2>
      <p className="jp-Cloister-faint">{countWords(checks, trans)}</p>
      <div className="jp-Cloister-questions">
        {groupChecks(checks).map(question => (
          // A question whose answer changed is opened or closed anew.
          <QuestionItem key={`${question.id} ${question.status}`} question={question} trans={trans} />
        ))}
      </div>
    </section>
  );
}

/** How many checks said what, in one line. */
function countWords(checks: readonly ShownCheck[], trans: TranslationBundle): string {
  const statuses = ['fail', 'unknown', 'skipped', 'simulated', 'pass'] as const;
  const counts = statuses.map(status => ({ status, count: checks.filter(check => check.status === status).length })).filter(({ count }) => count > 0);
  const words = counts.map(({ status, count }) => `${count} ${statusWord(status, trans).toLocaleLowerCase()}`).join(', ');
  return trans.__('%1 checks: %2', checks.length, words);
}

function QuestionItem({ question, trans }: { readonly question: Question; readonly trans: TranslationBundle }): JSX.Element {
  const { id, status, checks } = question;
  return (
    <details className={`jp-Cloister-question jp-mod-${status}`} open={status !== 'pass'}>
      <summary>
        <StatusIcon status={status} />
        <span className="jp-Cloister-question-words">{questionWords(id, trans)}</span>
        <span className="jp-Cloister-question-answer">{answerWord(status, trans)}</span>
      </summary>
      <ul className="jp-Cloister-checks">
        {checks.map((check, at) => (
          <CheckItem key={check.id} check={repeatsHint(check, checks[at - 1]) ? withoutHint(check) : check} trans={trans} />
        ))}
      </ul>
    </details>
  );
}

/** One cause leaves many questions unasked; it is said once. */
function repeatsHint(check: ShownCheck, previous: ShownCheck | undefined): boolean {
  return check.status === 'skipped' && previous?.status === 'skipped' && check.hint === previous.hint;
}

function withoutHint({ id, title, status }: ShownCheck): ShownCheck {
  return { id, title, status };
}

export interface ICheckItemProps {
  readonly check: ShownCheck;
  readonly trans: TranslationBundle;
}

/** One named check: its answer in a word, what was compared where it is not a yes, and what to do. */
export function CheckItem({ check, trans }: ICheckItemProps): JSX.Element {
  const { id, title, status, expected, actual } = check;
  const hint = hintOnPage(check, trans) ?? check.hint;
  const compared = expected !== undefined || actual !== undefined;
  return (
    <li className={`jp-Cloister-check jp-mod-${status}`}>
      <StatusIcon status={status} />
      <div className="jp-Cloister-check-text">
        <div className="jp-Cloister-check-head">
          <ShownText text={title} trans={trans} />
          <span className="jp-Cloister-check-status">{statusWord(status, trans)}</span>
          <code className="jp-Cloister-faint">{visibleLine(id, 64)}</code>
        </div>
        {compared && (
          <dl className="jp-Cloister-compared">
            <Compared name={trans.__('Expected')} value={expected} trans={trans} />
            <Compared name={trans.__('Found')} value={actual} trans={trans} />
          </dl>
        )}
        {hint !== undefined && (
          <div className="jp-Cloister-check-hint">
            <ShownText text={hint} trans={trans} />
          </div>
        )}
      </div>
    </li>
  );
}

function Compared({ name, value, trans }: { readonly name: string; readonly value: string | undefined; readonly trans: TranslationBundle }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value === undefined || value === '' ? trans.__('(nothing)') : <ShownText text={value} trans={trans} code />}</dd>
    </div>
  );
}
