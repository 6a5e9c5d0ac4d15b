import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AGENT_API, type Digest } from '@cloister/protocol';
import { createAgentFace, createWorkbench, READS_BOTH, SOCKET_HEADERS, submitNotebook, type AgentFace, type PageSocket, type Workbench } from '../testing/index.js';

let bench: Workbench;
let face: AgentFace;
let job: Digest;
beforeEach(async () => {
  bench = await createWorkbench();
  face = await createAgentFace(bench);
  ({ job } = await submitNotebook(bench, { notebook: await bench.put('study.ipynb', READS_BOTH) }));
});
afterEach(async () => {
  await face.close();
  await bench.close();
});

const advance = (times: number): void => {
  for (let done = 0; done < times; done += 1) bench.operator.advance(job, 'running', { attempt: 1 });
};
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);
/** A page for which events flow. */
async function listening(resumeAfter?: number): Promise<PageSocket> {
  const page = await face.socket({ subscription: resumeAfter === undefined ? {} : { resumeAfter } });
  await expect.poll(() => page.kinds()).toContain('recovered');
  return page;
}

describe('events', () => {
  test('the agent greets at once, then says that events flow, then tells each', async () => {
    const page = await face.socket();
    await expect.poll(() => page.messages).toEqual([{ kind: 'hello', api: AGENT_API }]);
    expect(bench.operator.streams()).toBe(0);
    page.send('{}');
    await expect.poll(() => page.kinds()).toEqual(['hello', 'recovered']);
    advance(2);
    await expect.poll(() => page.seqs()).toEqual([1, 2]);
  });

  test('many pages share one stream, each gets every event once, and the last that leaves ends it', async () => {
    const pages = await Promise.all(upTo(12).map(async () => listening()));
    expect(bench.operator.streams()).toBe(1);
    advance(20);
    for (const page of pages) await expect.poll(() => page.seqs()).toEqual(upTo(20));
    for (const page of pages.slice(1)) page.close();
    advance(1);
    await expect.poll(() => pages[0]?.seqs().at(-1)).toBe(21);
    expect(bench.operator.streams()).toBe(1);
    pages[0]?.close();
    await expect.poll(() => bench.operator.streams()).toBe(0);
  });

  test('a page that comes back goes on where it was, from memory: nothing is lost, nothing comes twice', async () => {
    const other = await listening();
    const page = await listening();
    advance(5);
    await expect.poll(() => page.seqs()).toEqual(upTo(5));
    page.close();
    await page.closed;
    advance(5);
    await expect.poll(() => other.seqs()).toEqual(upTo(10));
    const again = await listening(5);
    advance(3);
    await expect.poll(() => again.seqs()).toEqual(upTo(13, 6));
    expect(bench.operator.calls.filter(call => call.startsWith('jobEvents'))).toEqual(['jobEvents -']);
  });

  test('what was before its memory the agent asks the server for, on one stream for all who want it', async () => {
    advance(8);
    const pages = await Promise.all([listening(2), listening(6), listening(4), listening(2)]);
    for (const [at, first] of [3, 7, 5, 3].entries()) await expect.poll(() => pages[at]?.seqs()).toEqual(upTo(8, first));
    expect(bench.operator.streams()).toBeLessThanOrEqual(2);
    advance(4);
    for (const [at, first] of [3, 7, 5, 3].entries()) await expect.poll(() => pages[at]?.seqs()).toEqual(upTo(12, first));
    // Live events reached them all, so the second stream is not needed any more.
    await expect.poll(() => bench.operator.streams()).toBe(1);
  });

  test('a page that names a number from nowhere silences nobody else', async () => {
    const lost = await listening(999_999_999_999_999);
    const page = await listening();
    advance(2);
    await expect.poll(() => page.seqs()).toEqual([1, 2]);
    expect(lost.seqs()).toEqual([]);
  });
});

describe('an outage behind the agent', () => {
  test('a stream that merely breaks is resumed, and nobody is bothered', async () => {
    const page = await listening();
    advance(2);
    await expect.poll(() => page.seqs()).toEqual([1, 2]);
    bench.operator.dropStreams();
    advance(3);
    await expect.poll(() => page.seqs(), { timeout: 10_000 }).toEqual(upTo(5));
    expect(page.kinds().filter(kind => kind !== 'event')).toEqual(['hello', 'recovered']);
    expect(bench.operator.calls).toContain('jobEvents 2');
  });

  test('is told once, also to who comes meanwhile, and its end too; the sockets stay and nothing is lost', async () => {
    const page = await listening();
    advance(1);
    await expect.poll(() => page.seqs()).toEqual([1]);
    bench.operator.refuseStreams = true;
    bench.operator.dropStreams();
    await expect.poll(() => page.messages.at(-1)).toMatchObject({ kind: 'trouble', code: 'unavailable', detail: 'the server starts' });
    const asked = bench.operator.calls.length;
    await expect.poll(() => bench.operator.calls.length, { timeout: 10_000 }).toBeGreaterThan(asked + 1);
    const late = await face.socket({ subscription: {} });
    await expect.poll(() => late.kinds()).toEqual(['hello', 'trouble']);
    advance(2);
    bench.operator.refuseStreams = false;
    await expect.poll(() => page.seqs(), { timeout: 15_000 }).toEqual([1, 2, 3]);
    expect(page.kinds()).toEqual(['hello', 'recovered', 'event', 'trouble', 'recovered', 'event', 'event']);
    expect(late.kinds().slice(0, 3)).toEqual(['hello', 'trouble', 'recovered']);
  });
});

