import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { AGENT_EVENTS_PATH, AgentMessage, parseJson, type AgentSubscription, type ClientDeps } from '@cloister/protocol';
import { createLogger, createTransport, listen } from '@cloister/kit';
import { createAgentApp } from '../http/create-agent-app.js';
import type { Workbench } from './workbench.js';

/** The agent's face for JupyterLab over a real socket, and what may stand before it: the page, or somebody else. */
export interface AgentFace {
  /** As JupyterLab's own page, through the proxy. */
  readonly client: ClientDeps;
  readonly raw: (options: RawRequest) => Promise<RawReply>;
  /** A page's WebSocket, open. Rejects with `refused <status>`. */
  readonly socket: (options?: SocketOptions) => Promise<PageSocket>;
  /** Ends what is open, and waits until it is. */
  readonly close: () => Promise<void>;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RawReply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

export interface SocketOptions {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as soon as it is open. */
  readonly subscription?: AgentSubscription;
  readonly autoPong?: boolean;
}

export interface PageSocket {
  readonly messages: AgentMessage[];
  /** Sequence numbers of the events that came. */
  readonly seqs: () => number[];
  readonly kinds: () => string[];
  readonly send: (data: string | Uint8Array) => void;
  readonly close: () => void;
  /** Stops reading, as a page that hangs. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** The close code, once it is closed. */
  readonly closed: Promise<number>;
}

export const PROXY_SECRET = 'a-secret-that-only-the-proxy-knows-0001';
/** Of a page's request, as the proxy hands it on. */
export const PAGE_HEADERS = { 'x-cloister-proxy-secret': PROXY_SECRET, 'x-cloister-client': 'jupyterlab', origin: 'http://agent.test', 'sec-fetch-site': 'same-origin' };
/** Of a page's WebSocket: browsers send no header of ours with one. */
export const SOCKET_HEADERS = { 'x-cloister-proxy-secret': PROXY_SECRET, origin: 'http://agent.test', host: 'agent.test' };

export async function createAgentFace(bench: Workbench, options: { readonly pingMs?: number } = {}): Promise<AgentFace> {
  const logger = createLogger({ service: 'agent', level: 'silent', destination: 'stderr' });
  const { app, upgrade, close } = await createAgentApp({ agent: async () => bench.agent, workspace: bench.workspace, proxySecret: PROXY_SECRET, logger, ...options });
  const socketPath = join(bench.home, 'agent.sock');
  const listening = await listen(app, { socketPath }, { upgrade });
  const network = createTransport({ sockets: { 'agent.test': socketPath } });
  return {
    client: { transport: network.transport, baseUrl: 'http://agent.test', headers: PAGE_HEADERS },
    raw: async given => sendRaw(socketPath, given),
    socket: async given => openSocket(socketPath, given),
    close: async () => {
      close();
      network.close();
      await listening.close(200);
    }
  };
}

async function sendRaw(socketPath: string, { method = 'GET', path = '/v1/agent', headers = {}, body }: RawRequest): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers: { host: 'agent.test', ...headers } }, incoming => {
      void text(incoming).then(said => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: said }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function openSocket(socketPath: string, { path = AGENT_EVENTS_PATH, headers = SOCKET_HEADERS, subscription, autoPong = true }: SocketOptions = {}): Promise<PageSocket> {
  const socket = new WebSocket(`ws+unix://${socketPath}:${path}`, { headers: { ...headers }, autoPong });
  const messages: AgentMessage[] = [];
  socket.on('message', data => messages.push(AgentMessage.parse(parseJson(Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data)))));
  const closed = new Promise<number>(resolve => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('unexpected-response', (_, reply) => reject(new Error(`refused ${reply.statusCode ?? 0}`)));
    socket.on('error', reject);
  });
  if (subscription !== undefined) socket.send(JSON.stringify(subscription));
  return {
    messages,
    seqs: () => messages.flatMap(message => (message.kind === 'event' ? [message.event.seq] : [])),
    kinds: () => messages.map(message => message.kind),
    send: data => socket.send(data),
    close: () => socket.close(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    closed
  };
}
