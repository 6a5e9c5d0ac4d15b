import { access, constants } from 'node:fs/promises';

import { AppError } from '@cloister/protocol';

import type { SandboxForm } from './bubblewrap.js';
import { reap } from './reaper.js';
import type { SandboxList } from './sandbox-list.js';
import { startSandbox } from './sandbox-process.js';

/** Fixed places: a program found by a search path would be whatever comes first there. */
const BUBBLEWRAP = ['/usr/bin/bwrap', '/usr/local/bin/bwrap'];

const WHAT_THE_HOST_MUST_ALLOW =
  'Install bubblewrap 0.8 or newer. Allow user namespaces: user.max_user_namespaces above 0; on Ubuntu 24.04 ' +
  'kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor profile for bwrap; in a container a seccomp profile that ' +
  'lets unshare, clone and mount through.';

/**
 * The strictest form of sandbox that this host can make, found by making one. Throws `sandbox_unavailable`
 * with what the host must allow, also where a sandbox cannot be put on `list`. The host’s own /proc is never an answer: it shows the runner.
 */
export async function findSandbox(list?: SandboxList): Promise<SandboxForm> {
  const bubblewrap = await findBubblewrap();
  const refusals: string[] = [];
  for (const kind of ['fresh-proc', 'empty-proc'] as const) {
    for (const sysctl of [true, false]) {
      const form: SandboxForm = { kind, bubblewrap, sysctl, ...(list === undefined ? {} : { list }) };
      const refusal = await tryForm(form);
      if (refusal === undefined) return form;
      refusals.push(`${kind}: ${refusal}`);
    }
  }
  throw new AppError('sandbox_unavailable', refusals.join('; '), { hint: WHAT_THE_HOST_MUST_ALLOW });
}

async function findBubblewrap(): Promise<string> {
  for (const path of BUBBLEWRAP) {
    const found = await access(path, constants.X_OK).then(() => true, () => false);
    if (found) return path;
  }
  throw new AppError('sandbox_unavailable', 'bubblewrap is not installed', { hint: WHAT_THE_HOST_MUST_ALLOW });
}

/** Why this form cannot be made; undefined where it can. */
async function tryForm(form: SandboxForm): Promise<string | undefined> {
  const sandbox = startSandbox(form, {
    root: { readOnly: [], writable: [], workingFolder: '/', environment: {} },
    command: [form.bubblewrap, '--version']
  });
  sandbox.stdout.resume();
  const { status, ran } = await sandbox.ended;
  await reap([sandbox.trace]);
  if (ran && status === 0) return undefined;
  return sandbox.stderr().trim().split('\n').at(-1) ?? `status ${status}`;
}
