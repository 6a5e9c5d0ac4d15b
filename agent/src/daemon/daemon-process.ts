import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@cloister/protocol';
import { ensurePrivateDirectory, type Clock } from '@cloister/kit';

const START_MS = 30_000;
const STOP_MS = 20_000;
const POLL_MS = 50;

export interface DaemonProgram {
  /** Directory of all state. */
  readonly home: string;
  /** The daemon's program. It is started, never imported: it serves other trust domains. Undefined where none is known. */
  readonly program: string | undefined;
}

/**
 * Starts the daemon, detached. Resolves with its socket once it listens.
 * @throws AppError daemon_unreachable | state_locked where another process serves this state directory
 */
export async function startDaemonProcess({ home, program }: DaemonProgram, clock: Clock): Promise<string> {
  const daemon = await requireProgram(program);
  await ensurePrivateDirectory(home);
  // A file and no pipe, since the daemon outlives us; of its own, since others may start one at the same time.
  const outputPath = join(home, `daemon-${randomBytes(6).toString('hex')}.out`);
  const output = await open(outputPath, 'wx', 0o600);
  const progress: { ended: boolean } = { ended: false };
  try {
    const child = spawn(process.execPath, [daemon, '--home', home], { detached: true, cwd: home, stdio: ['ignore', output.fd, output.fd] });
    child.once('error', () => (progress.ended = true)).once('exit', () => (progress.ended = true));
    child.unref();
    return await listeningSocket({ home, outputPath, progress }, clock);
  } finally {
    await output.close();
    await rm(outputPath, { force: true });
  }
}

async function requireProgram(program: string | undefined): Promise<string> {
  if (program === undefined) throw new AppError('daemon_unreachable', 'the Cloister daemon does not run, and its program is not known here', { hint: NO_PROGRAM });
  await access(program).catch((cause: unknown) => {
    throw new AppError('daemon_unreachable', `the Cloister daemon does not run, and there is no program ${program}`, { cause, hint: NO_PROGRAM });
  });
  return program;
}

const NO_PROGRAM = 'Start it with `cloister start` in a checkout that is built, or set CLOISTER_DAEMON to its program.';

interface StartingDaemon {
  readonly home: string;
  readonly outputPath: string;
  readonly progress: { readonly ended: boolean };
}

async function listeningSocket({ home, outputPath, progress }: StartingDaemon, clock: Clock): Promise<string> {
  const hint = `Its log is ${join(home, 'daemon.log')}.`;
  const deadline = clock.now().getTime() + START_MS;
  while (clock.now().getTime() < deadline) {
    // Asked before reading, so that what was said last is not missed.
    const { ended } = progress;
    const said = await readFile(outputPath, 'utf8');
    const socket = /^listening (.+)$/m.exec(said)?.[1];
    if (socket !== undefined) return socket;
    if (said.includes('(state_locked)')) throw new AppError('state_locked', 'another daemon serves this state directory');
    if (ended) throw new AppError('daemon_unreachable', `the daemon did not start: ${said.trim().slice(-500)}`, { hint });
    await clock.sleep(POLL_MS);
  }
  throw new AppError('daemon_unreachable', `the daemon did not answer within ${START_MS / 1000} s`, { hint });
}

/** The pid of this state directory's daemon; undefined where none runs. A pid that was reused is told by its command. */
export async function findDaemonProcess({ home, program }: DaemonProgram): Promise<number | undefined> {
  const text = await readFile(join(home, 'daemon.lock.pid'), 'utf8').catch(() => '');
  if (!/^[1-9][0-9]{0,9}$/.test(text.trim())) return undefined;
  const pid = Number(text);
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return command.some(part => part === program || part.endsWith('embedded/lib/main.js')) && command.includes(home) ? pid : undefined;
}

/** Asks the daemon to end and waits until it did. Jobs that run go on and are adopted by the next. */
export async function stopDaemonProcess(daemon: DaemonProgram, clock: Clock): Promise<'stopped' | 'not running'> {
  const pid = await findDaemonProcess(daemon);
  if (pid === undefined) return 'not running';
  process.kill(pid, 'SIGTERM');
  const deadline = clock.now().getTime() + STOP_MS;
  while ((await findDaemonProcess(daemon)) !== undefined) {
    if (clock.now().getTime() > deadline) throw new AppError('unavailable', `the daemon (pid ${pid}) does not end`, { hint: `kill -9 ${pid} ends it; nothing is lost.` });
    await clock.sleep(POLL_MS);
  }
  return 'stopped';
}
