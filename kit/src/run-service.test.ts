import { afterEach, expect, test, vi } from 'vitest';
import { AppError } from '@cloister/protocol';
import { runService, untilToldToEnd } from './index.js';

afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

test.each([
  ['an error of ours', new AppError('state_locked', 'another process holds it'), /^another process holds it\n.+ \(state_locked\)\n$/],
  ['any other error', new TypeError('boom'), /^TypeError: boom\n$/]
])('%s ends the process with a code, in words and without a stack', async (_, error, words) => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  await runService(async () => Promise.reject(error));
  expect(process.exitCode).toBe(1);
  expect(write.mock.calls.map(call => String(call[0])).join('')).toMatch(words);
});

test('a signal is waited for, and named', async () => {
  const told = untilToldToEnd();
  process.emit('SIGTERM');
  expect(await told).toBe('SIGTERM');
});
