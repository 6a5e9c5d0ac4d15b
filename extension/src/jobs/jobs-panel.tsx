import type { JSX } from 'react';
import type { Message } from '@lumino/messaging';
import { ReactWidget } from '@jupyterlab/apputils';
import type { Digest } from '@cloister/protocol';
import { cloisterIcon } from '../icons';
import type { IAgent, IJobs } from '../tokens';
import type { IJobContext } from './job-context';
import { JobsView, type IWish } from './jobs-view';

export interface IJobsPanelDeps {
  readonly agent: IAgent;
  readonly jobs: IJobs;
  /** Asked for at each drawing: settings and plugins come and go. */
  readonly context: () => IJobContext;
}

/** The sidebar as JupyterLab holds it. */
export class JobsPanel extends ReactWidget {
  constructor(deps: IJobsPanelDeps) {
    super();
    this.#deps = deps;
    this.id = 'cloister-jobs';
    const { trans } = deps.context();
    this.title.icon = cloisterIcon;
    this.title.caption = trans.__('Cloister jobs');
    this.addClass('jp-Cloister');
    this.addClass('jp-Cloister-jobs');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Cloister jobs'));
  }

  /** Brings a job into view and opens it, also one that is on another page. @throws what `IJobs.fetch` throws */
  async reveal(job: Digest): Promise<void> {
    await this.#deps.jobs.fetch(job);
    this.#wish = { job, count: (this.#wish?.count ?? 0) + 1 };
    this.update();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  protected override render(): JSX.Element {
    const { agent, jobs, context } = this.#deps;
    return (
      <div className="jp-Cloister-jobs-body">
        <JobsView agent={agent} jobs={jobs} context={context()} visible={this.isVisible} {...(this.#wish === undefined ? {} : { wish: this.#wish })} />
      </div>
    );
  }

  readonly #deps: IJobsPanelDeps;
  #wish: IWish | undefined;
}
