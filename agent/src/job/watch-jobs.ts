import { AppError, JobEvent, SERVER_ROUTES, TERMINAL_STATES, openRoute, parseJson, type ClientDeps, type Digest, type JobView } from '@cloister/protocol';
import { mayRetry, readEvents, retryAfterMs } from '@cloister/kit';
import { serverOf, type Services } from '../services.js';

const MAX_PAUSE_MS = 5000;
/** A service that does not answer for so long is not merely being restarted. */
const PATIENCE_MS = 120_000;

/**
 * Every change of the analyst's jobs, for as long as the signal lasts. Reconnects with Last-Event-ID, so that nothing
 * is missed over a restart of the server.
 * @param resumeAfter sequence number of the last event seen; undefined for those from now on
 */
export async function* watchEvents(services: Services, signal: AbortSignal, resumeAfter?: number): AsyncGenerator<JobEvent, undefined> {
  for await (const signalled of listenToServer(services, signal, resumeAfter)) {
    if (signalled !== 'connected') yield signalled;
  }
}

export interface WatchedJob {
  readonly job: Digest;
  /** What the server says about this very job now. */
  readonly read: () => Promise<JobView>;
}

/**
 * One job until it ends: its state now, then each change. The state is asked for after every connect, so that nothing
 * falls between the question and the stream, wherever the server begins to replay.
 * @throws AppError cancelled where the watching, not the job, was broken off
 */
export async function* watchJob(services: Services, { job, read }: WatchedJob, signal: AbortSignal): AsyncGenerator<JobView, undefined> {
  const stop = new AbortController();
  let view: JobView | undefined;
  try {
    for await (const signalled of listenToServer(services, AbortSignal.any([signal, stop.signal]))) {
      const next = signalled === 'connected' ? await read() : await viewAfter({ job, read }, view, signalled);
      if (next === undefined || (view !== undefined && next.version <= view.version)) continue;
      view = next;
      yield view;
      if (TERMINAL_STATES.has(view.state)) return;
    }
    throw new AppError('cancelled', 'watching was broken off; the job goes on', { hint: 'See `cloister jobs`.' });
  } finally {
    stop.abort();
  }
}

/**
 * One connection to the server's events: `connected` once it listens, then each change. Ends or throws where the
 * connection does.
 * @param resumeAfter sequence number of the last event seen; undefined for those from now on
 */
export async function* openEvents(server: ClientDeps, signal: AbortSignal, resumeAfter?: number): AsyncGenerator<JobEvent | 'connected', undefined> {
  const headers = resumeAfter === undefined ? {} : { 'last-event-id': String(resumeAfter) };
  const reply = await openRoute(server, SERVER_ROUTES.jobEvents, { headers, signal });
  yield 'connected';
  for await (const received of readEvents(reply.body)) yield JobEvent.parse(parseJson(received.data));
}

async function* listenToServer(services: Services, signal: AbortSignal, resumeAfter?: number): AsyncGenerator<JobEvent | 'connected', undefined> {
  const { clock } = services;
  let last = resumeAfter;
  let lastHeard = clock.now().getTime();
  for (let pauses = 0; !signal.aborted; pauses += 1) {
    let asked = 0;
    try {
      for await (const said of openEvents(serverOf(services), signal, last)) {
        if (said !== 'connected') {
          pauses = 0;
          last = said.seq;
        }
        yield said;
      }
      lastHeard = clock.now().getTime();
    } catch (error) {
      if (isAborted(signal)) return;
      if (!mayRetry(error) || clock.now().getTime() - lastHeard > PATIENCE_MS) throw error;
      asked = retryAfterMs(error);
    }
    await clock.sleep(Math.max(asked, Math.min(MAX_PAUSE_MS, 100 * 2 ** pauses)), signal).catch(() => undefined);
  }
}

/** Asked through a function, since the compiler takes what it was before an await for what it is after. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

/** The view after an event; what an event does not tell (outputs, report) is asked for at the end. */
async function viewAfter({ job, read }: WatchedJob, view: JobView | undefined, event: JobEvent): Promise<JobView | undefined> {
  if (event.job !== job || view === undefined) return undefined;
  if (TERMINAL_STATES.has(event.state)) return read();
  const { id, createdAt } = view;
  const { state, attempt, version, time, code, cells } = event;
  return { job, id, createdAt, state, attempt, version, updatedAt: time, ...(code === undefined ? {} : { code }), ...(cells === undefined ? {} : { cells }) };
}
