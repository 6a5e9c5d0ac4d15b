// Which package has it, and which command installs it, by distribution (os-release(5)).
const MANAGERS = {
  apt: { like: ['debian', 'ubuntu'], install: 'apt-get install -y', bubblewrap: 'bubblewrap', python: 'python3 python3-venv' },
  dnf: { like: ['fedora', 'rhel', 'centos', 'amzn'], install: 'dnf install -y', bubblewrap: 'bubblewrap', python: 'python3.12' },
  pacman: { like: ['arch'], install: 'pacman -S --needed', bubblewrap: 'bubblewrap', python: 'python' },
  apk: { like: ['alpine'], install: 'apk add', bubblewrap: 'bubblewrap', python: 'python3' },
  zypper: { like: ['suse', 'opensuse'], install: 'zypper install -y', bubblewrap: 'bubblewrap', python: 'python312' }
};

/** The command that installs `what` (`bubblewrap`, `python` or `venv`) here; where the distribution is unknown, all of them. */
export function installCommand(host, what, pythonVersion = '') {
  const known = managerOf(host.readText('/etc/os-release') ?? '');
  const sudo = host.uid === 0 ? '' : 'sudo ';
  const command = manager => `${sudo}${manager.install} ${packageFor(manager, what, pythonVersion)}`;
  if (known) return `Install it: ${command(known)}`;
  return ['Install it with the package manager of your system:', ...Object.values(MANAGERS).map(manager => `  ${command(manager)}`)].join(
    '\n'
  );
}

function packageFor(manager, what, pythonVersion) {
  if (what !== 'venv') return manager[what];
  // Debian alone splits venv off, by minor version for interpreters beside its own.
  if (manager !== MANAGERS.apt) return manager.python;
  const minor = pythonVersion.split('.').slice(0, 2).join('.');
  return minor ? `python3-venv python${minor}-venv` : 'python3-venv';
}

function managerOf(osRelease) {
  const ids = [...osRelease.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap(match => match[1].split(/\s+/));
  return Object.values(MANAGERS).find(({ like }) => ids.some(id => like.some(name => id === name || id.startsWith(`${name}-`))));
}
