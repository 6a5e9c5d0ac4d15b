"""The functions that a notebook calls."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ._banner import warn_of_mock_data
from ._places import current_place

if TYPE_CHECKING:
    import pandas

# Inside the enclave files have no extension, so pandas cannot guess from it: we look at the first bytes in both places.
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}


def read_csv(name: str, **kwargs: Any) -> pandas.DataFrame:
    """Read the table `name`, such as ``"hospital/measurements"``; `kwargs` go to `pandas.read_csv`.

    Compressed tables (gzip, bz2, xz, zip, and zstd where pandas can read it) are recognised by their content.
    """
    import pandas  # only here: open, path, inputs and is_mock work without pandas

    file = path(name)
    kwargs.setdefault("compression", _compression_of(file))
    return pandas.read_csv(file, **kwargs)


def open(name: str, mode: str = "rb", *, encoding: str | None = None) -> IO[Any]:
    """Open the input `name` for reading, as bytes (``"rb"``) or text (``"r"``, UTF-8 where `encoding` says nothing else)."""
    if mode not in ("r", "rt", "rb"):
        raise ValueError(f"mode {mode!r}: inputs can only be read, so use 'rb', 'r' or 'rt'.")
    if mode == "rb":
        return path(name).open("rb")
    return path(name).open("r", encoding=encoding or "utf-8")


def path(name: str) -> Path:
    """The file of the input `name`. It differs from place to place and has no extension in the enclave."""
    place = current_place()
    file = place.find(name)
    if place.is_mock:
        warn_of_mock_data()
    return file


def inputs() -> list[str]:
    """The names of the inputs that can be read here, sorted."""
    return current_place().names()


def is_mock() -> bool:
    """True where inputs are mock data, false inside the enclave."""
    return current_place().is_mock


def _compression_of(file: Path) -> str | None:
    with file.open("rb") as stream:
        start = stream.read(8)
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
