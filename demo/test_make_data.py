"""The demo's tables: what the mocks must have in common with the real ones, and what they must not."""

from pathlib import Path

import make_data
import pandas as pd
import pytest

DEMO = Path(__file__).parent
HOSPITAL, REGISTRY = "hospital/measurements", "registry/outcomes"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    raw = make_data.make_raw()
    make_data.write_tables(folder / "raw", raw)
    make_data.write_tables(folder / "mocks", make_data.make_mocks(raw))
    return folder


@pytest.fixture(scope="module", params=["just made", "kept in the checkout"])
def mocks(request: pytest.FixtureRequest, written: Path) -> Path:
    return written / "mocks" if request.param == "just made" else DEMO / "mocks"


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv")


def test_the_raw_tables_are_569_patients_with_one_outcome_each(written: Path) -> None:
    hospital, registry = read(written / "raw", HOSPITAL), read(written / "raw", REGISTRY)
    assert hospital.shape == (569, 31)
    joined = hospital.merge(registry, on="patient_id", validate="one_to_one")
    assert joined["outcome"].value_counts().to_dict() == {"benign": 357, "malignant": 212}


def test_outcomes_follow_their_own_patients(written: Path) -> None:
    joined = read(written / "raw", HOSPITAL).merge(read(written / "raw", REGISTRY), on="patient_id")
    radius = joined.groupby("outcome")["mean_radius"].mean()
    assert radius["malignant"] == pytest.approx(17.46, abs=0.01)
    assert radius["benign"] == pytest.approx(12.15, abs=0.01)


def test_the_two_raw_tables_are_in_different_orders(written: Path) -> None:
    hospital, registry = read(written / "raw", HOSPITAL), read(written / "raw", REGISTRY)
    assert (hospital["patient_id"] == registry["patient_id"]).mean() < 0.05


@pytest.mark.parametrize("name", [HOSPITAL, REGISTRY])
def test_a_mock_has_the_columns_and_dtypes_of_its_table_and_fewer_rows(written: Path, mocks: Path, name: str) -> None:
    raw, mock = read(written / "raw", name), read(mocks, name)
    assert mock.dtypes.to_dict() == raw.dtypes.to_dict()
    assert list(mock.columns) == list(raw.columns)
    assert len(mock) == make_data.MOCK_PATIENTS < len(raw)


def test_mock_ids_join_and_none_is_a_real_patient(written: Path, mocks: Path) -> None:
    hospital, registry = read(mocks, HOSPITAL), read(mocks, REGISTRY)
    assert len(hospital.merge(registry, on="patient_id", validate="one_to_one")) == len(hospital)
    assert registry["outcome"].value_counts().min() >= 20
    assert set(registry["patient_id"]).isdisjoint(read(written / "raw", REGISTRY)["patient_id"])


def test_no_mock_row_is_a_real_row(written: Path, mocks: Path) -> None:
    raw, mock = read(written / "raw", HOSPITAL), read(mocks, HOSPITAL)
    features = [column for column in raw.columns if column != "patient_id"]
    assert mock.merge(raw, on=features).empty


@pytest.mark.parametrize("name", [HOSPITAL, REGISTRY])
def test_a_mock_that_holds_a_real_row_is_refused(name: str) -> None:
    raw = make_data.make_raw()[name]
    with pytest.raises(RuntimeError, match="real row"):
        make_data._require_no_shared_row(name, raw.head(1), raw)


def test_mock_values_look_like_the_real_ones(written: Path, mocks: Path) -> None:
    raw = read(written / "raw", HOSPITAL).drop(columns="patient_id")
    mock = read(mocks, HOSPITAL).drop(columns="patient_id")
    assert (mock >= 0).all(axis=None)
    assert ((mock.mean() - raw.mean()).abs() < raw.std()).all()
    digits = mock.map(make_data._significant_digits).max()
    assert (digits <= raw.map(make_data._significant_digits).max()).all()


def test_the_same_bytes_are_written_every_time(written: Path, tmp_path: Path) -> None:
    make_data.write_tables(tmp_path, make_data.make_mocks(make_data.make_raw()))
    for name in (HOSPITAL, REGISTRY):
        assert (tmp_path / f"{name}.csv").read_bytes() == (written / "mocks" / f"{name}.csv").read_bytes()
