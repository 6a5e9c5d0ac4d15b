"""Run a notebook as anybody would with nbclient: python plain_nbclient.py NOTEBOOK EXECUTED MODULES

NOTEBOOK is executed in its own folder and written, with its outputs, to EXECUTED. The kernel imports from MODULES.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main(source: Path, executed: Path, modules: str) -> None:
    os.environ["PYTHONPATH"] = modules
    notebook = nbformat.read(source, as_version=4)
    NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(source.parent)}}).execute()
    nbformat.write(notebook, executed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
