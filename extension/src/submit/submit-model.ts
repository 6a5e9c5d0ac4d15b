import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';
import { AGENT_ROUTES, AppError, type Digest, type DraftView, type JobEvent } from '@cloister/protocol';
import { AgentUnreachable } from '../api/agent-unreachable';
import type { IOwnJob } from '../model/own-job';
import { problemOf } from '../model/problem';
import type { IAgent, IJobs } from '../tokens';
import type { IKeptPanels } from './kept-panels';
import type { INotebookChange, IOpenNotebooks } from './open-notebooks';
import { blockersOf, type IMockOutcome, type ISubmitState } from './submit-state';
import { initialValues, sayTheSame, termsOf, type ISubmitValues } from './submit-values';

export interface ISubmitDeps {
  readonly agent: IAgent;
  /** Keeps the submitted job live, where that plugin is there. */
  readonly jobs: IJobs | null;
  readonly kept: IKeptPanels;
  readonly notebooks: IOpenNotebooks;
  readonly trans: TranslationBundle;
  /** The time limit that an empty form begins with. */
  readonly defaultMinutes: () => number;
  /** Says outside of the panel that a job was submitted. */
  readonly announce: (job: Digest, path: string) => void;
}

/**
 * One panel: makes the draft, keeps what is typed, and submits. What is sent is what was shown: where a new draft says
 * anything else than the one that a person read, it is shown and nothing is sent.
 */
