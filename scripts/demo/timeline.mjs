// What happened to a job and when, by the server's own events, in milliseconds since the demo typed its first command.
import { join } from 'node:path';

const WORDS = {
  queued: 'stored by the operator, sealed',
  waiting: 'waits for an owner',
  launching: 'a runner is started, under the simulator',
  attesting: 'the runner attests; both brokers release their keys to it',
  running: 'the notebook runs in its sandbox',
  'first-cell': 'first cell done',
  sealing: 'outputs are sealed, the report is attested',
  succeeded: 'published',
  failed: 'published: the notebook failed',
  cancelled: 'cancelled',
  lost: 'lost'
};

/** Follows one job until it ends. */
export async function followTimeline({ root, home, job, begun }) {
  const { openAgent } = await import(join(root, 'agent/lib/index.js'));
  const { agent, close } = await openAgent(home);
  const events = [];
  const note = name => {
    if (!events.some(event => event.name === name)) events.push({ name, what: WORDS[name], at: Math.round(performance.now() - begun) });
  };
  try {
    for await (const view of agent.watch(job, new AbortController().signal)) {
      note(view.state);
      if ((view.cells?.done ?? 0) > 0) note('first-cell');
    }
  } finally {
    close();
  }
  return { job, events };
}
