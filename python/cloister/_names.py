"""Names of inputs: ``owner/asset``."""

import difflib
import re
from collections.abc import Sequence

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")


def split_name(name: object) -> tuple[str, str]:
    """Return (owner, asset); ValueError for anything that is not exactly such a name.

    Each part starts with a letter or a digit, so no name can be ``..``, hidden, absolute or deeper than one folder.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not the name of an input: write \"owner/asset\", for example \"hospital/measurements\" "
            "(lower-case letters, digits, '.', '_', '-'; no file extension is needed)."
        )
    owner, asset = name.split("/")
    return owner, asset


def describe_missing(name: str, available: Sequence[str], hint: str) -> str:
    """Say that `name` is not there, what is, which of those was probably meant, and what to do."""
    lines = [f"There is no input {name!r} here."]
    close = _close_names(name, available)
    if close:
        lines.append("Did you mean " + " or ".join(repr(other) for other in close) + "?")
    lines.append("Available: " + (", ".join(available) if available else "none") + ".")
    lines.append(hint)
    return "\n".join(lines)


def _close_names(name: str, available: Sequence[str]) -> list[str]:
    close = difflib.get_close_matches(name, available, n=3, cutoff=0.6)
    same_asset = [other for other in available if other.split("/")[1] == name.split("/")[1] and other not in close]
    return (close + same_asset)[:3]
