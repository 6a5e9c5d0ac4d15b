import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import type { Bench, Measurement } from '../figure.js';
import { compare, takeTurns } from '../pairs.js';
import { MIB, requireMemory } from '../process-memory.js';
import { SETTLE_MS, createSlice, startSlice } from '../slice.js';
import { median } from '../statistics.js';

const PAIRS = 5;

/** What the daemon takes of a person's own machine while it does nothing. */
export const daemonRest: Measurement = {
  ids: ['daemon-rest'],
  run: async bench => {
    bench.say(`daemon-rest: ${PAIRS} pairs`);
    const slice = await createSlice(bench);
    const anonymous: number[] = [];
    const starts = await takeTurns(PAIRS, {
      ours: async () => {
        const running = await startSlice(bench, slice);
        await delay(SETTLE_MS);
        const memory = requireMemory(running.pid);
        await running.stop();
        anonymous.push(memory.anonymous / MIB);
        return memory.now / MIB;
      },
      peer: () => bareNode(bench)
    });
    const note = `resident memory ${SETTLE_MS / 1000} s after the start, server and two brokers / node that does nothing; ${Math.round(median(anonymous))} MiB of it heaps and buffers`;
    return [{ id: 'daemon-rest', ...compare(starts), limit: 150, unit: 'MiB', note }];
  }
};

async function bareNode({ resources }: Bench): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => undefined, 60_000)'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const end = resources.onEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await once(child.stdout, 'data', { signal: resources.signal });
  const { now } = requireMemory(child.pid);
  await end();
  return now / MIB;
}
