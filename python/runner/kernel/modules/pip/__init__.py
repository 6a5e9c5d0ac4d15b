"""Stands before the real pip: refuses to install, and gives way to the real one for all else.

Without it pip would retry for a minute against a network that is not there.
"""

import importlib
import os
import sys

from install_refusal import is_installing, refuse

# `python -m pip install x` and `/venv/bin/pip install x` both come past here with their arguments.
if os.path.basename(sys.argv[0]) in ("-m", "pip", "pip3") and is_installing(sys.argv[1:]):
    refuse()

_shims = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_path = sys.path[:]
sys.path[:] = [entry for entry in _path if entry != _shims]
del sys.modules["pip"]
try:
    _real = importlib.import_module("pip")
finally:
    sys.path[:] = _path

_main = _real.main


def main(args=None):
    """pip's own entry point, but for what installs."""
    if is_installing(args or []):
        refuse()
    return _main(args)


_real.main = main
