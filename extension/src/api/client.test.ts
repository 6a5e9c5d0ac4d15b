// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { AgentClient } from './client';

test('the token for Jupyter is in no address, also where Jupyter’s settings would put it there', () => {
  const addresses: string[] = [];
  const settings = {
    baseUrl: 'http://hub.test/user/ann/',
    wsUrl: 'ws://hub.test/user/ann/',
    token: 'a-secret',
    appendToken: true,
    WebSocket: function (url: string): void {
      addresses.push(url);
    }
  };
  // Of the browser's class only the constructor is used, of Jupyter's settings only these.
  new AgentClient(settings as unknown as ConstructorParameters<typeof AgentClient>[0]).openSocket('/v1/events');
  expect(addresses).toEqual(['ws://hub.test/user/ann/cloister/v1/events']);
});
