"""Outside the enclave."""

import gzip
from pathlib import Path

import pytest

import cloister

BAD_NAMES = [
    "", "measurements", "hospital/", "/measurements", "Hospital/measurements", "../mocks/hospital", "hospital/../x",
    "hospital/measurements/x", ".hidden/x", "hospital/.x", "hospital/x\n", "hospital\\x", "hospital/x\0", None, 3,
]


def test_finds_the_mock_in_a_folder_above(workspace: Path) -> None:
    assert cloister.is_mock()
    assert cloister.inputs() == ["hospital/measurements"]
    assert cloister.read_csv("hospital/measurements")["value"].tolist() == [1.5, 2.5]
    assert cloister.path("hospital/measurements") == workspace / "mocks" / "hospital" / "measurements.csv"


def test_the_nearest_mocks_folder_wins_for_the_assets_it_has(workspace: Path) -> None:
    near = workspace / "study" / "mocks" / "registry" / "outcomes.tsv"
    near.parent.mkdir(parents=True)
    near.write_text("a\tb\n", encoding="utf-8")
    assert cloister.path("registry/outcomes") == near
    assert cloister.path("hospital/measurements").parent.parent == workspace / "mocks"


def test_cloister_mocks_names_the_only_folder_searched(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOISTER_MOCKS", str(tmp_path_factory.mktemp("elsewhere")))
    with pytest.raises(cloister.AssetNotFound):
        cloister.path("hospital/measurements")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_refuses_what_is_no_name(workspace: Path, name: object) -> None:
    with pytest.raises(ValueError, match="owner/asset"):
        cloister.path(name)  # type: ignore[arg-type]


def test_a_missing_asset_says_what_there_is_and_what_was_probably_meant(workspace: Path) -> None:
    with pytest.raises(cloister.AssetNotFound) as caught:
        cloister.read_csv("hospital/measurments")
    message = str(caught.value)
    assert "Did you mean 'hospital/measurements'?" in message
    assert "Available: hospital/measurements." in message
    assert "mocks/hospital/measurments.csv" in message


def test_a_link_out_of_the_mocks_folder_is_no_mock(workspace: Path) -> None:
    outside = workspace / "outside.csv"
    outside.write_text("secret\n", encoding="utf-8")
    (workspace / "mocks" / "hospital" / "linked.csv").symlink_to(outside)
    with pytest.raises(cloister.AssetNotFound):
        cloister.path("hospital/linked")


def test_two_mocks_of_one_asset_are_refused(workspace: Path) -> None:
    (workspace / "mocks" / "hospital" / "measurements.parquet").write_bytes(b"x")
    with pytest.raises(ValueError, match="more than one mock"):
        cloister.path("hospital/measurements")


def test_opens_bytes_and_text_and_never_for_writing(workspace: Path) -> None:
    with cloister.open("hospital/measurements") as stream:
        assert stream.readline() == b"patient_id,value\n"
    with cloister.open("hospital/measurements", "r") as stream:
        assert stream.readline() == "patient_id,value\n"
    with pytest.raises(ValueError, match="only be read"):
        cloister.open("hospital/measurements", "w")


def test_keyword_arguments_reach_pandas(workspace: Path) -> None:
    frame = cloister.read_csv("hospital/measurements", index_col="patient_id", nrows=1)
    assert frame.index.tolist() == ["P-1"]


def test_a_compressed_mock_reads_as_its_asset(workspace: Path) -> None:
    (workspace / "mocks" / "hospital" / "visits.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    assert cloister.read_csv("hospital/visits")["a"].tolist() == [1]


def test_pandas_is_imported_only_for_tables(workspace: Path) -> None:
    import subprocess
    import sys

    code = "import sys, cloister; cloister.inputs(); cloister.open('hospital/measurements'); print('pandas' in sys.modules)"
    package = str(Path(cloister.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": package}, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
