import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { problemOf, type IProblem } from '../model/problem';

/** JupyterLab cuts longer notifications. */
const LONGEST = 140;

/** Tells in a notification what went wrong; the next step stands in it too, or behind a button where it is long. */
export function tellProblem(error: unknown, trans: TranslationBundle): void {
  notifyProblem(problemOf(error, trans), trans);
}

export function notifyProblem(problem: IProblem, trans: TranslationBundle): void {
  const whole = `${problem.title} ${problem.hint}`;
  if (whole.length <= LONGEST && problem.detail === undefined) {
    Notification.error(whole, { autoClose: 10_000 });
    return;
  }
  const explain = (): void => {
    void showDialog({
      title: problem.title,
      body: [problem.detail, problem.hint, `(${problem.code})`].filter(line => line !== undefined).join('\n\n'),
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
  };
  Notification.error(problem.title, { autoClose: false, actions: [{ label: trans.__('What to do'), callback: explain }] });
}
