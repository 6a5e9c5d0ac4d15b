"""The two places an input can come from. Which one is decided by the environment alone, so no code can mix them up."""

import json
import os
from pathlib import Path
from typing import Protocol

from ._errors import AssetNotFound, InputsUnreadable
from ._names import describe_missing, split_name

_COMPRESSED = {".gz", ".bz2", ".xz", ".zst", ".zip"}


class Place(Protocol):
    """Where inputs lie."""

    is_mock: bool

    def find(self, name: str) -> Path:
        """The file of one input; AssetNotFound where there is none."""
        ...

    def names(self) -> list[str]:
        """The names of all inputs, sorted."""
        ...


def current_place() -> Place:
    """The enclave wherever CLOISTER_INPUTS is set, even to nonsense: a real run must never fall back to mock data."""
    inputs = os.environ.get("CLOISTER_INPUTS")
    if inputs is not None:
        return Enclave(Path(inputs))
    mocks = os.environ.get("CLOISTER_MOCKS")
    if mocks:
        return Mocks([Path(mocks).absolute()])
    here = Path.cwd()
    return Mocks([folder / "mocks" for folder in (here, *here.parents)])


class Enclave:
    """Inputs that the runner put down, listed in ``index.json``: ``{name: {path, mediaType}}``."""

    is_mock = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> Path:
        split_name(name)
        index = self._read_index()
        if name not in index:
            hint = (
                "A run sees only the inputs that were named when it was submitted: write the name as a literal in the "
                "notebook, or list it by hand (`cloister submit --help`)."
            )
            raise AssetNotFound(describe_missing(name, sorted(index), hint))
        return index[name]

    def names(self) -> list[str]:
        return sorted(self._read_index())

    def _read_index(self) -> dict[str, Path]:
        file = self._folder / "index.json"
        try:
            index = json.loads(file.read_text(encoding="utf-8"))
            return {name: self._file_of(name, entry) for name, entry in index.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as cause:
            raise InputsUnreadable(f"The list of inputs {file} cannot be read: {cause}") from cause

    def _file_of(self, name: str, entry: dict[str, str]) -> Path:
        split_name(name)
        file = (self._folder / entry["path"]).resolve()
        if not file.is_relative_to(self._folder.resolve()):
            raise ValueError(f"{name} points outside of {self._folder}")
        return file


class Mocks:
    """Mock files ``<owner>/<asset>.<extension>`` below the first of `roots` that has the asset."""

    is_mock = True

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots

    def find(self, name: str) -> Path:
        split_name(name)
        for root in self._roots:
            files = _mocks_below(root).get(name, [])
            if len(files) > 1:
                raise ValueError(f"{name!r} has more than one mock: " + ", ".join(map(str, files)) + ". Keep one.")
            if files:
                return files[0]
        raise AssetNotFound(describe_missing(name, self.names(), self._hint(name)))

    def names(self) -> list[str]:
        return sorted({name for root in self._roots for name in _mocks_below(root)})

    def _hint(self, name: str) -> str:
        looked = str(self._roots[0])
        above = " and in the `mocks` folder of each folder above" if len(self._roots) > 1 else ""
        return (
            f"This is not the enclave, so a mock is read. Looked in {looked}{above}. Put the owner's mock at "
            f"mocks/{name}.csv beside the notebook, or set CLOISTER_MOCKS to the folder that holds {name}.csv."
        )


def _mocks_below(root: Path) -> dict[str, list[Path]]:
    """Every mock below `root` under its name; links that lead out of `root` are not mocks."""
    found: dict[str, list[Path]] = {}
    inside = root.resolve()
    for file in sorted(root.glob("*/*")):
        name = f"{file.parent.name}/{_asset_of(file.name)}"
        if not file.is_file() or not file.resolve().is_relative_to(inside):
            continue
        try:
            split_name(name)
        except ValueError:
            continue
        found.setdefault(name, []).append(file)
    return found


def _asset_of(file_name: str) -> str:
    """`measurements.csv` and `measurements.csv.gz` are both the asset `measurements`; `wave.2.csv` is `wave.2`."""
    stem = Path(file_name)
    if stem.suffix in _COMPRESSED:
        stem = stem.with_suffix("")
    return stem.stem
