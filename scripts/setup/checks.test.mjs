import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkDisk, checkHost } from './checks.mjs';

const DEBIAN = 'ID=debian\nVERSION_ID="12"\n';
const UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n';
const no = (stderr = '') => ({ ok: false, missing: false, stdout: '', stderr });
const missing = { ok: false, missing: true, stdout: '', stderr: 'ENOENT' };
const yes = (stdout = '') => ({ ok: true, missing: false, stdout, stderr: '' });

/** A host on which everything is there, but for what `change` says. */
function host({ files = {}, env = {}, python = { python3: '3.11.2' }, venv = true, bwrap = {}, ...rest } = {}) {
  return {
    platform: 'linux',
    env,
    uid: 1000,
    exists: path => path in files,
    readText: path => files[path] ?? (path === '/etc/os-release' ? DEBIAN : null),
    probe: async (command, args) => {
      if (command === 'bwrap') {
        if (bwrap.missing) return missing;
        if (args.includes('--version')) return yes(bwrap.version ?? 'bubblewrap 0.8.0');
        return (args.includes('--disable-userns') ? bwrap.full : bwrap.plain) ?? yes();
      }
      const version = python[command];
      if (!version) return missing;
      return args[1].includes('ensurepip') ? (venv ? yes() : no()) : yes(`${version} cpython-311 x86_64 /usr/bin/${command}`);
    },
    ...rest
  };
}

const PROBLEMS = [
  ['macOS', { platform: 'darwin' }, /needs Linux/, /WSL 2/],
  ['no Python', { python: {} }, /no Python 3/, /sudo apt-get install -y python3 python3-venv/],
  ['an old Python alone', { python: { python3: '3.9.2' } }, /3\.9\.2 is too old/, /CLOISTER_PYTHON/],
  ['no venv', { venv: false }, /without its module venv/, /python3-venv python3\.11-venv/],
  ['no bubblewrap', { bwrap: { missing: true } }, /bubblewrap is missing/, /sudo apt-get install -y bubblewrap/],
  [
    'no bubblewrap on Fedora',
    { bwrap: { missing: true }, files: { '/etc/os-release': 'ID=fedora\n' } },
    /missing/,
    /sudo dnf install -y bubblewrap/
  ],
  [
    'no bubblewrap on openSUSE',
    { bwrap: { missing: true }, files: { '/etc/os-release': 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n' } },
    /missing/,
    /zypper install/
  ],
  [
    'no bubblewrap on Arch, as root',
    { bwrap: { missing: true }, uid: 0, files: { '/etc/os-release': 'ID=arch\n' } },
    /missing/,
    /: pacman -S/
  ],
  [
    'no bubblewrap on an unknown system',
    { bwrap: { missing: true }, files: { '/etc/os-release': 'ID=plan9\n' } },
    /missing/,
    /apt-get[^]*dnf[^]*pacman[^]*apk[^]*zypper/
  ],
  [
    'Ubuntu 24.04',
    {
      bwrap: { plain: no('bwrap: setting up uid map: Permission denied') },
      files: { '/etc/os-release': UBUNTU, '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' }
    },
    /uid map: Permission denied/,
    /profile cloister-bwrap \/usr\/bin\/bwrap flags=\(unconfined\) \{\n {2}userns,[^]*apparmor_parser -r[^]*sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0/
  ],
  [
    'namespaces switched off',
    { bwrap: { plain: no('bwrap: No permissions') }, files: { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' } },
    /may not make/,
    /sysctl -w kernel\.unprivileged_userns_clone=1/
  ],
  [
    'no namespaces left',
    { bwrap: { plain: no('bwrap: No space left') }, files: { '/proc/sys/user/max_user_namespaces': '0\n' } },
    /may not make/,
    /sysctl -w user\.max_user_namespaces/
  ],
  [
    'a strict container',
    { bwrap: { plain: no('bwrap: Operation not permitted') }, files: { '/.dockerenv': '' } },
    /may not make/,
    /seccomp=unconfined/
  ],
  [
    'an old bubblewrap',
    { bwrap: { version: 'bubblewrap 0.6.1', full: no('bwrap: Unknown option --disable-userns') } },
    /0\.6\.1 is too old/,
    /releases/
  ],
  [
    'a sandbox that cannot be made in full',
    { bwrap: { full: no('bwrap: loopback: Failed RTM_NEWADDR') } },
    /cannot make a full sandbox.*RTM_NEWADDR/,
    /namespaces/
  ],
  ['a CLOISTER_PYTHON that is not there', { env: { CLOISTER_PYTHON: '/opt/py' } }, /CLOISTER_PYTHON is \/opt\/py/, /Give the path/]
];

for (const [name, change, problem, remedy] of PROBLEMS) {
  test(`${name}: says what is wrong and what to do`, async () => {
    await assert.rejects(checkHost(host(change)), error => {
      assert.equal(error.name, 'SetupError');
      assert.match(error.message, problem);
      assert.match(error.remedy, remedy);
      return true;
    });
  });
}

test('everything that is missing is said at once', async () => {
  await assert.rejects(checkHost(host({ python: {}, bwrap: { missing: true } })), error =>
    /There is no Python 3[^]*bubblewrap is missing/.test(error.remedy)
  );
});

test('a complete host passes and names its interpreter', async () => {
  const { python, changed } = await checkHost(host());
  assert.equal(changed, false);
  assert.equal(python.path, '/usr/bin/python3');
});

test('a newer interpreter beside a system Python that is too old is found', async () => {
  const { python } = await checkHost(host({ python: { python3: '3.9.2', 'python3.12': '3.12.1' } }));
  assert.equal(python.version, '3.12.1');
});

test('CLOISTER_PYTHON comes before the system Python', async () => {
  const { python } = await checkHost(
    host({ env: { CLOISTER_PYTHON: 'python3.12' }, python: { python3: '3.11.2', 'python3.12': '3.12.1' } })
  );
  assert.equal(python.version, '3.12.1');
});

test('a disk that is too full is refused before anything is fetched', () => {
  assert.throws(() => checkDisk('/nowhere', () => ({ bavail: 100, bsize: 4096 })), /Only 0 MB are free/);
  checkDisk('/nowhere', () => ({ bavail: 1e9, bsize: 4096 }));
});
