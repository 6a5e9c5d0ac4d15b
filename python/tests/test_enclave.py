"""Inside the enclave."""

import gzip
import json
from pathlib import Path

import pytest

import cloister


def test_reads_the_real_table_and_shows_no_banner(enclave: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert not cloister.is_mock()
    assert cloister.inputs() == ["hospital/measurements", "registry/outcomes"]
    assert cloister.read_csv("registry/outcomes")["outcome"].tolist() == ["benign"]
    assert cloister.path("hospital/measurements") == enclave / "0"
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_missing_input_names_the_ones_that_were_released(enclave: Path) -> None:
    with pytest.raises(cloister.AssetNotFound) as caught:
        cloister.read_csv("clinic/outcomes")
    assert "Did you mean 'registry/outcomes'?" in str(caught.value)
    assert "Available: hospital/measurements, registry/outcomes." in str(caught.value)
    assert "when it was submitted" in str(caught.value)


def test_a_mock_beside_the_notebook_never_stands_in_for_a_missing_input(
    enclave: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "mocks" / "hospital" / "visits.csv").write_text("a\n1\n", encoding="utf-8")
    monkeypatch.setenv("CLOISTER_MOCKS", str(workspace / "mocks"))
    with pytest.raises(cloister.AssetNotFound):
        cloister.read_csv("hospital/visits")


@pytest.mark.parametrize("place", ["", "/nowhere/at/all"])
def test_an_enclave_without_its_index_does_not_fall_back_to_mocks(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("CLOISTER_INPUTS", place)
    assert not cloister.is_mock()
    with pytest.raises(cloister.InputsUnreadable):
        cloister.read_csv("hospital/measurements")


@pytest.mark.parametrize(
    "index",
    [
        "not json",
        "[]",
        "{\"hospital/measurements\": {}}",
        "{\"hospital/measurements\": \"0\"}",
        "{\"../x\": {\"path\": \"0\"}}",
        "{\"hospital/measurements\": {\"path\": \"../secret\"}}",
        "{\"hospital/measurements\": {\"path\": \"/etc/passwd\"}}",
    ],
)
def test_a_malformed_index_is_refused(enclave: Path, index: str) -> None:
    (enclave / "index.json").write_text(index, encoding="utf-8")
    with pytest.raises(cloister.InputsUnreadable):
        cloister.path("hospital/measurements")


@pytest.mark.parametrize("name", ["../0", "hospital/../0", "Hospital/measurements", "index.json"])
def test_refuses_what_is_no_name(enclave: Path, name: str) -> None:
    with pytest.raises(ValueError, match="owner/asset"):
        cloister.open(name)


def test_compression_is_found_without_an_extension(enclave: Path) -> None:
    (enclave / "0").write_bytes(gzip.compress(b"a\n7\n"))
    assert cloister.read_csv("hospital/measurements")["a"].tolist() == [7]


def test_a_relative_path_in_the_index_is_below_the_inputs(enclave: Path) -> None:
    (enclave / "index.json").write_text(json.dumps({"a/b": {"path": "1", "mediaType": "text/csv"}}), encoding="utf-8")
    assert cloister.path("a/b") == enclave / "1"
