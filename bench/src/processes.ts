import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process by more than its number, which is given again when it has ended. */
export interface ProcessId {
  readonly pid: number;
  readonly startedAt: string;
}

interface Stat extends ProcessId {
  readonly parent: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    // The name, in parentheses, may hold blanks; what comes after its last one does not.
    const [, fields = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const columns = fields.split(' ');
    return columns[0] === 'Z' ? undefined : { pid, parent: Number(columns[1]), startedAt: columns[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** All that live below a process, itself left out. */
export function descendantsOf(pid: number): ProcessId[] {
  const all = readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const found: Stat[] = [];
  for (let parents = [pid]; parents.length > 0; ) {
    const children = all.filter(({ parent }) => parents.includes(parent));
    found.push(...children);
    parents = children.map(child => child.pid);
  }
  return found;
}

/** The arguments of a process; none where it has ended. */
export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** Ends exactly these, politely first. */
export async function endProcesses(processes: readonly ProcessId[], graceMs: number): Promise<void> {
  const alive = (): ProcessId[] => processes.filter(({ pid, startedAt }) => statOf(pid)?.startedAt === startedAt);
  for (const { pid } of alive()) signal(pid, 'SIGTERM');
  for (const until = Date.now() + graceMs; alive().length > 0 && Date.now() < until; ) await delay(20);
  for (const { pid } of alive()) signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** File that gets what it prints; left out, nobody does. */
  readonly stdout?: string;
  readonly signal: AbortSignal;
}

/** Runs a command to its end. @returns wall time in seconds @throws where it fails, with what it said */
export async function timeCommand({ command, args, cwd, stdout, signal: stop }: Command): Promise<number> {
  const output = stdout === undefined ? undefined : openSync(stdout, 'w', 0o600);
  try {
    const begun = performance.now();
    const child = spawn(command, args, { cwd, stdio: ['ignore', output ?? 'ignore', 'pipe'], signal: stop });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-4000);
    });
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    const seconds = (performance.now() - begun) / 1000;
    if (code !== 0) throw new Error(`${command} ended with ${code ?? 'a signal'}: ${said.trim()}`);
    return seconds;
  } finally {
    if (output !== undefined) closeSync(output);
  }
}
