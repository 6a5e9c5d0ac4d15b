"""Run JupyterLab or Notebook so that it ends with whoever started it: `python -I serve.py PARENT lab|notebook ARGUMENT...`.

Isolated (-I), so that a file of the workspace, such as `jupyterlab.py`, cannot take the place of a package.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1
MODULES = {"lab": "jupyterlab", "notebook": "notebook"}


def main() -> None:
    parent, app, *arguments = sys.argv[1:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_PDEATHSIG) was refused: " + os.strerror(ctypes.get_errno()))
    # Where the parent died before the call above, no signal will ever come.
    if os.getppid() != int(parent):
        sys.exit("Whoever started Jupyter has ended.")
    sys.argv = [MODULES[app], *arguments]
    runpy.run_module(MODULES[app], run_name="__main__", alter_sys=True)


main()
