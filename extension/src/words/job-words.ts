import type { TranslationBundle } from '@jupyterlab/translation';
import { visibleLine } from '@cloister/protocol';
import type { IOwnJob } from '../model/own-job';

/** Where a job stands, in a few words. All of it is the operator's word; only a verified report is more than that. */
export function stateInWords(own: IOwnJob, trans: TranslationBundle): string {
  const { state, cells, attempt } = own.view;
  switch (state) {
    case 'queued':
      return trans.__('Waiting for a machine');
    case 'waiting':
      return waitingInWords(own, trans);
    case 'launching':
      return attempt > 1 ? trans.__('Starting the TEE again, attempt %1', attempt) : trans.__('Starting the TEE');
    case 'attesting':
      return trans.__('Proving itself to the data owners');
    case 'running':
      // The cell that is running is the one after those that are done.
      return cells === undefined ? trans.__('Running') : trans.__('Running, cell %1 of %2', Math.min(cells.done + 1, cells.total), cells.total);
    case 'sealing':
      return trans.__('Sealing outputs');
    case 'succeeded':
      return own.results === undefined ? trans.__('Finished, not opened yet') : trans.__('Finished, outputs opened');
    case 'failed':
      return cells === undefined || cells.done === 0 || cells.done >= cells.total
        ? trans.__('Failed')
        : trans.__('Failed after %1 of %2 cells', cells.done, cells.total);
    case 'cancelled':
      return trans.__('Cancelled');
    case 'lost':
      return trans.__('Lost: the machine ended without a result');
  }
}

function waitingInWords(own: IOwnJob, trans: TranslationBundle): string {
  const owners = ownersOf(own);
  const [first, second] = owners;
  if (first === undefined) return trans.__('Waits for an owner’s approval');
  if (second === undefined) return trans.__('Waits for %1’s approval', visibleLine(first, 60));
  return trans.__('Waits for approval by %1', owners.map(owner => visibleLine(owner, 40)).join(trans.__(' or ')));
}

/** Owners of the inputs, each once: an asset is named `owner/asset`. */
export function ownersOf({ inputs = [] }: IOwnJob): string[] {
  return [...new Set(inputs.map(input => input.split('/')[0] ?? '').filter(owner => owner !== ''))];
}

/** What a person calls the job: the notebook's file name. */
export function nameOf({ notebook }: IOwnJob, trans: TranslationBundle): string {
  const last = notebook?.split('/').at(-1);
  return last === undefined || last === '' ? trans.__('Sent from another machine') : visibleLine(last, 120);
}

/** When a job was submitted, as short as it is clear: the time alone for today's, with the day for others. @param time RFC 3339 */
export function shortTime(time: string, now: Date): string {
  const at = new Date(time);
  const sameDay = at.toDateString() === now.toDateString();
  const day: Intl.DateTimeFormatOptions = sameDay ? {} : { month: 'short', day: 'numeric' };
  const year: Intl.DateTimeFormatOptions = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' };
  return at.toLocaleString(undefined, { hour: 'numeric', minute: '2-digit', ...day, ...year });
}
