import { chmod } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '@cloister/kit';
import { createAgent } from './app.js';
import { stateFolderOf } from './state-folder.js';
import { codeOf, createWorkbench, type Workbench } from './testing/index.js';

let bench: Workbench;
beforeEach(async () => (bench = await createWorkbench()));
afterEach(async () => bench.close());

test('keys that others can read are not used', async () => {
  await chmod(stateFolderOf(bench.home).keys, 0o644);
  expect(await codeOf(createAgent({ home: bench.home, transport: bench.operator.transport, serverUrl: bench.operator.serverUrl, clock: systemClock }))).toBe('key_unsafe');
});
