import { expect, test } from 'vitest';
import { isAllowedBroker } from './broker-hosts.js';

test.each([
  'http://127.0.0.1:8080/internal', 'https://127.0.0.1', 'https://127.1', 'https://0x7f000001', 'https://2130706433', 'https://[::1]', 'https://[::ffff:7f00:1]', 'https://[fe80::1]', 'https://10.0.0.1',
  'https://169.254.169.254/latest', 'https://8.8.8.8', 'https://localhost', 'https://localhost.', 'https://a.cloister.localhost', 'https://printer.local', 'https://metadata.google.internal',
  'https://metadata', 'http://broker.hospital.example', 'no address'
])('a server for the public does not call %s', url => {
  expect(isAllowedBroker(url, 'public')).toBe(false);
});

test.each(['https://broker.hospital.example', 'https://broker.hospital.example:8443/v', 'https://local.hospital.example'])('it calls %s', url => {
  expect(isAllowedBroker(url, 'public')).toBe(true);
});

test('where hosts are named it calls these and what is below them, and nothing else', () => {
  const hosts = ['cloister.localhost'];
  expect(['http://cloister.localhost', 'http://hospital.cloister.localhost'].map(url => isAllowedBroker(url, hosts))).toEqual([true, true]);
  const others = ['http://evilcloister.localhost', 'http://cloister.localhost.evil.example', 'http://localhost', 'http://127.0.0.1', 'https://broker.hospital.example'];
  expect(others.filter(url => isAllowedBroker(url, hosts))).toEqual([]);
  expect(isAllowedBroker('https://broker.hospital.example', [])).toBe(false);
});