describe('who may not listen', () => {
  const without = (name: string): Record<string, string> => Object.fromEntries(Object.entries(SOCKET_HEADERS).filter(([key]) => key !== name));
  const FORGED: readonly (readonly [string, Record<string, string>])[] = [
    ['without the proxy’s secret', without('x-cloister-proxy-secret')],
    ['with another secret', { ...SOCKET_HEADERS, 'x-cloister-proxy-secret': 'guessed' }],
    ['without Origin', without('origin')],
    ['with an empty Origin', { ...SOCKET_HEADERS, origin: '' }],
    ['from another site', { ...SOCKET_HEADERS, origin: 'http://evil.test' }],
    ['from another port of the same host', { ...SOCKET_HEADERS, origin: 'http://agent.test:8889' }],
    ['from a sandboxed frame', { ...SOCKET_HEADERS, origin: 'null' }],
    ['that the browser says comes from elsewhere', { ...SOCKET_HEADERS, 'sec-fetch-site': 'same-site' }]
  ];
  test.each(FORGED)('a socket %s', async (_, headers) => {
    await expect(face.socket({ headers })).rejects.toThrow('refused 403');
    expect(bench.operator.streams()).toBe(0);
  });

  test('a socket at any other path; a token in the query, as the proxy hands it on, does not matter', async () => {
    await expect(face.socket({ path: '/v1/jobs' })).rejects.toThrow('refused 403');
    const page = await face.socket({ path: '/v1/events?token=abc', subscription: {} });
    await expect.poll(() => page.kinds()).toEqual(['hello', 'recovered']);
  });

  test('the refusal is plain, and the connection ends', async () => {
    const connection = createConnection(join(bench.home, 'agent.sock'));
    connection.write('GET /v1/events HTTP/1.1\r\nhost: agent.test\r\norigin: http://evil.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
    expect(await text(connection)).toBe('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });

  test('more than 64 pages', async () => {
    const pages = await Promise.all(upTo(64).map(async () => face.socket({})));
    await expect(face.socket()).rejects.toThrow('refused 503');
    pages[0]?.close();
    await pages[0]?.closed;
    await expect.poll(async () => face.socket({}).then(() => 'open', (error: unknown) => String(error))).toBe('open');
  });
});

describe('a page that misbehaves is shown out', () => {
  test.each([
    ['nonsense', 'hello'],
    ['a member that is not known', '{"all":true}'],
    ['a number that is none of a server’s', '{"resumeAfter":1e15}'],
    ['a key twice', '{"resumeAfter":1,"resumeAfter":2}']
  ])('%s: 1008', async (_, message) => {
    const page = await face.socket();
    page.send(message);
    expect(await page.closed).toBe(1008);
    expect(bench.operator.streams()).toBe(0);
  });

  test('a message of over 4 KiB: 1009', async () => {
    const page = await face.socket();
    page.send(`{"resumeAfter":1${' '.repeat(4096)}}`);
    expect(await page.closed).toBe(1009);
  });

  test('a second message: 1008, and its events end', async () => {
    const page = await listening();
    page.send('{}');
    expect(await page.closed).toBe(1008);
    await expect.poll(() => bench.operator.streams()).toBe(0);
  });

  test('no answer to pings', async () => {
    const strict = await createAgentFace({ ...bench, home: join(bench.home, 'agent') }, { pingMs: 50 });
    const silent = await strict.socket({ subscription: {}, autoPong: false });
    const lively = await strict.socket({ subscription: {} });
    expect(await silent.closed).toBe(1006);
    advance(1);
    await expect.poll(() => lively.seqs()).toEqual([1]);
    await strict.close();
  });

  test('one that does not read is cut off before it fills the memory, and the others go on', async () => {
    const slow = await listening();
    const page = await listening();
    slow.pause();
    // Some three megabytes, of which a socket's own buffers take a part.
    advance(12_000);
    await expect.poll(() => page.seqs().length, { timeout: 20_000 }).toBe(12_000);
    slow.resume();
    expect(await slow.closed).toBe(1006);
    expect(slow.seqs().length).toBeLessThan(12_000);
    expect(slow.seqs()).toEqual(upTo(slow.seqs().length));
  });
});

test('an agent that ends says so to its pages', async () => {
  const page = await listening();
  await face.close();
  expect(await page.closed).toBe(1001);
  await expect.poll(() => bench.operator.streams()).toBe(0);
});
