"""What jupyter-server-proxy is told of the agent."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Any

START = Path(__file__).with_name("start_agent.py")

# The browser's credentials for Jupyter end at the proxy: the agent has no use for them, and cannot leak what it never had.
_EMPTIED = ("Cookie", "Authorization", "X-XSRFToken")

# A cold start of Node on a busy machine; the proxy's own 5 s are too few.
_READY_SECONDS = 20


def server_process() -> dict[str, Any]:
    """The settings of one server that jupyter-server-proxy starts at the first request, behind Jupyter's own login."""
    # The proxy alone knows it: whoever reaches the socket by another way is refused. New with every Jupyter.
    secret = secrets.token_urlsafe(32)
    return {
        # Isolated (-I): started in the user's folder, where a file `ctypes.py` must not take a module's place.
        "command": [literal(sys.executable), "-I", literal(str(START)), "{unix_socket}"],
        "environment": lambda: {
            "CLOISTER_PREFIX": "{base_url}cloister/",
            "CLOISTER_PROXY_SECRET": secret,
            "CLOISTER_WORKSPACE": literal(workspace()),
            "CLOISTER_JUPYTER_PID": str(os.getpid()),
        },
        "unix_socket": True,
        "timeout": _READY_SECONDS,
        "request_headers_override": {**dict.fromkeys(_EMPTIED, ""), "X-Cloister-Proxy-Secret": secret},
        # An open tab that listens is not a person at work: a Hub may still end an idle server.
        "exclude_last_activity_patterns": [r".*/cloister/v1/events"],
        "launcher_entry": {"enabled": False},
    }


def workspace() -> str:
    """The folder that Jupyter shows, to which its paths are relative. Asked late: it is set after extensions load."""
    try:
        from jupyter_server.serverapp import ServerApp
    except ImportError:
        return os.getcwd()
    if not ServerApp.initialized():
        return os.getcwd()
    app = ServerApp.instance()
    # A contents manager may show another folder than the server was started for.
    shown = getattr(getattr(app, "contents_manager", None), "root_dir", "") or app.root_dir
    return str(Path(shown).expanduser().absolute())


def literal(text: str) -> str:
    """`text` as jupyter-server-proxy must be given it to hand it on unchanged: it formats every value."""
    return text.replace("{", "{{").replace("}", "}}")
