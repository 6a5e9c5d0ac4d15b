"""Starts ipykernel inside the sandbox, as `python -m ipykernel_launcher` would.

Adds the `cloister` module and the guards against installing packages. Nothing here protects
anything: a cell may undo all of it. What holds a cell is the sandbox.
"""

import os
import sys

# The runner says so once it has written down that this sandbox is there. Where it ended before, nobody would end this one.
if not os.read(0, 1):
    sys.exit("the runner is gone")

# This folder, which Python puts first for a script. What a notebook may import is on PYTHONPATH, for its
# child processes as well, and IPython adds the notebook's own folder when ipykernel is loaded.
del sys.path[0]

from functools import wraps  # noqa: E402

from install_refusal import InstallRefused, is_installing, take_mark  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.iostream import OutStream  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from traitlets.config import Config  # noqa: E402

FLUSH_SECONDS_AT_SHUTDOWN = 0.1
INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")


class NotebookKernel(IPythonKernel):
    """A Python kernel in which a cell that tries to install packages fails and says why."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        for name in INSTALLERS:
            guard_magic(self.shell, name)

    @wraps(IPythonKernel.do_execute)
    async def do_execute(self, *args, **kwargs):
        reply = await super().do_execute(*args, **kwargs)
        # `!pip install` ends with a status that IPython ignores, so the shims leave a mark.
        if not take_mark():
            return reply
        explained = InstallRefused()
        content = {
            "ename": type(explained).__name__,
            "evalue": str(explained),
            "traceback": [f"{type(explained).__name__}: {explained}"],
        }
        self.send_response(self.iopub_socket, "error", content, ident=self._topic("error"))
        return {**reply, **content, "status": "error"}

    def do_shutdown(self, restart):
        # ipykernel flushes once more after this, and where its IO thread ended first that waits for ten
        # seconds. By now every cell's output was flushed when the cell ended.
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, OutStream):
                stream.flush_timeout = FLUSH_SECONDS_AT_SHUTDOWN
        return super().do_shutdown(restart)


def guard_magic(shell, name):
    """Makes `%pip install` and its like raise; `%pip list` goes on to IPython's own."""
    original = shell.find_line_magic(name)

    def magic(line):
        if is_installing(line.split()):
            raise InstallRefused()
        if original is None:
            raise NameError(f"%{name} is not in this image")
        return original(line)

    shell.register_magic_function(magic, "line", name)


def main():
    config = Config()
    # No history file: it would be a second copy of the code.
    config.HistoryManager.enabled = False
    application = IPKernelApp.instance(kernel_class=NotebookKernel, config=config)
    application.initialize(sys.argv[1:])
    application.start()


if __name__ == "__main__":
    main()
