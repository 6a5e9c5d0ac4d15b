// Processes of this user, by what /proc says. Linux alone, as everything here.
import { readFileSync, readdirSync } from 'node:fs';

const POLL_MS = 50;

/** Pids of live processes that were started with the environment variable `name` set to `value`. */
export function processesWith(name, value) {
  const wanted = `${name}=${value}`;
  return livePids().filter(pid => read(`/proc/${pid}/environ`).split('\0').includes(wanted));
}

/** The arguments that the process was started with; none where it is gone. */
export function commandOf(pid) {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
}

/** Whether the process exists and is no zombie. */
export function isAlive(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, so the state is read after the last of them.
  return stat !== '' && !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0]);
}

/** Poll until `condition()` holds; false where `ms` passed before. */
export async function until(ms, condition) {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/** End what `find()` lists: asked first, killed where it does not listen. Resolves when nothing is listed any more. */
export async function endAll(find, { graceMs }) {
  if (await until(0, () => find().length === 0)) return;
  signalAll(find(), 'SIGTERM');
  if (await until(graceMs, () => find().length === 0)) return;
  await until(graceMs, () => {
    signalAll(find(), 'SIGKILL');
    return find().length === 0;
  });
}

function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

function livePids() {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => pid !== process.pid && isAlive(pid));
}

/** Empty where the process is gone, or another user's. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
