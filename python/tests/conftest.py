"""Fixtures: a folder of mocks, and a folder that looks as the enclave's inputs do."""

import json
from pathlib import Path

import pytest

from cloister import _banner

CSV = "patient_id,value\nP-1,1.5\nP-2,2.5\n"


@pytest.fixture(autouse=True)
def clean_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits a place, and every test is a kernel that has not shown the banner yet."""
    for name in ("CLOISTER_INPUTS", "CLOISTER_MOCKS", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_banner, "_shown", False)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with mocks; the current folder lies two levels below it."""
    mock = tmp_path / "mocks" / "hospital" / "measurements.csv"
    mock.parent.mkdir(parents=True)
    mock.write_text(CSV, encoding="utf-8")
    below = tmp_path / "study" / "week-1"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return tmp_path


@pytest.fixture
def enclave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two inputs and their index."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    (folder / "0").write_text(CSV, encoding="utf-8")
    (folder / "1").write_text("patient_id,outcome\nP-1,benign\n", encoding="utf-8")
    index = {
        "hospital/measurements": {"path": str(folder / "0"), "mediaType": "text/csv"},
        "registry/outcomes": {"path": str(folder / "1"), "mediaType": "text/csv"},
    }
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    monkeypatch.setenv("CLOISTER_INPUTS", str(folder))
    return folder
