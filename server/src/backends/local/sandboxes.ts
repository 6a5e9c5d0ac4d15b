/**
 * Ends what outlives the runner inside its sandboxes. Nothing marks such a process: it has a session and an environment
 * of its own, and a notebook can undo that it dies with its parent. It cannot leave its pid namespace, though, so the
 * runner lists the inode of each before a notebook's code runs in it.
 *
 * The kernel gives the inode of a pid namespace that ended to the next one. So a listed namespace counts as ours only
 * if it is not older than the launcher and does not hang below the workload of another instance.
 */
import { stat } from 'node:fs/promises';
import { AppError } from '@cloister/protocol';
import { readIfThere } from './private-files.js';
import { environmentOf, listProcesses, signal, until, type ProcessEntry, type ProcessIdentity } from './processes.js';

/** The sandboxes of one workload. */
export interface Sandboxes {
  /** The runner's list: one inode a line, decimal. */
  readonly list: string;
  /** Which launcher the workload had. */
  readonly launcher: ProcessIdentity;
  /** `CLOISTER_SCRATCH=…` of the workload. */
  readonly mark: string;
}

interface Member extends ProcessEntry {
  /** Inode; undefined where the process ended meanwhile or is another user's. */
  readonly namespace: string | undefined;
}

const KILL_WITHIN_MS = 10_000;
const INODE = /^[1-9][0-9]{0,19}$/;
const SCRATCH_OF_AN_INSTANCE = /^CLOISTER_SCRATCH=.*\/job-[0-9a-f]{16}-a[0-9]+\/scratch$/s;

/**
 * Kills every process of these sandboxes, and looks again until none is left. Whoever calls has ended the runner before,
 * so the list does not grow any more.
 * @throws AppError internal where something does not end
 */
export async function killSandboxes(sandboxes: Sandboxes): Promise<void> {
  const gone = await until(KILL_WITHIN_MS, async () => {
    const found = await findSandboxed(sandboxes);
    for (const identity of found) await signal(identity, 'SIGKILL');
    return found.length === 0;
  });
  if (!gone) throw new AppError('internal', 'a process of a sandbox does not end');
}

/** Every living process of these sandboxes, and what descends from one. */
export async function findSandboxed(sandboxes: Sandboxes): Promise<ProcessIdentity[]> {
  const listed = (await readIfThere(sandboxes.list))?.split('\n').filter(line => INODE.test(line)) ?? [];
  if (listed.length === 0) return [];
  const own = await inodeOf('self');
  if (own === undefined) throw new AppError('internal', 'the own pid namespace cannot be read');
  const members = await listMembers();
  const found = new Set<number>();
  for (const namespace of new Set(listed)) {
    // Whatever a list says: in there are this process, its daemon, and everybody else.
    if (namespace === own) continue;
    const group = [...members.values()].filter(member => member.namespace === namespace);
    if (await isOurs(group, { members, own, sandboxes })) group.forEach(({ identity }) => found.add(identity.pid));
  }
  return [...members.values()]
    .filter(({ identity, namespace }) => namespace !== own && [identity.pid, ...ancestorsOf(identity.pid, members)].some(pid => found.has(pid)))
    .map(({ identity }) => identity);
}

interface View {
  readonly members: ReadonlyMap<number, Member>;
  readonly own: string;
  readonly sandboxes: Sandboxes;
}

async function isOurs(group: readonly Member[], { members, own, sandboxes: { launcher, mark } }: View): Promise<boolean> {
  if (group.some(({ identity }) => identity.boot !== launcher.boot || identity.startTime < launcher.startTime)) return false;
  const above = new Set(group.flatMap(({ identity }) => ancestorsOf(identity.pid, members)));
  for (const pid of above) {
    // Inside a namespace a notebook writes environments as it likes; outside it reaches none.
    if (members.get(pid)?.namespace !== own) continue;
    if ((await environmentOf(pid)).some(entry => entry !== mark && SCRATCH_OF_AN_INSTANCE.test(entry))) return false;
  }
  return true;
}

function ancestorsOf(pid: number, members: ReadonlyMap<number, Member>): number[] {
  const above = new Set<number>();
  // Read one by one while processes come and go, so the numbers could seem to form a ring.
  for (let at = members.get(pid)?.parent; at !== undefined && !above.has(at); at = members.get(at)?.parent) above.add(at);
  return [...above];
}

async function listMembers(): Promise<Map<number, Member>> {
  const entries = await listProcesses();
  const members = await Promise.all(entries.map(async entry => ({ ...entry, namespace: await inodeOf(entry.identity.pid) })));
  return new Map(members.map(member => [member.identity.pid, member]));
}

async function inodeOf(pid: number | 'self'): Promise<string | undefined> {
  return stat(`/proc/${pid}/ns/pid`).then(found => String(found.ino), () => undefined);
}
