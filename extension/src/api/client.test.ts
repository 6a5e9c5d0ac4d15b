// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { ServerConnection } from '@jupyterlab/services';
import { AgentClient } from './client';

test('the token for Jupyter is in no address, also where Jupyter’s settings would put it there', () => {
  const addresses: string[] = [];
  class FakeSocket {
    constructor(url: string) {
      addresses.push(url);
    }
  }
  // The fake stands in for the browser's class, of which only the constructor is used.
  const WebSocket = FakeSocket as unknown as ServerConnection.ISettings['WebSocket'];
  const settings = ServerConnection.makeSettings({ baseUrl: 'http://hub.test/user/ann/', wsUrl: 'ws://hub.test/user/ann/', token: 'a-secret', appendToken: true, WebSocket });
  new AgentClient(settings).openSocket('/v1/events');
  expect(addresses).toEqual(['ws://hub.test/user/ann/cloister/v1/events']);
});
