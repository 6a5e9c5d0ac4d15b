import { groupChecks, visibleLine, type Question, type ShownCheck, type ShownStatus } from '@cloister/protocol';
import { el, section, shown } from '../element.js';
import { statusIcon } from '../icons.js';
import type { Outcome } from '../outcome.js';
import { ANSWER_WORDS, QUESTION_WORDS, STATUS_WORDS, hintOf } from '../words.js';

const STATUSES: readonly ShownStatus[] = ['fail', 'unknown', 'skipped', 'simulated', 'pass'];

/** The plain questions, each with its answer and the named checks that it follows from. What is not a yes is open. */
export function checks({ checks: all }: Outcome): HTMLElement {
  const counts = STATUSES.map(status => ({ status, number: all.filter(check => check.status === status).length })).filter(({ number }) => number > 0);
  const words = counts.map(({ status, number }) => `${number} ${STATUS_WORDS[status].toLowerCase()}`).join(', ');
  return section('checks', 'Questions', el('p', { class: 'faint' }, `${all.length} checks: ${words}. Where one says “you”, it means the trust and the policy in this page.`), el('div', { class: 'questions' }, ...groupChecks(all).map(questionItem)));
}

function questionItem({ id, status, checks: own }: Question): HTMLElement {
  const summary = el('summary', {}, statusIcon(status), el('h3', {}, QUESTION_WORDS[id]), el('span', { class: 'answer' }, ANSWER_WORDS[status]));
  const items = own.map((check, at) => checkItem(check, repeatsHint(check, own[at - 1])));
  return el('details', { class: `question is-${status}`, ...(status === 'pass' ? {} : { open: '' }) }, summary, el('ul', { class: 'check-list' }, ...items));
}

/** One cause leaves many questions unasked; it is said once. */
function repeatsHint(check: ShownCheck, previous: ShownCheck | undefined): boolean {
  return check.status === 'skipped' && previous?.status === 'skipped' && check.hint === previous.hint && hintOf(check) === check.hint;
}

function checkItem(check: ShownCheck, withoutHint: boolean): HTMLElement {
  const { id, title, status, expected, actual } = check;
  const hint = withoutHint ? undefined : hintOf(check);
  const compared = expected !== undefined || actual !== undefined;
  return el(
    'li',
    { class: `check is-${status}` },
    statusIcon(status),
    el(
      'div',
      { class: 'check-text' },
      el('div', { class: 'check-head' }, shown(title), el('span', { class: 'check-status' }, STATUS_WORDS[status]), el('code', { class: 'faint' }, visibleLine(id, 64))),
      compared ? el('dl', { class: 'compared' }, comparedValue('Expected', expected), comparedValue('Found', actual)) : undefined,
      hint === undefined ? undefined : el('p', { class: 'hint' }, shown(hint))
    )
  );
}

function comparedValue(name: string, value: string | undefined): HTMLElement {
  return el('div', {}, el('dt', {}, name), el('dd', {}, value === undefined || value === '' ? '(nothing)' : shown(value, 'code')));
}
