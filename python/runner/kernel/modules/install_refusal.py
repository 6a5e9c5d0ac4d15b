"""Says why packages cannot be installed, and leaves a mark by which the kernel fails the cell.

As a program: `python -m install_refusal NAME ARGUMENTS…` stands in for the installer NAME.
"""

import os
import shutil
import sys

MARK = "/tmp/.cloister-install-refused"
SHIMS = "/cloister/kernel/bin"
INSTALLING = {"install", "download", "wheel", "uninstall", "update", "upgrade", "create", "add", "sync", "remove"}
EXPLANATION = (
    "packages cannot be installed here: the enclave has no network, and its packages are part of what "
    "is attested. Use what the image has, or name an environment lock when you submit."
)


class InstallRefused(Exception):
    """A cell tried to install packages."""

    def __init__(self):
        super().__init__(EXPLANATION)


def is_installing(arguments):
    return any(argument in INSTALLING for argument in arguments)


def refuse():
    with open(MARK, "w", encoding="ascii"):
        pass
    print(f"Cloister: {EXPLANATION}", file=sys.stderr)
    sys.exit(1)


def take_mark():
    """Whether something tried to install since the last question."""
    try:
        os.unlink(MARK)
        return True
    except FileNotFoundError:
        return False


def stand_in(name, arguments):
    if is_installing(arguments):
        refuse()
    path = os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part != SHIMS)
    real = shutil.which(name, path=path)
    if real is None:
        sys.exit(f"{name}: not in this image")
    os.execv(real, [real, *arguments])


if __name__ == "__main__":
    stand_in(sys.argv[1], sys.argv[2:])
