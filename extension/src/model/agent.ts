import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { AGENT_API, AGENT_EVENTS_PATH, AGENT_ROUTES, AgentMessage, AppError, isErrorCode, type CallOptions, type JobEvent, type RouteReply, type RouteSpec } from '@cloister/protocol';
import { AgentUnreachable } from '../api/agent-unreachable';
import type { AgentClient } from '../api/client';
import type { AgentDescription, IAgent } from '../tokens';
import type { AgentState } from './agent-state';
import { problemOf, type IProblem } from './problem';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** What of the client is used here, so that a test can stand in for the network. */
export type IAgentConnection = Pick<AgentClient, 'call' | 'openSocket' | 'loginUrl'>;

/**
 * Keeps the line to the agent: asks who it is, then listens to its events over a WebSocket, and begins again by itself
 * whatever broke it. Events go on after the last one that was seen, so none is lost and none comes twice.
 */
export class Agent implements IAgent {
  constructor(client: IAgentConnection, trans: TranslationBundle) {
    this.#client = client;
    this.#trans = trans;
    this.loginUrl = client.loginUrl;
    // Whoever comes back to a sleeping laptop or from the login page need not wait for the next try.
    for (const happening of ['online', 'focus'] as const) window.addEventListener(happening, () => this.reconnect());
    this.reconnect();
  }

  readonly loginUrl: string;
  readonly stateChanged = new Signal<this, AgentState>(this);
  readonly events = new Signal<this, JobEvent>(this);
  readonly resumed = new Signal<this, void>(this);

  get state(): AgentState {
    return this.#state;
  }

  get description(): AgentDescription | undefined {
    return this.#description;
  }

  get trouble(): IProblem | undefined {
    return this.#trouble;
  }

  async call<R extends RouteSpec>(route: R, options: CallOptions<R>): Promise<RouteReply<R>> {
    return this.#client.call(route, options).catch((error: unknown) => {
      if (error instanceof AgentUnreachable) this.#lose(error.state);
      throw error;
    });
  }

  reconnect(): void {
    if (this.#connecting || this.#socket !== undefined) return;
    window.clearTimeout(this.#timer);
    this.#connecting = true;
    void this.#connect().finally(() => (this.#connecting = false));
  }

  readonly #client: IAgentConnection;
  readonly #trans: TranslationBundle;
  #state: AgentState = 'connecting';
  #description: AgentDescription | undefined;
  #trouble: IProblem | undefined;
  #socket: WebSocket | undefined;
  #connecting = false;
  #timer = 0;
  #pauses = 0;
  #lastSeen: number | undefined;

  async #connect(): Promise<void> {
    try {
      this.#description = await this.#client.call(AGENT_ROUTES.describeAgent, {});
      if (this.#description.api !== AGENT_API) throw new AgentUnreachable('outdated');
      this.#trouble = undefined;
      this.#listen();
    } catch (error) {
      const state = stateOf(error);
      // It answers, and says itself what it lacks.
      if (state === 'ready') this.#trouble = problemOf(error, this.#trans);
      this.#lose(state);
    }
  }

  #listen(): void {
    const socket = this.#client.openSocket(AGENT_EVENTS_PATH);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#lastSeen === undefined ? {} : { resumeAfter: this.#lastSeen }));
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#receive(data);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#retryLater();
    };
  }

  #receive(data: unknown): void {
    const parsed = typeof data === 'string' ? AgentMessage.safeParse(parse(data)) : undefined;
    if (parsed?.success !== true) {
      this.#lose('outdated');
      return;
    }
    const message = parsed.data;
    switch (message.kind) {
      case 'hello':
        this.#pauses = 0;
        this.#change('ready', this.#trouble);
        this.resumed.emit();
        return;
      case 'event':
        this.#lastSeen = message.event.seq;
        this.events.emit(message.event);
        return;
      case 'trouble':
        this.#change('ready', problemOf(new AppError(isErrorCode(message.code) ? message.code : 'unavailable', message.detail, { hint: message.hint }), this.#trans));
        return;
      case 'recovered':
        this.#change('ready', undefined);
        this.resumed.emit();
        return;
    }
  }

  /** Ends the line, says why, and tries again after a while. */
  #lose(state: AgentState): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#change(state, this.#trouble);
    this.#retryLater();
  }

  #change(state: AgentState, trouble: IProblem | undefined): void {
    if (state === this.#state && trouble === this.#trouble) return;
    this.#state = state;
    this.#trouble = trouble;
    this.stateChanged.emit(state);
  }

  #retryLater(): void {
    window.clearTimeout(this.#timer);
    // Six tabs that lost the same server shall not come back in the same instant.
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#pauses) * (0.75 + Math.random() / 2);
    this.#pauses += 1;
    this.#timer = window.setTimeout(() => this.reconnect(), pause);
  }
}

function stateOf(error: unknown): AgentState {
  if (error instanceof AgentUnreachable) return error.state;
  // A reply of another shape than this page knows is another version's.
  if (error instanceof AppError) return error.code === 'invalid_object' ? 'outdated' : 'ready';
  return 'failed';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
