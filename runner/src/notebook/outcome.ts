import type { ErrorCode } from '@cloister/protocol';

import type { DriverResult } from './driver-result.js';
import type { SandboxEnd } from './sandbox-process.js';

/** How a run ended: a value, for a notebook that fails is nothing unusual. */
export type Outcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'failed'; readonly code: ErrorCode; readonly traceback?: string };

/** What the runner itself saw of a run, and what the driver says. */
export interface RunFacts {
  /** The runner ended the kernel, and why. */
  readonly stopped?: 'deadline_exceeded' | 'cancelled';
  /** How the kernel ended by itself; absent while it lived until the runner ended it. */
  readonly kernelEnd?: SandboxEnd;
  /** Whether the driver began to talk with the kernel: from then on, what it does may be the notebook’s doing. */
  readonly met: boolean;
  /** Whether the kernel answered. */
  readonly ready: boolean;
  /** Code cells that should run. */
  readonly total: number;
  readonly driver?: DriverResult;
  /** What is known of a failure that leaves no traceback: standard error of kernel and driver. */
  readonly kernelSaid: string;
  readonly driverSaid: string;
}

const SIGNALLED = 128;

/** The runner’s own observations first; the driver’s word only where they leave a choice. */
export function decideOutcome(facts: RunFacts): Outcome {
  const { stopped, driver, total } = facts;
  if (stopped !== undefined) return failed(stopped);
  if (driver === undefined) return fault(facts, facts.driverSaid);
  if (driver.failure === undefined) {
    return driver.done === total ? { status: 'succeeded' } : fault(facts, 'not every cell ran');
  }
  const { kind, traceback } = driver.failure;
  switch (kind) {
    case 'raised':
      return failed('cell_failed', traceback);
    case 'input':
      return failed('input_requested', traceback);
    case 'install':
      return failed('install_refused', traceback);
    case 'exited':
      return failed('kernel_exited', traceback);
    case 'broken':
      return fault(facts, traceback);
    case 'died':
      return decideDeath(facts);
  }
}

/** nbclient says the same for an exit, a kill and a crash; bubblewrap’s status tells them apart. */
function decideDeath(facts: RunFacts): Outcome {
  const { kernelEnd, ready, kernelSaid } = facts;
  if (kernelEnd === undefined) return fault(facts, kernelSaid);
  if (!kernelEnd.ran) return failed('runner_failed', kernelSaid);
  if (kernelEnd.status > SIGNALLED) return failed('kernel_killed');
  return ready ? failed('kernel_exited') : failed('kernel_unavailable', kernelSaid);
}

/**
 * What the runner’s parts did wrong. Once a kernel that reads the data had a hand in it, the run is over and reported: a
 * notebook that could fail the runner could have itself run again, on the data, with no word about it.
 */
function fault({ met }: RunFacts, traceback = ''): Outcome {
  return failed(met ? 'kernel_misbehaved' : 'runner_failed', traceback);
}

function failed(code: ErrorCode, traceback = ''): Outcome {
  return traceback === '' ? { status: 'failed', code } : { status: 'failed', code, traceback };
}
