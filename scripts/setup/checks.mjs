// What the host must offer. All checks run, and everything that is missing is said at once.
import { existsSync, readFileSync, statfsSync } from 'node:fs';

import { checkBubblewrap } from './check-bubblewrap.mjs';
import { installCommand } from './distribution.mjs';
import { probe } from './run.mjs';
import { SetupError } from './setup-error.mjs';

const FREE_BYTES = 2e9;

/** The real host. Tests describe another. */
export const HOST = {
  platform: process.platform,
  env: process.env,
  uid: process.getuid?.() ?? -1,
  probe,
  exists: existsSync,
  readText: path => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  }
};

/** Run every check. Resolves to `{ changed: false, detail, python }`; throws one SetupError that lists all problems. */
export async function checkHost(host = HOST) {
  if (host.platform !== 'linux') {
    throw new SetupError(
      `Cloister needs Linux for its sandbox; this is ${host.platform}.`,
      'Use a Linux machine, or on Windows WSL 2: https://learn.microsoft.com/windows/wsl/install'
    );
  }
  const findings = await Promise.all([checkPython(host), checkBubblewrap(host)]);
  const problems = findings.filter(finding => finding.problem);
  if (problems.length === 1) throw new SetupError(problems[0].problem, problems[0].remedy);
  if (problems.length > 1) {
    const each = problems.map(({ problem, remedy }) => `${problem}\n${remedy.replace(/^/gm, '  ')}`);
    throw new SetupError(`${problems.length} things are missing on this machine.`, each.join('\n\n'));
  }
  const [python, bubblewrap] = findings;
  return { changed: false, detail: `Linux, Node ${process.versions.node}, Python ${python.version}, ${bubblewrap.version}`, python };
}

/** Find an interpreter of 3.10 or later that can make virtual environments: $CLOISTER_PYTHON, or the first that fits. */
export async function checkPython(host) {
  const chosen = host.env.CLOISTER_PYTHON;
  const candidates = chosen ? [chosen] : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
  const script = 'import sys, platform; print(platform.python_version(), sys.implementation.cache_tag, platform.machine(), sys.executable)';
  let best = null;
  for (const candidate of candidates) {
    const { ok, stdout } = await host.probe(candidate, ['-c', script]);
    if (!ok) continue;
    const [version, tag, machine, ...path] = stdout.split(' ');
    const [major, minor] = version.split('.').map(Number);
    const recent = major > 3 || (major === 3 && minor >= 10);
    const venv = recent && (await host.probe(candidate, ['-c', 'import venv, ensurepip'])).ok;
    const python = { path: path.join(' '), version, id: [version, tag, machine, path.join(' ')].join(' ') };
    if (venv) return python;
    best ??= { ...python, recent };
  }
  return pythonProblem(host, chosen, best);
}

function pythonProblem(host, chosen, best) {
  const elsewhere = 'Or name another interpreter: CLOISTER_PYTHON=/path/to/python3';
  if (chosen && !best)
    return { problem: `CLOISTER_PYTHON is ${chosen}, which does not run.`, remedy: 'Give the path of a Python of 3.10 or later.' };
  if (best?.recent) {
    return {
      problem: `Python ${best.version} is here without its module venv.`,
      remedy: `${installCommand(host, 'venv', best.version)}\n${elsewhere}`
    };
  }
  const found = best ? `Python ${best.version} is too old: 3.10 or later is needed.` : 'There is no Python 3.';
  return { problem: found, remedy: `${installCommand(host, 'python')}\n${elsewhere}` };
}

/** Refuse to begin where the packages would not fit. */
export function checkDisk(root, statfs = statfsSync) {
  // A set-up that is complete needs nothing more.
  if (existsSync(`${root}/node_modules/.cloister-setup.json`) && existsSync(`${root}/.venv/.cloister-setup.json`)) return;
  const { bavail, bsize } = statfs(root);
  if (bavail * bsize >= FREE_BYTES) return;
  throw new SetupError(
    `Only ${Math.round((bavail * bsize) / 1e6)} MB are free where this checkout lies.`,
    `Free ${FREE_BYTES / 1e9} GB there, or clone to another disk.`
  );
}
