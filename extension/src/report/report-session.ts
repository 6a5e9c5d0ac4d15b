import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { TranslationBundle } from '@jupyterlab/translation';
import { AGENT_ROUTES, type Digest } from '@cloister/protocol';
import type { IOwnJob } from '../model/own-job';
import { problemOf, type IProblem } from '../model/problem';
import type { IAgent } from '../tokens';
import type { IComparison, IReportState, ITrustSource } from './report-state';
import type * as Verifier from './verify-content';

/** Largest report that is verified in the browser, in bytes. */
export const MAX_REPORT_BYTES = 8 * 1024 * 1024;
/** What the agent adds to a verdict is not worth a longer wait for it. */
const OWN_JOB_MS = 3000;

export interface IReportSessionDeps {
  /** Null where its plugin is disabled. */
  readonly agent: IAgent | null;
  readonly trans: TranslationBundle;
  /** The verification code, which is not part of what the page loads at start. */
  readonly loadVerifier: () => Promise<typeof Verifier>;
  /** Browsers verify signatures only in pages from https or from this machine. */
  readonly canVerify: () => boolean;
  readonly now: () => Date;
}

type TrustReply = Pick<Verifier.IVerifyContentOptions, 'trust' | 'policy'>;

/** One report that is open: its bytes are verified once for each content, and again when asked. */
export class ReportSession implements IDisposable {
  constructor(deps: IReportSessionDeps, path: string) {
    this.#deps = deps;
    this.#state = { path, checking: true };
    deps.agent?.stateChanged.connect(this.#onAgent, this);
  }

  readonly changed = new Signal<this, void>(this);
  isDisposed = false;

  get state(): IReportState {
    return this.#state;
  }

  /** The file's bytes in base64, new or as before; the same ones are not verified a second time. */
  async open(path: string, base64: string): Promise<void> {
    if (base64 === this.#content && path === this.#state.path) return;
    this.#state = { path, checking: true };
    await this.check(base64);
  }

  /** Verifies again, by the trust as it is now. */
  async check(base64: string | undefined = this.#content): Promise<void> {
    if (base64 === undefined || this.isDisposed) return;
    this.#content = base64;
    const run = ++this.#run;
    this.#set(run, { ...this.#state, checking: true });
    const { path } = this.#state;
    const obstacle = this.#obstacleFor(base64);
    try {
      if (obstacle === undefined) await this.#verify(run, base64);
      else this.#set(run, { path, checking: false, checkedAt: this.#deps.now(), obstacle });
    } catch (error) {
      this.#set(run, { path, checking: false, checkedAt: this.#deps.now(), obstacle: problemOf(error, this.#deps.trans) });
    }
  }

  /** The file could not be read; nothing is left to be shown of it. */
  refuse(error: unknown): void {
    this.#content = undefined;
    const { trans, now } = this.#deps;
    const problem = { code: 'not_found', title: trans.__('The file could not be read.'), hint: trans.__('It may have been moved or deleted. Open it again from the file browser.') };
    this.#set(++this.#run, { path: this.#state.path, checking: false, checkedAt: now(), obstacle: { ...problem, ...(error instanceof Error ? { detail: error.message } : {}) } });
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.#run += 1;
    Signal.clearData(this);
  }

  readonly #deps: IReportSessionDeps;
  #state: IReportState;
  #content: string | undefined;
  /** Of several checks that overlap only the last one counts. */
  #run = 0;

  async #verify(run: number, content: string): Promise<void> {
    const { trans, now, loadVerifier } = this.#deps;
    const { path } = this.#state;
    const verifier = await loadVerifier().catch((): undefined => undefined);
    if (verifier === undefined) {
      this.#set(run, { path, checking: false, checkedAt: now(), obstacle: notLoaded(trans) });
      return;
    }
    const { source, reply } = await this.#readTrust();
    const document = verifier.parseContent(content);
    const job = verifier.jobNamedBy(document);
    const own = reply === undefined || job === undefined ? undefined : await this.#ownJob(job);
    const by = reply ?? { trust: verifier.NO_TRUST };
    const view = await verifier.verifyDocument(document, { ...by, now: now(), ...(own === undefined ? {} : { ownJob: own.view.job }) });
    const folder = folderOf(path);
    const compares = own !== undefined && view.run !== undefined && (own.report === path || own.results === folder);
    const checked = { path, checking: false, view, checkedAt: now(), trust: source };
    this.#set(run, { ...checked, ...(compares ? { comparison: { kind: 'running', folder } } : {}) });
    if (compares) this.#set(run, { ...checked, comparison: await this.#compare(path, folder) });
  }

  async #readTrust(): Promise<{ readonly source: ITrustSource; readonly reply?: TrustReply }> {
    const { agent, trans } = this.#deps;
    if (agent === null) return { source: { kind: 'none', problem: withoutAgent(trans) } };
    try {
      const { trust, policy, where } = await agent.call(AGENT_ROUTES.getTrust, {});
      const counts = { owners: trust.owners.length, verifiers: trust.verifiers.length, images: trust.images.length };
      return { source: { kind: 'own', where, ...counts, hasPolicy: policy !== undefined }, reply: { trust, ...(policy === undefined ? {} : { policy }) } };
    } catch (error) {
      return { source: { kind: 'none', problem: problemOf(error, trans) } };
    }
  }

