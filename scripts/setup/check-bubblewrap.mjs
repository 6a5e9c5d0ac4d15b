import { installCommand } from './distribution.mjs';

const APPARMOR = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
const CLONE = '/proc/sys/kernel/unprivileged_userns_clone';
const MAXIMUM = '/proc/sys/user/max_user_namespaces';

/** bubblewrap is installed, may make user namespaces, and is new enough to forbid nested ones. */
export async function checkBubblewrap(host) {
  const version = await host.probe('bwrap', ['--version']);
  if (version.missing) {
    return { problem: 'bubblewrap is missing: notebooks run in the sandbox that it makes.', remedy: installCommand(host, 'bubblewrap') };
  }
  const plain = await host.probe('bwrap', ['--unshare-user', '--ro-bind', '/', '/', 'true']);
  if (!plain.ok)
    return { problem: `bubblewrap may not make a user namespace here: ${lastLine(plain.stderr)}.`, remedy: namespaceRemedy(host) };
  const full = await host.probe('bwrap', ['--unshare-all', '--unshare-user', '--disable-userns', '--ro-bind', '/', '/', 'true']);
  if (full.ok) return { version: version.stdout };
  if (/unknown option/i.test(full.stderr)) {
    return {
      problem: `${version.stdout} is too old: 0.8 or later is needed, which can forbid nested user namespaces.`,
      remedy:
        'Debian 12, Ubuntu 24.04, Fedora 38 and later have it. Elsewhere build it and put it first on the PATH:\nhttps://github.com/containers/bubblewrap/releases'
    };
  }
  return { problem: `bubblewrap cannot make a full sandbox here: ${lastLine(full.stderr)}.`, remedy: namespaceRemedy(host) };
}

function namespaceRemedy(host) {
  const sudo = host.uid === 0 ? '' : 'sudo ';
  const setting = path => host.readText(path)?.trim();
  if (setting(APPARMOR) === '1') return apparmorRemedy(sudo);
  if (setting(CLONE) === '0')
    return `Allow user namespaces: ${sudo}sysctl -w kernel.unprivileged_userns_clone=1\n${keep(sudo, 'kernel.unprivileged_userns_clone=1')}`;
  if (setting(MAXIMUM) === '0')
    return `Allow user namespaces: ${sudo}sysctl -w user.max_user_namespaces=15000\n${keep(sudo, 'user.max_user_namespaces=15000')}`;
  if (host.exists('/.dockerenv') || host.exists('/run/.containerenv')) {
    return 'This is a container whose runtime forbids namespaces. Start it with\n  docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ...\nor work outside of the container.';
  }
  return 'The kernel or a security module forbids user namespaces. Ask who runs this machine to allow them, then try\n  bwrap --unshare-user --ro-bind / / true';
}

/** Ubuntu 23.10 and later refuse user namespaces to programs without an AppArmor profile that grants them. */
function apparmorRemedy(sudo) {
  return `Ubuntu's AppArmor restricts user namespaces. Either give bubblewrap alone a profile that allows them:

${sudo}tee /etc/apparmor.d/cloister-bwrap >/dev/null <<'PROFILE'
abi <abi/4.0>,
include <tunables/global>

profile cloister-bwrap /usr/bin/bwrap flags=(unconfined) {
  userns,
  include if exists <local/cloister-bwrap>
}
PROFILE
${sudo}apparmor_parser -r /etc/apparmor.d/cloister-bwrap

or lift the restriction for every program:

${sudo}sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
${keep(sudo, 'kernel.apparmor_restrict_unprivileged_userns=0')}`;
}

function keep(sudo, line) {
  return `and to keep it after a restart: echo '${line}' | ${sudo}tee /etc/sysctl.d/60-cloister.conf`;
}

function lastLine(text) {
  return text.split('\n').at(-1).replace(/\.$/, '') || 'it gave no reason';
}
