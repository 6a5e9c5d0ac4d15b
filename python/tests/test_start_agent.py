"""How the agent is started beside Jupyter: what is refused, what is forgotten, which Node is taken."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jupyter_server import serverapp

from cloister.jupyter import start_agent
from cloister.jupyter._server_process import START, literal, server_process, workspace
from cloister.jupyter.start_agent import CannotStart

HIDDEN = {
    "JUPYTERHUB_API_TOKEN": "secret",
    "JPY_API_TOKEN": "secret",
    "JUPYTER_TOKEN": "secret",
    "JUPYTER_TOKEN_FILE": "/run/secret",
    "CONFIGPROXY_AUTH_TOKEN": "secret",
    "JUPYTERHUB_SERVICE_PREFIX": "/user/ann/",
}


def start(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Start as jupyter-server-proxy does."""
    return subprocess.run(
        [sys.executable, "-I", str(START), *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def fake_node(folder: Path, says: str) -> Path:
    node = folder / "node"
    node.write_text(f"#!/bin/sh\necho {says}\n", encoding="utf-8")
    node.chmod(0o755)
    return node


def test_tokens_of_jupyter_and_its_hub_are_forgotten_and_nothing_else() -> None:
    environment = {**HIDDEN, "HOME": "/home/ann", "JUPYTER_RUNTIME_DIR": "/run", "CLOISTER_PROXY_SECRET": "stays"}
    start_agent.drop_foreign(environment)
    assert environment == {"HOME": "/home/ann", "JUPYTER_RUNTIME_DIR": "/run", "CLOISTER_PROXY_SECRET": "stays"}


def test_a_socket_path_that_node_would_cut_is_refused() -> None:
    start_agent.check_socket("/" + "a" * 106)
    with pytest.raises(CannotStart, match="107 bytes"):
        start_agent.check_socket("/" + "a" * 107)
    # Bytes count, not characters.
    with pytest.raises(CannotStart, match="107 bytes"):
        start_agent.check_socket("/" + "ä" * 54)


def test_the_named_node_is_taken_before_the_one_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    fake_node(tmp_path / "old", "v20.19.0")
    named = fake_node(tmp_path / "new", "v22.12.0")
    assert start_agent.find_node({"PATH": str(tmp_path / "old"), "CLOISTER_NODE": str(named)}) == str(named)
    assert start_agent.find_node({"PATH": str(tmp_path / "old")}) == str(tmp_path / "old" / "node")


def test_a_node_in_a_relative_folder_of_the_path_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_node(tmp_path, "v22.12.0")
    monkeypatch.chdir(tmp_path)
    for path in (".", "", ".:", ":."):
        with pytest.raises(CannotStart, match="not on the PATH"):
            start_agent.find_node({"PATH": path})
    with pytest.raises(CannotStart, match="absolute"):
        start_agent.find_node({"PATH": "", "CLOISTER_NODE": "./node"})


@pytest.mark.parametrize(
    ("says", "problem"), [("v20.18.3", "too old"), ("v18.20.0", "too old"), ("no version", "does not run"), ("", "does not run")]
)
def test_a_node_that_is_too_old_or_none_is_refused(tmp_path: Path, says: str, problem: str) -> None:
    fake_node(tmp_path, says)
    with pytest.raises(CannotStart, match=problem):
        start_agent.find_node({"PATH": str(tmp_path)})


def test_every_failure_ends_with_a_code_and_one_plain_line() -> None:
    for result in (start(), start("/" + "a" * 200), start("/tmp/s", CLOISTER_JUPYTER_PID="1"), start("/tmp/s", CLOISTER_WORKSPACE="/no/such")):
        assert result.returncode == 1
        assert result.stderr.startswith("Cloister's agent cannot start. ")
        assert "Traceback" not in result.stderr
        assert result.stdout == ""


def test_code_that_lies_above_the_agent_is_not_loaded_into_it(tmp_path: Path) -> None:
    # A virtual environment in a workspace whose author put a package there, named like one that the agent would look for.
    place = tmp_path / ".venv" / "cloister"
    shutil.copytree(START.parent, place / "jupyter", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "agent").mkdir()
    (place / "agent" / "agent.mjs").write_text(
        "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n"
        "if (!process.env.WS_NO_BUFFER_UTIL) require('bufferutil');\nif (!process.env.WS_NO_UTF_8_VALIDATE) require('utf-8-validate');\n"
        "process.exit(7);\n",
        encoding="utf-8",
    )
    for name in ("bufferutil", "utf-8-validate"):
        planted = tmp_path / "node_modules" / name
        planted.mkdir(parents=True)
        (planted / "index.js").write_text("process.exit(66);\n", encoding="utf-8")
    started = subprocess.run([sys.executable, "-I", str(place / "jupyter" / START.name), "/tmp/s"], cwd=tmp_path, timeout=30, check=False)
    assert started.returncode == 7


def test_the_process_that_becomes_the_agent_ends_with_its_parent(tmp_path: Path) -> None:
    # In Jupyter's place a process that starts us and is killed; we say our pid and wait.
    script = (
        "import subprocess, sys, os, time\n"
        "code = 'import sys; sys.path.insert(0, sys.argv[1]); import start_agent, os, time;'"
        "'start_agent.end_with_jupyter(sys.argv[2]); print(os.getpid(), flush=True); time.sleep(60)'\n"
        f"subprocess.Popen([sys.executable, '-c', code, {str(START.parent)!r}, str(os.getpid())])\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent, parent.stdout as output:
        child = int(output.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 20
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def test_the_secret_is_new_with_every_jupyter_and_in_no_command() -> None:
    first, second = server_process(), server_process()
    secret = first["environment"]()["CLOISTER_PROXY_SECRET"]
    assert len(secret) >= 32
    assert secret != second["environment"]()["CLOISTER_PROXY_SECRET"]
    assert first["request_headers_override"]["X-Cloister-Proxy-Secret"] == secret
    assert secret not in " ".join(first["command"])
    assert {name: first["request_headers_override"][name] for name in ("Cookie", "Authorization", "X-XSRFToken")} == {
        "Cookie": "",
        "Authorization": "",
        "X-XSRFToken": "",
    }


def test_values_survive_the_formatting_by_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "{port} {x}"
    folder.mkdir()
    monkeypatch.chdir(folder)
    settings = server_process()
    rendered = {
        name: value.format(port=0, unix_socket="/s", base_url="/user/ann/") for name, value in settings["environment"]().items()
    }
    assert rendered["CLOISTER_WORKSPACE"] == str(folder)
    assert rendered["CLOISTER_PREFIX"] == "/user/ann/cloister/"
    assert rendered["CLOISTER_JUPYTER_PID"] == str(os.getpid())
    assert literal("{a}").format() == "{a}"


def test_the_workspace_is_the_folder_that_jupyter_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert workspace() == os.getcwd()
    app = type("App", (), {"root_dir": str(tmp_path), "contents_manager": None})()
    monkeypatch.setattr(serverapp.ServerApp, "initialized", classmethod(lambda cls: True))
    monkeypatch.setattr(serverapp.ServerApp, "instance", classmethod(lambda cls: app))
    assert workspace() == str(tmp_path)
    app.contents_manager = type("Contents", (), {"root_dir": str(tmp_path / "shown")})()
    assert workspace() == str(tmp_path / "shown")