  /** The job where this machine remembers it; what the operator alone lists is nobody's own. */
  async #ownJob(job: Digest): Promise<IOwnJob | undefined> {
    const reply = await this.#deps.agent?.call(AGENT_ROUTES.getOwnJob, { params: { job }, signal: AbortSignal.timeout(OWN_JOB_MS) }).catch(() => undefined);
    return reply?.notebook === undefined || reply.view.job !== job ? undefined : reply;
  }

  async #compare(report: string, folder: string): Promise<IComparison> {
    const { agent, trans } = this.#deps;
    try {
      const reply = await agent?.call(AGENT_ROUTES.verifyLocalReport, { body: { report, outputs: folder === '' ? '.' : folder } });
      const outputs = reply?.checks.find(check => check.id === 'opened_outputs');
      if (reply === undefined || outputs === undefined) return { kind: 'failed', folder, problem: withoutAgent(trans) };
      return { kind: 'done', folder, verdict: reply.verdict, outputs: textual(outputs) };
    } catch (error) {
      return { kind: 'failed', folder, problem: problemOf(error, trans) };
    }
  }

  #obstacleFor(content: string): IProblem | undefined {
    const { trans, canVerify } = this.#deps;
    if (!canVerify()) return insecurePage(trans);
    return bytesIn(content) > MAX_REPORT_BYTES ? tooLarge(trans) : undefined;
  }

  /** An agent that came back brings the trust that was missing. */
  #onAgent(): void {
    if (this.#deps.agent?.state === 'ready' && this.#state.trust?.kind === 'none' && !this.#state.checking) void this.check();
  }

  #set(run: number, state: IReportState): void {
    if (run !== this.#run || this.isDisposed) return;
    this.#state = state;
    this.changed.emit();
  }
}

/** Jupyter writes base64 in lines of 76 characters, each of them 57 bytes. */
function bytesIn(base64: string): number {
  return Math.floor((base64.length / 77) * 57);
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

interface IWireCheck {
  readonly id: string;
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'skipped' | 'unknown';
  readonly expected?: unknown;
  readonly actual?: unknown;
  readonly hint?: string | undefined;
}

function textual({ id, title, status, expected, actual, hint }: IWireCheck): Extract<IComparison, { kind: 'done' }>['outputs'] {
  const texts = { ...textAs('expected', expected), ...textAs('actual', actual), ...textAs('hint', hint) };
  return { id, title, status, ...texts };
}

function textAs<K extends string>(name: K, value: unknown): Partial<Record<K, string>> {
  const result: Partial<Record<K, string>> = {};
  if (value === undefined) return result;
  const text = value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return Object.assign(result, { [name]: text });
}

function withoutAgent(trans: TranslationBundle): IProblem {
  return {
    code: 'agent_missing',
    title: trans.__('Cloister’s agent cannot be asked: its plugin is disabled.'),
    hint: trans.__('Enable the plugin cloister:agent and reload the page, or use the command at the end of this page.')
  };
}

function notLoaded(trans: TranslationBundle): IProblem {
  return {
    code: 'unavailable',
    title: trans.__('The part of this page that verifies reports could not be loaded.'),
    hint: trans.__('Check that Jupyter Server runs, then reload the page.')
  };
}

function insecurePage(trans: TranslationBundle): IProblem {
  return {
    code: 'insecure_page',
    title: trans.__('This browser does not verify signatures in a page that came over plain http.'),
    hint: trans.__('Open JupyterLab by https, or by http://localhost, then open the report again. Or use the command below on your own machine.')
  };
}

function tooLarge(trans: TranslationBundle): IProblem {
  return {
    code: 'payload_too_large',
    title: trans.__('The file is too large to be checked in the browser: over 8 MiB.'),
    hint: trans.__('Use the command below, which takes reports up to 32 MiB.')
  };
}
