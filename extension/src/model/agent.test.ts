// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nullTranslator } from '@jupyterlab/translation';
import { AGENT_API, AGENT_ROUTES, AppError, JobEvent, toTime, type AgentMessage } from '@cloister/protocol';
import { AgentUnreachable } from '../api/agent-unreachable';
import { Agent, type IAgentConnection } from './agent';

const trans = nullTranslator.load('cloister');
const DESCRIPTION = { api: AGENT_API };

/** A WebSocket that a test speaks through. */
class FakeSocket {
  readonly sent: unknown[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  hear(message: AgentMessage | string): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
  }
}

interface IFakeConnection {
  readonly connection: IAgentConnection;
  readonly sockets: FakeSocket[];
  /** What the next calls answer; the last one stays. */
  readonly replies: unknown[];
}

function fakeConnection(...replies: unknown[]): IFakeConnection {
  const sockets: FakeSocket[] = [];
  const call = async (): Promise<unknown> => {
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply instanceof Error) throw reply;
    return reply;
  };
  const openSocket = (): FakeSocket => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  // The fakes stand in for types of the network that a test has no use for.
  return { connection: { call, openSocket, loginUrl: '/login' } as unknown as IAgentConnection, sockets, replies };
}

const event = (seq: number): JobEvent => JobEvent.parse({ seq, job: `sha256:${'0'.repeat(64)}`, state: 'running', attempt: 1, version: seq, time: toTime(new Date(0)) });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function connected(fake: IFakeConnection): Promise<{ agent: Agent; socket: FakeSocket }> {
  const agent = new Agent(fake.connection, trans);
  await vi.waitFor(() => expect(fake.sockets).toHaveLength(1));
  const [socket] = fake.sockets;
  if (socket === undefined) throw new Error('no socket was opened');
  socket.onopen?.();
  socket.hear({ kind: 'hello', api: AGENT_API });
  return { agent, socket };
}

describe('the line to the agent', () => {
  test('is ready once the agent said hello, and asks for events from now on', async () => {
    const { agent, socket } = await connected(fakeConnection(DESCRIPTION));
    expect(agent.state).toBe('ready');
    expect(socket.sent).toEqual([{}]);
  });

  test('goes on after the last event that was seen', async () => {
    const fake = fakeConnection(DESCRIPTION);
    const { agent, socket } = await connected(fake);
    const seen: number[] = [];
    agent.events.connect((_, { seq }) => seen.push(seq));
    socket.hear({ kind: 'event', event: event(7) });
    socket.onclose?.();
    await vi.advanceTimersByTimeAsync(1000);
    fake.sockets[1]?.onopen?.();
    expect(seen).toEqual([7]);
    expect(fake.sockets[1]?.sent).toEqual([{ resumeAfter: 7 }]);
  });

  test.each([['missing'], ['failed'], ['signed-out'], ['offline'], ['outdated']] as const)('says %s, and comes back by itself', async state => {
    const fake = fakeConnection(new AgentUnreachable(state), DESCRIPTION);
    const agent = new Agent(fake.connection, trans);
    await vi.waitFor(() => expect(agent.state).toBe(state));
    await vi.advanceTimersByTimeAsync(1000);
    fake.sockets[0]?.hear({ kind: 'hello', api: AGENT_API });
    expect(agent.state).toBe('ready');
  });

  test.each([
    ['another version by number', { api: AGENT_API + 1 }],
    ['another version by its shape', new AppError('invalid_object', 'unexpected reply')]
  ])('tells %s', async (_, reply) => {
    const agent = new Agent(fakeConnection(reply).connection, trans);
    await vi.waitFor(() => expect(agent.state).toBe('outdated'));
  });

  test('a message that it does not understand ends the line', async () => {
    const { agent, socket } = await connected(fakeConnection(DESCRIPTION));
    socket.hear('<html>');
    expect(agent.state).toBe('outdated');
    expect(socket.closed).toBe(true);
  });

  test('an agent that cannot reach its services says so, in its own words, until it can', async () => {
    const { agent, socket } = await connected(fakeConnection(DESCRIPTION));
    socket.hear({ kind: 'trouble', code: 'daemon_unreachable', detail: 'nobody answers', hint: 'Start it.' });
    expect(agent.state).toBe('ready');
    expect(agent.trouble).toMatchObject({ code: 'daemon_unreachable', hint: 'Start it.' });
    socket.hear({ kind: 'recovered' });
    expect(agent.trouble).toBeUndefined();
  });

  test('a call that does not reach the agent is told to all, and to its caller', async () => {
    const fake = fakeConnection(DESCRIPTION);
    const { agent } = await connected(fake);
    fake.replies.unshift(new AgentUnreachable('signed-out'));
    await expect(agent.call(AGENT_ROUTES.listOwnJobs, {})).rejects.toThrow('signed-out');
    expect(agent.state).toBe('signed-out');
  });
});
