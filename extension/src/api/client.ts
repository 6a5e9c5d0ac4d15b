import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { AppError, callRoute, type CallOptions, type RouteReply, type RouteSpec, type Transport, type TransportReply } from '@cloister/protocol';
import { AgentUnreachable } from './agent-unreachable';

/** Where jupyter-server-proxy puts the agent, below Jupyter's own base URL. */
const PREFIX = 'cloister';

/**
 * The one user of ServerConnection. Requests carry what the agent's guard asks for; a reply that is not the agent's own
 * (a login page, the proxy's error page) becomes an AgentUnreachable that says what a person can do.
 */
export class AgentClient {
  constructor(settings: ServerConnection.ISettings) {
    // `no-store` would make Jupyter add a number to the query; the agent's replies forbid storing themselves.
    this.#settings = ServerConnection.makeSettings({ ...settings, init: { ...settings.init, cache: 'no-cache' } });
    // protocol joins its path to this text; what the browser asks for is joined to Jupyter's own URL.
    this.#baseUrl = URLExt.join(this.#settings.baseUrl, PREFIX);
  }

  async call<R extends RouteSpec>(route: R, options: CallOptions<R>): Promise<RouteReply<R>> {
    const headers = { 'x-cloister-client': 'jupyterlab' };
    return callRoute({ transport: this.#transport, baseUrl: this.#baseUrl, headers }, route, options);
  }

  /**
   * A WebSocket to a path of the agent. Its handshake carries Jupyter's own login, by its cookie. Never the token: it would
   * be in the address, and jupyter-server-proxy writes addresses to Jupyter's log. The agent refuses pages of another host
   * anyhow, which alone would need it.
   */
  openSocket(path: string): WebSocket {
    const { WebSocket: Socket, wsUrl } = this.#settings;
    return new Socket(URLExt.join(wsUrl, PREFIX, path));
  }

  /** Jupyter's own login page, which leads back here. */
  get loginUrl(): string {
    return URLExt.join(this.#settings.baseUrl, 'login');
  }

  readonly #settings: ServerConnection.ISettings;
  readonly #baseUrl: string;

  readonly #transport: Transport = async ({ method, url, headers, body, signal }) => {
    const init: RequestInit = { method, headers: { ...headers }, redirect: 'manual', ...(signal === undefined ? {} : { signal }) };
    if (body instanceof Uint8Array) init.body = new TextDecoder().decode(body);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this.#settings);
    } catch (cause) {
      if (signal?.aborted === true) throw new AppError('cancelled', 'the request was broken off', { cause });
      throw new AgentUnreachable('offline', { cause });
    }
    return repliesOfAgent(response);
  };
}

/** The agent's own reply; anything else on the way says by its kind what is wrong. */
async function repliesOfAgent(response: Response): Promise<TransportReply> {
  const type = response.headers.get('content-type') ?? '';
  if (response.type === 'opaqueredirect' || (response.status === 200 && type.startsWith('text/html'))) throw new AgentUnreachable('signed-out');
  if (response.status === 204 || /^application\/(problem\+)?json/.test(type)) {
    if (!response.ok && !type.startsWith('application/problem+json')) throw new AgentUnreachable(stateOfForeign(response.status));
    return { status: response.status, headers: Object.fromEntries(response.headers), body: bytesOf(response) };
  }
  throw new AgentUnreachable(stateOfForeign(response.status));
}

/** What Jupyter or its proxy mean by a status, where the agent did not answer itself. */
function stateOfForeign(status: number): 'signed-out' | 'missing' | 'failed' | 'offline' {
  if (status === 401 || status === 403) return 'signed-out';
  if (status === 404) return 'missing';
  if (status === 500 || status === 503 || status === 504 || status === 599) return 'failed';
  return 'offline';
}

async function* bytesOf(response: Response): AsyncGenerator<Uint8Array, undefined> {
  yield new Uint8Array(await response.arrayBuffer());
  return undefined;
}
