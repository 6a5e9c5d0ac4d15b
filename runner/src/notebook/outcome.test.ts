import { expect, test } from 'vitest';

import type { DriverResult } from './driver-result.js';
import { decideOutcome, type RunFacts } from './outcome.js';

const driver = (kind?: NonNullable<DriverResult['failure']>['kind']): DriverResult => ({ done: 2, cells: [], ...(kind === undefined ? {} : { failure: { kind } }) });
const facts = (changes: Partial<RunFacts>): RunFacts => ({ met: true, ready: true, total: 2, kernelSaid: '', driverSaid: '', ...changes });
const ended = (status: number, ran = true) => ({ status, ran });

test('every cell ran: succeeded, also where the kernel ended meanwhile', () => {
  expect(decideOutcome(facts({ driver: driver(), kernelEnd: ended(0) }))).toEqual({ status: 'succeeded' });
});

test.each([
  ['the runner’s own stop counts before the driver’s word', facts({ stopped: 'deadline_exceeded', driver: driver('raised') }), 'deadline_exceeded'],
  ['cancelled', facts({ stopped: 'cancelled' }), 'cancelled'],
  ['no result', facts({}), 'kernel_misbehaved'],
  ['no result of a driver that never met the kernel', facts({ met: false, ready: false }), 'runner_failed'],
  ['a driver that broke over what the kernel sent', facts({ driver: driver('broken') }), 'kernel_misbehaved'],
  ['success with cells missing', facts({ driver: driver(), total: 3 }), 'kernel_misbehaved'],
  ['a death that the runner did not see', facts({ driver: driver('died') }), 'kernel_misbehaved'],
  ['a sandbox that was not made', facts({ driver: driver('died'), kernelEnd: ended(1, false) }), 'runner_failed'],
  ['an end before the kernel answered', facts({ driver: driver('died'), kernelEnd: ended(1), ready: false }), 'kernel_unavailable'],
  ['an end by itself', facts({ driver: driver('died'), kernelEnd: ended(3) }), 'kernel_exited'],
  ['an end by a signal', facts({ driver: driver('died'), kernelEnd: ended(137) }), 'kernel_killed']
])('%s', (_, seen, code) => {
  expect(decideOutcome(seen)).toMatchObject({ status: 'failed', code });
});
