"""Make the demo's two tables, and a mock of each.

    python make_data.py OUTDIR

writes OUTDIR/raw/hospital/measurements.csv, OUTDIR/raw/registry/outcomes.csv and the same two below OUTDIR/mocks.
The raw tables are scikit-learn's bundled breast-cancer data (569 patients), cut in two as two institutions would hold
it. They are what the owners seal: whoever calls this with a workspace as OUTDIR must not leave OUTDIR/raw there.
The same call always writes the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

SEED = 20240611
MOCK_PATIENTS = 60
MOCK_MALIGNANT = 22
# Mock ids have the form of the real ones and lie beyond them, so nobody can take a mock patient for a real one.
FIRST_MOCK_ID = 9001

Tables = dict[str, pd.DataFrame]


def make_raw() -> Tables:
    """The owners' tables: one row a patient in each, in two different orders, joined by `patient_id`."""
    rng = np.random.default_rng(SEED)
    data = load_breast_cancer(as_frame=True)
    features = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    outcome = data.target.map(dict(enumerate(data.target_names)))
    # Ids are dealt at random: they say nothing about the order of the published data set.
    ids = pd.Series([f"P-{number:04d}" for number in rng.permutation(np.arange(1, len(features) + 1))], name="patient_id")
    hospital = pd.concat([ids, features], axis=1).sort_values("patient_id", ignore_index=True)
    registry = pd.DataFrame({"patient_id": ids, "outcome": outcome})
    registry = registry.iloc[rng.permutation(len(registry))].reset_index(drop=True)
    return {"hospital/measurements": hospital, "registry/outcomes": registry}


def make_mocks(raw: Tables) -> Tables:
    """Stand-ins with the same columns and dtypes, fewer rows, and ids that join.

    All they take from the real values is, for each column, the mean and the standard deviation to two significant
    digits, and how many digits its values have. Columns are drawn independently, so there is nothing in them to learn.
    """
    rng = np.random.default_rng(SEED + 1)
    hospital = raw["hospital/measurements"]
    ids = [f"P-{FIRST_MOCK_ID + number:04d}" for number in range(MOCK_PATIENTS)]
    columns = {name: _draw_like(column, rng) for name, column in hospital.drop(columns="patient_id").items()}
    measurements = pd.DataFrame({"patient_id": ids, **columns}).astype(hospital.dtypes.to_dict())
    outcomes = np.repeat(["malignant", "benign"], [MOCK_MALIGNANT, MOCK_PATIENTS - MOCK_MALIGNANT])
    registry = pd.DataFrame({"patient_id": rng.permutation(ids), "outcome": rng.permutation(outcomes)})
    mocks = {"hospital/measurements": measurements, "registry/outcomes": registry}
    for name, mock in mocks.items():
        _require_no_shared_row(name, mock, raw[name])
    return mocks


def write_tables(folder: Path, tables: Tables) -> None:
    """Write each table as `folder`/<owner>/<asset>.csv."""
    for name, table in tables.items():
        file = folder / f"{name}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(file, index=False, lineterminator="\n")


def _draw_like(column: pd.Series, rng: np.random.Generator) -> np.ndarray:
    mean, spread = _two_digits(column.mean()), _two_digits(column.std())
    shape = (mean / spread) ** 2  # a gamma distribution: skewed and never negative, as sizes and ratios are
    digits = max(_significant_digits(value) for value in column)
    return np.array([float(f"{value:.{digits}g}") for value in rng.gamma(shape, mean / shape, MOCK_PATIENTS)])


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def _significant_digits(value: float) -> int:
    return len(f"{value:.10e}".partition("e")[0].replace(".", "").rstrip("0"))


def _require_no_shared_row(name: str, mock: pd.DataFrame, raw: pd.DataFrame) -> None:
    """No mock row may be a real row, with its id or, where there are measurements, without it."""
    columns = [column for column in raw.columns if column != "patient_id"]
    keys = [list(raw.columns)] + ([columns] if len(columns) > 1 else [])
    for key in keys:
        if not mock.merge(raw, on=key).empty:
            raise RuntimeError(f"the mock of {name} has a real row")


def main() -> None:
    """Write the raw tables and the mocks below the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Make the demo's two tables, and a mock of each.")
    parser.add_argument("outdir", type=Path)
    outdir = parser.parse_args().outdir
    raw = make_raw()
    write_tables(outdir / "raw", raw)
    write_tables(outdir / "mocks", make_mocks(raw))


if __name__ == "__main__":
    main()
