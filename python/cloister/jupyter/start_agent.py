"""Become the agent: `python -I start_agent.py SOCKET`, started by jupyter-server-proxy. The standard library alone.

Ends with a code other than 0 wherever the agent cannot start, since the proxy never restarts what ended well.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import NoReturn

AGENT = Path(__file__).resolve().parent.parent / "agent" / "agent.mjs"

# sun_path of a Linux socket. Node cuts a longer one silently, and listens outside of the private directory.
MAX_SOCKET_BYTES = 107
OLDEST_NODE = (20, 19)
PR_SET_PDEATHSIG = 1

# A Hub's and a server's tokens, keys and paths to them. The agent's authority is its own keys.
FOREIGN = re.compile(r"JUPYTERHUB_|JPY_|CONFIGPROXY_|JUPYTER_(?:TOKEN|PASSWORD)")


# Faster native parts, which the WebSocket library loads from any folder above the agent that has them: a virtual environment
# may lie in the workspace, among files that anybody wrote. With these set it never looks.
WITHOUT_NATIVE_PARTS = {"WS_NO_BUFFER_UTIL": "1", "WS_NO_UTF_8_VALIDATE": "1"}


class CannotStart(Exception):
    """What is wrong, and what to do, in words for the person who reads Jupyter's log."""


def main(arguments: list[str]) -> NoReturn:
    """Check, clean up, and replace this process by Node running the agent."""
    try:
        if len(arguments) != 1:
            raise CannotStart("The agent is started by Jupyter, with the path of one socket.")
        check_socket(arguments[0])
        end_with_jupyter(os.environ.pop("CLOISTER_JUPYTER_PID", None))
        drop_foreign(os.environ)
        enter_workspace(os.environ.get("CLOISTER_WORKSPACE"))
        if not AGENT.is_file():
            raise CannotStart(f"{AGENT} is missing. Install cloister again; in a checkout: npm run build.")
        node = find_node(os.environ)
        os.environ.update(WITHOUT_NATIVE_PARTS)
        os.execv(node, [node, str(AGENT), arguments[0]])
    except (CannotStart, OSError) as error:
        sys.stderr.write(f"Cloister's agent cannot start. {error}\n")
        sys.exit(1)


def check_socket(path: str) -> None:
    """Refuse a path that Node would cut."""
    if len(os.fsencode(path)) > MAX_SOCKET_BYTES:
        raise CannotStart(
            f"The path of its socket is longer than {MAX_SOCKET_BYTES} bytes: {path}. Start Jupyter with a shorter TMPDIR."
        )


def end_with_jupyter(jupyter: str | None) -> None:
    """Have the kernel end us when Jupyter ends, however that happens. Kept over exec."""
    if sys.platform != "linux":
        raise CannotStart(f"It runs on Linux; this is {sys.platform}.")
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise CannotStart(f"It could not be tied to Jupyter: {os.strerror(ctypes.get_errno())}.")
    # Where Jupyter died before the call above, no signal will ever come.
    if jupyter is not None and os.getppid() != int(jupyter):
        raise CannotStart("Jupyter has ended meanwhile.")


def drop_foreign(environment: MutableMapping[str, str]) -> None:
    """Forget what the Hub and Jupyter told themselves: it would otherwise be in the agent's environment for all its life."""
    for name in [name for name in environment if FOREIGN.match(name)]:
        del environment[name]


def enter_workspace(folder: str | None) -> None:
    """Work in the folder that Jupyter shows."""
    if folder:
        os.chdir(folder)


def find_node(environment: MutableMapping[str, str]) -> str:
    """The Node of $CLOISTER_NODE, else the one on the PATH; new enough, or CannotStart."""
    advice = f"Install Node {'.'.join(map(str, OLDEST_NODE))} or newer (https://nodejs.org), or name one: CLOISTER_NODE=/path/to/node."
    named = environment.get("CLOISTER_NODE")
    node = named or shutil.which("node", path=absolute_parts(environment.get("PATH", os.defpath)))
    if not node:
        raise CannotStart(f"Node is not on the PATH. {advice}")
    if not os.path.isabs(node):
        raise CannotStart(f"CLOISTER_NODE must be an absolute path. {advice}")
    said = version_of(node)
    match = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\S*", said)
    if not match:
        raise CannotStart(f"{node} does not run. {advice}")
    if (int(match[1]), int(match[2])) < OLDEST_NODE:
        raise CannotStart(f"{node} is {said}, which is too old. {advice}")
    return node


def absolute_parts(path: str) -> str:
    """PATH without relative folders: they would be looked for in the workspace, among files that anybody wrote."""
    return os.pathsep.join(part for part in path.split(os.pathsep) if os.path.isabs(part))


def version_of(node: str) -> str:
    """What `node --version` says; empty where it says nothing."""
    try:
        return subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
