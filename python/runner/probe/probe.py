"""Tries to get out of the sandbox it runs in, and says what it reached.

Reads its targets as JSON from standard input and writes `{"reached": {probe: bool}}`. It has no
targets of its own, so that each probe can be shown to succeed where nothing stops it. A probe that
ends in an error nobody expected counts as reached: unknown is not blocked.
"""

import ctypes
import fcntl
import glob
import json
import os
import socket
import stat
import sys
import tempfile

CLONE_NEWUSER = 0x10000000
PR_CAPBSET_READ = 23
PR_GET_NO_NEW_PRIVS = 39
LAST_CAPABILITY = 40
CONNECT_SECONDS = 2
MAX_DESCRIPTOR = 65_536

libc = ctypes.CDLL(None, use_errno=True)


def exists(paths):
    return any(os.path.lexists(path) for path in paths)


def connects(family, kind, address):
    with socket.socket(family, kind) as connection:
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(address)
            return True
        except OSError:
            return False


def has_route(address):
    """A connected datagram socket shows a route; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return connects(family, socket.SOCK_DGRAM, (address, 80))


def unix_socket(path):
    return exists([path]) or connects(socket.AF_UNIX, socket.SOCK_STREAM, path)


def resolves(name):
    try:
        return bool(socket.getaddrinfo(name, 80))
    except OSError:
        return False


def network_routes(targets):
    foreign = {name for _, name in socket.if_nameindex()} - set(targets["loopback"])
    return bool(foreign) or any(has_route(address) for address in targets["addresses"])


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def open_files(first):
    """Whether whoever made the sandbox left a file open beyond the standard streams."""
    return any(is_open(descriptor) for descriptor in range(first, MAX_DESCRIPTOR))


def is_open(descriptor):
    try:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
        return True
    except OSError:
        return False


def namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def host_processes(host):
    """Whether /proc is the host's: its pid namespace, or this very process of the runner."""
    if host["pidNamespace"] in (namespace("self"), namespace(1)):
        return True
    status = read(f"/proc/{host['pid']}/stat").rpartition(b")")[2].split()
    # Field 22 of stat, the start time, tells the runner from another process with its number.
    return len(status) > 19 and status[19] == host["startTime"].encode()


def devices(targets):
    if any(glob.glob(pattern) for pattern in targets["forbidden"]):
        return True
    for folder, _, names in os.walk("/dev"):
        for name in names:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)) and not allowed(path, targets["allowed"]):
                return True
    return False


def allowed(path, names):
    return path.startswith("/dev/pts/") or os.path.basename(path) in names


def user_namespaces(flag):
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(flag) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def new_privileges(expected):
    return libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != expected


def capabilities(last):
    return any(libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1 for number in range(last + 1))


def writes(targets):
    for folder in targets["folders"]:
        try:
            descriptor, path = tempfile.mkstemp(dir=folder)
        except OSError:
            continue
        os.close(descriptor)
        os.unlink(path)
        return True
    return any(opens_for_writing(path) for path in targets["files"])


def opens_for_writing(path):
    try:
        os.close(os.open(path, os.O_WRONLY))
        return True
    except OSError:
        return False


PROBES = {
    "tee_socket": lambda t: unix_socket(t["teeSocket"]),
    "metadata_address": lambda t: has_route(t["metadataAddress"]),
    "metadata_name": lambda t: resolves(t["metadataName"]),
    "network_route": lambda t: network_routes(t["network"]),
    "host_loopback": lambda t: connects(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", t["loopbackPort"])),
    "abstract_socket": lambda t: connects(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + t["abstractSocket"]),
    "runner_files": lambda t: exists(t["runnerFiles"]),
    "other_sandbox": lambda t: exists(t["otherSandbox"]),
    "inherited_files": lambda t: open_files(t["firstFile"]),
    "host_processes": lambda t: host_processes(t["host"]),
    "devices": lambda t: devices(t["devices"]),
    "user_namespaces": lambda t: user_namespaces(CLONE_NEWUSER),
    "new_privileges": lambda t: new_privileges(1),
    "capabilities": lambda t: capabilities(LAST_CAPABILITY),
    "write_outside": lambda t: writes(t["write"]),
}


def reached(probe, targets):
    try:
        return bool(probe(targets))
    except Exception:
        return True


if __name__ == "__main__":
    targets = json.load(sys.stdin)
    json.dump({"reached": {name: reached(probe, targets) for name, probe in PROBES.items()}}, sys.stdout)
