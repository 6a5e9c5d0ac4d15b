import { expect, test } from 'vitest';
import { readConfig } from './config.js';

const GOOD = {
  CLOISTER_SERVER: 'http://server.cloister.localhost',
  CLOISTER_JOB: `sha256:${'a'.repeat(64)}`,
  CLOISTER_ATTEMPT: '1',
  PATH: '/usr/bin'
};

test('what is not given is where a container of the TEE has it', () => {
  expect(readConfig(GOOD)).toEqual({
    server: 'http://server.cloister.localhost',
    job: GOOD.CLOISTER_JOB,
    attempt: 1,
    python: '/usr/bin/python3',
    teeSocket: '/run/container_launcher/teeserver.sock',
    scratch: '/dev/shm'
  });
});

test('everything can be given', () => {
  const env = { ...GOOD, CLOISTER_GATEWAY: '/run/gateway.sock', CLOISTER_PYTHON: '/venv/bin/python', CLOISTER_TEE_SOCKET: '/run/tee.sock', CLOISTER_SCRATCH: '/scratch', HOME: '/root' };
  expect(readConfig(env)).toMatchObject({ gateway: '/run/gateway.sock', python: '/venv/bin/python', teeSocket: '/run/tee.sock', scratch: '/scratch', sandboxList: '/scratch.sandboxes', home: '/root' });
});

test.each([
  { name: 'CLOISTER_SERVER', value: 'file:///etc' },
  { name: 'CLOISTER_SERVER', value: 'http://user:secret@host' },
  { name: 'CLOISTER_JOB', value: 'sha256:xyz' },
  { name: 'CLOISTER_ATTEMPT', value: '0' },
  { name: 'CLOISTER_ATTEMPT', value: '1e1' },
  { name: 'CLOISTER_ATTEMPT', value: '101' },
  { name: 'CLOISTER_GATEWAY', value: `/${'x'.repeat(120)}` },
  { name: 'CLOISTER_PYTHON', value: 'python3' },
  { name: 'CLOISTER_SCRATCH', value: 'relative' },
  { name: 'CLOISTER_SECRET', value: 'x' }
])('$name=$value is refused by name, and the value is not repeated', ({ name, value }) => {
  const message = refusalOf({ ...GOOD, [name]: value });
  expect(message).toContain(`config_invalid: ${name}`);
  if (value.length > 3) expect(message).not.toContain(value);
});

test.each(['CLOISTER_SERVER', 'CLOISTER_JOB', 'CLOISTER_ATTEMPT'])('%s is required', name => {
  expect(refusalOf({ ...GOOD, [name]: undefined })).toContain(`config_invalid: ${name}`);
});

function refusalOf(env: Readonly<Record<string, string | undefined>>): string {
  try {
    readConfig(env);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  throw new Error('it was accepted');
}