export class SubmitModel {
  constructor(path: string, deps: ISubmitDeps) {
    this.path = path;
    this.#deps = deps;
    this.#state = { phase: 'waiting', values: initialValues(deps.defaultMinutes()), notebook: 'as-drafted', secretsAccepted: false, mocks: {} };
    deps.notebooks.changed.connect(this.#onNotebook, this);
    if (deps.jobs === null) deps.agent.events.connect(this.#onEvent, this);
    else deps.jobs.advanced.connect(this.#onJob, this);
    deps.agent.resumed.connect(this.#onResumed, this);
  }

  readonly path: string;
  readonly #changed = new Signal<this, ISubmitState>(this);

  get state(): ISubmitState {
    return this.#state;
  }

  get changed(): ISignal<this, ISubmitState> {
    return this.#changed;
  }

  /** Someone looks at the panel: takes up what was kept, and makes the first draft. Later calls do nothing. */
  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { values, job } = await this.#deps.kept.read(this.path);
    if (values !== undefined) this.#set({ values });
    if (job === undefined) return this.refresh();
    this.#set({ phase: 'submitted', job });
    await this.#readJob(job);
  }

  /** Keeps what a person typed. */
  change(values: Partial<ISubmitValues>): void {
    this.#set({ values: { ...this.#state.values, ...values } });
    this.#deps.kept.write(this.path, { values: this.#state.values });
  }

  acceptSecrets(secretsAccepted: boolean): void {
    this.#set({ secretsAccepted });
  }

  /** Makes the draft anew: the notebook as it is on disk now, and the owners' answers of now. */
  async refresh(): Promise<void> {
    if (this.#state.phase === 'submitting' || this.#state.phase === 'drafting' || this.#state.phase === 'submitted') return;
    this.#set({ phase: 'drafting', problem: undefined, notice: undefined });
    try {
      const arrived = await this.#arrived();
      if (arrived === undefined) this.#show(await this.#ask());
      else await this.#finish(arrived);
    } catch (error) {
      this.#set({ phase: 'ready', draft: undefined, problem: problemOf(error, this.#deps.trans) });
    }
  }

  /** Saves the open notebook; then makes the draft anew. */
  async saveAndRefresh(): Promise<void> {
    if (await this.#deps.notebooks.save(this.path)) return this.refresh();
    const { trans } = this.#deps;
    this.#set({
      problem: { code: 'not_saved', title: trans.__('The notebook was not saved.'), hint: trans.__('Nothing was sent, and your edits are still open. Save the notebook; then press Refresh.') }
    });
  }

  /** Sends what is shown. A second call while the first one runs does nothing. */
  async submit(): Promise<void> {
    const { phase, draft, secretsAccepted } = this.#state;
    if (phase !== 'ready' || draft === undefined || blockersOf(this.#state, this.#deps.trans).length > 0) return;
    this.#set({ phase: 'submitting', problem: undefined, notice: undefined });
    try {
      const job = (await this.#arrived()) ?? (await this.#sendShown(draft, secretsAccepted));
      if (job !== undefined) await this.#finish(job);
    } catch (error) {
      this.#set({ phase: 'ready', problem: problemOf(error, this.#deps.trans) });
    }
  }

  /** An empty form again, for another job of the same notebook. */
  async startAnew(): Promise<void> {
    this.#deps.kept.write(this.path, { values: this.#state.values });
    this.#set({ phase: 'waiting', job: undefined, own: undefined, draft: undefined, problem: undefined, notice: undefined, secretsAccepted: false, mocks: {} });
    return this.refresh();
  }

  /** A person asked for the panel again: after a job for an empty one, after a save for what is on disk now. */
  async comeBack(): Promise<void> {
    if (this.#state.phase === 'submitted') return this.startAnew();
    if (this.#savedSince) return this.refresh();
  }

  /** Puts an asset's mock beside the notebook. */
  async getMock(name: string, replace: boolean): Promise<void> {
    this.#setMock(name, { state: 'busy' });
    const folder = this.path.split('/').slice(0, -1).join('/');
    try {
      const { mocks } = await this.#deps.agent.call(AGENT_ROUTES.fetchMocks, { body: { folder: folder === '' ? '.' : folder, names: [name], replace } });
      this.#setMock(name, mocks.find(mock => mock.name === name) ?? { state: 'none' });
    } catch (error) {
      this.#setMock(name, { state: 'failed', problem: problemOf(error, this.#deps.trans) });
    }
  }

  /** The panel was closed. What was typed stays for the next time, a job that is done with does not. */
  dispose(): void {
    if (this.#state.phase === 'submitted') this.#deps.kept.forget(this.path);
    Signal.disconnectReceiver(this);
    Signal.clearData(this);
  }

  readonly #deps: ISubmitDeps;
  #state: ISubmitState;
  #started = false;
  /** The notebook was saved after the draft was begun. */
  #savedSince = false;
  /** The terms that the last draft was asked for with. */
  #asked = '';
  /** A job whose sending broke off: it may have arrived. */
  #uncertain: Digest | undefined;

  async #ask(): Promise<DraftView> {
    const terms = termsOf(this.#state.values);
    this.#asked = JSON.stringify(terms);
    // What is saved from here on may not be in the draft.
    this.#savedSince = false;
    this.#set({ notebook: this.#deps.notebooks.isDirty(this.path) ? 'edited' : 'as-drafted' });
    return this.#deps.agent.call(AGENT_ROUTES.createDraft, { body: { notebook: this.path, ...terms } });
  }

  /** Other secrets than those that were accepted must be looked at again. */
  #show(draft: DraftView, notice?: ISubmitState['notice']): void {
    const same = draft.code === this.#state.draft?.code;
    this.#set({ phase: 'ready', draft, notice, secretsAccepted: same && this.#state.secretsAccepted });
  }

  /** A job whose sending broke off may have arrived: then sending a new draft would make a second one. */
  async #arrived(): Promise<Digest | undefined> {
    const job = this.#uncertain;
    if (job === undefined) return undefined;
    try {
      await this.#deps.agent.call(AGENT_ROUTES.getOwnJob, { params: { job } });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
      this.#uncertain = undefined;
    }
    return this.#uncertain;
  }

  /** Sends; where the terms or the notebook changed, a new draft that says the same. Undefined: it says something else and is shown. */
  async #sendShown(shown: DraftView, acceptLikelySecrets: boolean): Promise<Digest | undefined> {
    if (!this.#savedSince && this.#asked === JSON.stringify(termsOf(this.#state.values))) {
      try {
        return await this.#send(shown, acceptLikelySecrets);
      } catch (error) {
        // The agent keeps drafts in memory and few of them: it may have been started anew.
        if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
      }
    }
    const made = await this.#ask();
    if (made.code === shown.code && sayTheSame(made, shown)) {
      this.#set({ draft: made });
      return this.#send(made, acceptLikelySecrets);
    }
    this.#show(made, made.code === shown.code ? 'answers-changed' : 'code-changed');
    return undefined;
  }

  async #send({ job }: DraftView, acceptLikelySecrets: boolean): Promise<Digest> {
    try {
      return (await this.#deps.agent.call(AGENT_ROUTES.submitDraft, { body: { draft: job, acceptLikelySecrets } })).job;
    } catch (error) {
      if (error instanceof AgentUnreachable || (error instanceof AppError && error.retry)) this.#uncertain = job;
      throw error;
    }
  }

  async #finish(job: Digest): Promise<void> {
    this.#uncertain = undefined;
    this.#deps.kept.write(this.path, { job });
    this.#set({ phase: 'submitted', job });
    this.#deps.announce(job, this.path);
    await this.#readJob(job);
  }

  async #readJob(job: Digest): Promise<void> {
    const { agent, jobs } = this.#deps;
    try {
      const own = jobs === null ? await agent.call(AGENT_ROUTES.getOwnJob, { params: { job } }) : await jobs.fetch(job);
      if (this.#state.job === job) this.#set({ own });
    } catch {
      // It is submitted all the same. Where the agent is away the panel says so, and asks again when it is back.
    }
  }

  #onJob(_: IJobs, own: IOwnJob): void {
    if (own.view.job === this.#state.job) this.#set({ own });
  }

  #onEvent(_: IAgent, { job }: JobEvent): void {
    if (job === this.#state.job) void this.#readJob(job);
  }

  #onResumed(): void {
    if (this.#state.job !== undefined) void this.#readJob(this.#state.job);
  }

  #onNotebook(_: IOpenNotebooks, { path, change }: INotebookChange): void {
    if (path !== this.path) return;
    if (change === 'saved') this.#savedSince = true;
    const saved = this.#savedSince ? 'saved' : 'as-drafted';
    this.#set({ notebook: change === 'edited' ? 'edited' : saved });
  }

  #setMock(name: string, outcome: IMockOutcome): void {
    this.#set({ mocks: { ...this.#state.mocks, [name]: outcome } });
  }

  #set(changes: Partial<ISubmitState>): void {
    this.#state = { ...this.#state, ...changes };
    this.#changed.emit(this.#state);
  }
}
