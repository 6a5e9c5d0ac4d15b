/**
 * What a sandbox is, as options of bubblewrap. Every sandbox has its own user, pid, mount, ipc, uts, cgroup and network
 * namespaces, no capability, no_new_privs (bubblewrap always sets it), and a root of which nothing is
 * writable but what `writable` names, /tmp and /dev/shm.
 */

import type { SandboxList } from './sandbox-list.js';

/** The form of sandbox that this host allows. */
export interface SandboxForm {
  /** `empty-proc` where the host masks /proc, as containers do: a fresh one cannot be mounted there. */
  readonly kind: 'fresh-proc' | 'empty-proc';
  /** Path of the bwrap program. */
  readonly bubblewrap: string;
  /** Whether the sysctl that ends nested user namespaces can be set; the system call filter refuses them in any case. */
  readonly sysctl: boolean;
  /** On which each sandbox is before anything runs in it; absent where the machine ends with the runner. */
  readonly list?: SandboxList;
}

/** Host path `from` is seen at `to`. */
export interface Mount {
  readonly from: string;
  readonly to: string;
}

/** What one sandbox sees beside the system’s libraries. */
export interface SandboxRoot {
  readonly readOnly: readonly Mount[];
  readonly writable: readonly Mount[];
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
}

const USER_ID = '1000';

/** Needed to load shared libraries and find fonts. No resolver, no certificates, no host name, no host user. */
const SYSTEM_FILES = ['/etc/ld.so.cache', '/etc/alternatives', '/etc/fonts'];

/** /bin, /lib… are links into /usr on current systems. Where they are not, that system is not supported. */
const SYSTEM_LINKS = ['bin', 'sbin', 'lib', 'lib64'];

/** The options that make the sandbox; the command follows them. */
export function bubblewrapOptions(form: SandboxForm, root: SandboxRoot): string[] {
  return [
    ...isolation(form),
    ...system(form),
    ...root.readOnly.flatMap(({ from, to }) => ['--ro-bind', from, to]),
    ...root.writable.flatMap(({ from, to }) => ['--bind', from, to]),
    '--remount-ro', '/',
    '--chdir', root.workingFolder,
    '--clearenv',
    ...Object.entries(root.environment).flatMap(([name, value]) => ['--setenv', name, value])
  ];
}

function isolation(form: SandboxForm): string[] {
  return [
    '--unshare-all',
    '--unshare-user',
    ...(form.sysctl ? ['--disable-userns'] : []),
    '--uid', USER_ID,
    '--gid', USER_ID,
    '--hostname', 'cloister',
    '--cap-drop', 'ALL',
    '--new-session',
    '--die-with-parent'
  ];
}

function system(form: SandboxForm): string[] {
  return [
    '--ro-bind', '/usr', '/usr',
    ...SYSTEM_LINKS.flatMap(name => ['--symlink', `usr/${name}`, `/${name}`]),
    ...SYSTEM_FILES.flatMap(path => ['--ro-bind-try', path, path]),
    ...proc(form.kind),
    '--dev', '/dev',
    '--tmpfs', '/dev/shm',
    '--remount-ro', '/dev',
    '--tmpfs', '/tmp'
  ];
}

function proc(kind: SandboxForm['kind']): string[] {
  switch (kind) {
    case 'fresh-proc':
      // Under a runner that is root, the sandbox’s user is the host’s root without capabilities, and /proc/sys asks only
      // for that user: a cell could set kernel.core_pattern and run a program on the host. So all of /proc is read-only.
      return ['--proc', '/proc', '--remount-ro', '/proc'];
    case 'empty-proc':
      return ['--dir', '/proc'];
  }
}
