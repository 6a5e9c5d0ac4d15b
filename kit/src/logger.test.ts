import { expect, test } from 'vitest';
import { AppError } from '@cloister/protocol';
import { createLogger, type Logger } from './index.js';

function capture(level: 'info' | 'silent' = 'info'): { logger: Logger; text: () => string } {
  const lines: string[] = [];
  const logger = createLogger({ service: 'test', level, destination: { write: line => lines.push(line) } });
  return { logger, text: () => lines.join('') };
}

const IDENTITY = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`;
const TOKEN = `eyJhbGciOiJFZERTQSJ9.${'a'.repeat(40)}.${'b'.repeat(86)}`;
const PEM = '-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----';

test.each<[string, (logger: Logger) => void, string]>([
  ['a token in a field', logger => logger.info({ token: 'plain-value' }), 'plain-value'],
  ['a key in a nested field', logger => logger.info({ a: [{ fileKey: 'plain-value' }] }), 'plain-value'],
  ['a body', logger => logger.info({ body: { rows: 'plain-value' } }), 'plain-value'],
  ['a query', logger => logger.info({ query: 'plain-value' }), 'plain-value'],
  ['a proof header', logger => logger.info({ 'cloister-proof': 'plain-value' }), 'plain-value'],
  ['bytes', logger => logger.info({ data: Buffer.from('plain-value') }), 'plain-value'],
  ['an identity in a message', logger => logger.info(`bad identity ${IDENTITY}`), IDENTITY],
  ['an identity in an error', logger => logger.error(new Error(`cannot parse ${IDENTITY}`)), IDENTITY],
  ['an identity in the cause of an error', logger => logger.error({ err: new AppError('internal', 'x', { cause: new Error(IDENTITY) }) }, 'm'), IDENTITY],
  ['a token in a message', logger => logger.warn(`got ${TOKEN}`), TOKEN],
  ['a token in a child’s bindings', logger => logger.child({ note: TOKEN }).info('x'), TOKEN],
  ['a PEM key', logger => logger.info({ note: PEM }), 'MC4CAQ'],
  ['what a library hangs on its error', logger => logger.error(Object.assign(new Error('x'), { request: 'plain-value' })), 'plain-value']
])('%s is not logged', (_, log, secret) => {
  const { logger, text } = capture();
  log(logger);
  expect(text()).not.toBe('');
  expect(text()).not.toContain(secret);
});

test('a line still says what happened: service, level, time, cause', () => {
  const { logger, text } = capture();
  logger.error({ err: new AppError('storage_full', 'no space', { cause: new Error('ENOSPC') }), job: 'sha256:ab' }, 'failed');
  const line: unknown = JSON.parse(text());
  expect(line).toMatchObject({
    service: 'test',
    level: 'error',
    msg: 'failed',
    job: 'sha256:ab',
    err: { type: 'AppError', code: 'storage_full', message: 'storage_full: no space', cause: { message: 'ENOSPC' } }
  });
});

test('a deep or circular object ends somewhere', () => {
  const { logger, text } = capture();
  const loop: Record<string, unknown> = { name: 'loop' };
  Reflect.set(loop, 'self', loop);
  logger.info(loop);
  expect(text().length).toBeLessThan(2000);
});
