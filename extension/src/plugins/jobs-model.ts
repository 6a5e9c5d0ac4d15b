import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { Jobs, type IJobsPlace } from '../model/jobs';
import { IAgent, IJobs } from '../tokens';

const KEY = 'cloister:jobs-place';

/** The jobs, for whichever surfaces are there. */
export const jobsModelPlugin: JupyterFrontEndPlugin<IJobs> = {
  id: 'cloister:jobs-model',
  description: 'Keeps the list of submitted jobs up to date by the events of the agent.',
  autoStart: true,
  provides: IJobs,
  requires: [IAgent],
  optional: [IStateDB],
  activate: (_app: JupyterFrontEnd, agent: IAgent, state: IStateDB | null): IJobs => {
    // Not awaited: the state is given out once the layout is restored, which waits for this plugin.
    const place = state?.fetch(KEY).then(placeOf, () => undefined) ?? Promise.resolve(undefined);
    return new Jobs({
      agent,
      frame: draw => window.requestAnimationFrame(draw),
      place,
      // Where one was is a convenience: that it cannot be kept is nobody's trouble.
      onPlace: ({ search, cursors }) => void state?.save(KEY, { search, cursors: [...cursors] }).catch(() => undefined)
    });
  }
};

/** What was kept, if it is what we keep. */
function placeOf(kept: unknown): IJobsPlace | undefined {
  if (typeof kept !== 'object' || kept === null || !('search' in kept) || !('cursors' in kept)) return undefined;
  const { search, cursors } = kept;
  if (typeof search !== 'string' || !Array.isArray(cursors) || cursors.length === 0) return undefined;
  return cursors.every(cursor => typeof cursor === 'string') ? { search, cursors } : undefined;
}
