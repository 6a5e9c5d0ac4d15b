import type { Page } from '@playwright/test';

/** What came back to the attacking page: text that it could read is a leak, an open socket or stream is one too. */
export interface AttackEnd {
  readonly how: string;
  readonly leak: string | undefined;
}

export interface AttackTarget {
  /** Address of the agent, with a slash at the end. */
  readonly agent: string;
  readonly get: readonly string[];
  readonly post: readonly { readonly path: string; readonly body: unknown }[];
}

/** Put into the attacking page, where the functions below run: they can take nothing from here but data. */
interface AttackTools {
  readonly settled: (how: string, work: Promise<string | undefined>) => Promise<AttackEnd>;
  readonly tryFetch: (how: string, url: string, init: RequestInit) => Promise<AttackEnd>;
  readonly tryElement: (how: string, element: HTMLElement) => Promise<AttackEnd>;
}

declare global {
  interface Window {
    attackTools: AttackTools;
  }
}

/** Tries from this page everything that a browser lets a stranger's page try. */
export async function attack(page: Page, target: AttackTarget): Promise<AttackEnd[]> {
  await installTools(page);
  const ends = await Promise.all([
    ...target.get.map(async path => attackByReading(page, target.agent + path)),
    ...target.post.flatMap(({ path, body }) => [attackByWriting, attackByForms].map(async way => way(page, target.agent + path, JSON.stringify(body)))),
    attackByStreams(page, `${target.agent}v1/events`)
  ]);
  return ends.flat();
}

async function installTools(page: Page): Promise<void> {
  await page.evaluate(() => {
    const settled: AttackTools['settled'] = async (how, work) => {
      const late = new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), 5_000));
      return { how, leak: await Promise.race([work.catch(() => undefined), late]) };
    };
    window.attackTools = {
      settled,
      tryFetch: async (how, url, init) => {
        const read = async (response: Response): Promise<string | undefined> => (response.type.startsWith('opaque') ? undefined : response.text());
        return settled(`${how} ${url}`, fetch(url, { credentials: 'include', ...init }).then(read));
      },
      tryElement: async (how, element) => {
        const loaded = new Promise<string | undefined>(resolve => {
          // A frame says "loaded" of whatever it got; what is inside is looked at apart.
          element.onload = () => resolve(element instanceof HTMLIFrameElement ? undefined : 'loaded');
          element.onerror = () => resolve(undefined);
        });
        document.body.append(element);
        return settled(how, loaded);
      }
    };
  });
}

async function attackByReading(page: Page, url: string): Promise<AttackEnd[]> {
  return page.evaluate(async src => {
    const { settled, tryFetch, tryElement } = window.attackTools;
    const frame = Object.assign(document.createElement('iframe'), { src });
    return [
      await tryElement(`img ${src}`, Object.assign(document.createElement('img'), { src })),
      await tryElement(`script ${src}`, Object.assign(document.createElement('script'), { src })),
      await tryElement(`iframe ${src}`, frame),
      await settled(`inside of the iframe ${src}`, Promise.resolve().then(() => frame.contentDocument?.body.textContent ?? undefined)),
      await tryFetch('GET no-cors', src, { mode: 'no-cors' }),
      await tryFetch('GET cors', src, { mode: 'cors' }),
      await tryFetch('GET cors with our header', src, { mode: 'cors', headers: { 'X-Cloister-Client': 'jupyterlab' } })
    ];
  }, url);
}

async function attackByWriting(page: Page, url: string, json: string): Promise<AttackEnd[]> {
  return page.evaluate(
    async ([to, body]) => {
      const { settled, tryFetch } = window.attackTools;
      const type = { 'content-type': 'application/json' };
      const post = async (how: string, init: RequestInit): Promise<AttackEnd> => tryFetch(`POST ${how}`, to, { method: 'POST', body, ...init });
      return [
        await post('no-cors text/plain', { mode: 'no-cors' }),
        await post('no-cors urlencoded', { mode: 'no-cors', body: new URLSearchParams({ body }) }),
        await post('cors text/plain', { mode: 'cors' }),
        await post('cors JSON', { mode: 'cors', headers: type }),
        await post('cors JSON with our header', { mode: 'cors', headers: { ...type, 'X-Cloister-Client': 'jupyterlab' } }),
        await settled(`beacon ${to}`, Promise.resolve(navigator.sendBeacon(to, new Blob([body], { type: 'text/plain' })) ? undefined : 'not sent'))
      ];
    },
    [url, json] as const
  );
}

async function attackByForms(page: Page, url: string, json: string): Promise<AttackEnd[]> {
  return page.evaluate(
    async ([action, body]) => {
      const ends: AttackEnd[] = [];
      for (const enctype of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
        const frame = Object.assign(document.createElement('iframe'), { name: `answer-${Math.random()}` });
        const form = Object.assign(document.createElement('form'), { action, method: 'post', target: frame.name, enctype });
        // As text/plain a field is sent as `name=value`: with the sign inside of a string the whole is JSON.
        const before = body === '{}' ? '{' : `${body.slice(0, -1)},`;
        form.append(Object.assign(document.createElement('input'), { name: `${before}"x":"`, value: '"}' }));
        const answered = new Promise<undefined>(resolve => (frame.onload = () => resolve(undefined)));
        document.body.append(frame, form);
        form.submit();
        ends.push(await window.attackTools.settled(`form ${enctype} ${action}`, answered));
      }
      return ends;
    },
    [url, json] as const
  );
}

async function attackByStreams(page: Page, url: string): Promise<AttackEnd[]> {
  return page.evaluate(async events => {
    const { settled } = window.attackTools;
    const stream = new EventSource(events, { withCredentials: true });
    const socket = new WebSocket(events.replace('http', 'ws'));
    const opened = async (source: EventSource | WebSocket): Promise<string | undefined> =>
      new Promise(resolve => {
        source.onopen = () => resolve('open');
        source.onmessage = ({ data }: MessageEvent<unknown>) => resolve(String(data));
        source.onerror = () => resolve(undefined);
      });
    const ends = [await settled('EventSource', opened(stream)), await settled('WebSocket', opened(socket))];
    stream.close();
    socket.close();
    return ends;
  }, url);
}
