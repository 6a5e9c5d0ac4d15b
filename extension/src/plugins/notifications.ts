import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../commands/ids';
import { EndTeller, type INotice, type NotifyChoice } from '../jobs/tell-ends';
import { IJobs } from '../tokens';
import { DOMAIN } from '../translation';

const ID = 'cloister:notifications';
const PANEL = 'cloister-jobs';
const SHOWN_MS = 10_000;

/** Says that a job has ended to whoever looks elsewhere. */
export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Notifies when a submitted job has ended.',
  autoStart: true,
  requires: [IJobs],
  optional: [ITranslator, ISettingRegistry],
  activate: (app: JupyterFrontEnd, jobs: IJobs, translator: ITranslator | null, settings: ISettingRegistry | null): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    let choice: NotifyChoice = 'all';
    const notify = ({ job, tone, message }: INotice): void => {
      const show = { label: trans.__('Show job'), callback: () => void app.commands.execute(CommandIDs.showJobs, { job }) };
      const actions = app.commands.hasCommand(CommandIDs.showJobs) ? [show] : [];
      Notification.emit(message, tone, { autoClose: SHOWN_MS, actions });
    };
    const watching = (): boolean => document.visibilityState === 'visible' && isShown(app);
    const teller = new EndTeller({ trans, choice: () => choice, watching, notify });
    jobs.advanced.connect((_, own) => teller.tell(own));
    const follow = (loaded: ISettingRegistry.ISettings): void => {
      choice = choiceOf(loaded.composite['notify']);
    };
    void settings?.load(ID).then(
      loaded => {
        follow(loaded);
        loaded.changed.connect(follow);
      },
      () => undefined
    );
  }
};

/** Whether the sidebar is open. */
function isShown({ shell }: JupyterFrontEnd): boolean {
  for (const widget of shell.widgets('right')) {
    if (widget.id === PANEL) return widget.isVisible;
  }
  return false;
}

function choiceOf(value: unknown): NotifyChoice {
  return value === 'failures' || value === 'none' ? value : 'all';
}
