"""The demo notebook, unchanged, in both places."""

import json
import re
import shutil
from pathlib import Path

import make_data
import nbformat
import pytest
from nbclient import NotebookClient

DEMO = Path(__file__).parent
NOTEBOOK = DEMO / "outcome-model.ipynb"


def run(folder: Path) -> tuple[nbformat.NotebookNode, dict[str, object]]:
    """Run a copy of the notebook in `folder`; return it with its outputs, and the metrics that it wrote."""
    notebook = nbformat.read(shutil.copy(NOTEBOOK, folder), as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    assert (folder / "outputs" / "roc.png").read_bytes().startswith(b"\x89PNG")
    return notebook, json.loads((folder / "outputs" / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def kernel_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(DEMO.parent / "python"))
    monkeypatch.delenv("CLOISTER_INPUTS", raising=False)
    monkeypatch.delenv("CLOISTER_MOCKS", raising=False)


def printed(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)


def test_runs_on_the_mocks_says_so_and_finds_nothing(tmp_path: Path) -> None:
    shutil.copytree(DEMO / "mocks", tmp_path / "mocks")
    notebook, metrics = run(tmp_path)
    banners = [output for output in notebook.cells[3].outputs if "MOCK DATA" in output.get("data", {}).get("text/html", "")]
    assert len(banners) == 1
    assert metrics["mock"] is True
    assert metrics["patients"] == make_data.MOCK_PATIENTS
    assert 0.2 < metrics["auc"] < 0.8


def test_runs_on_the_real_tables_in_the_enclave_without_a_changed_character(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = tmp_path_factory.mktemp("inputs")
    index = {}
    for number, (name, table) in enumerate(make_data.make_raw().items()):
        table.to_csv(inputs / str(number), index=False)
        index[name] = {"path": str(inputs / str(number)), "mediaType": "text/csv"}
    (inputs / "index.json").write_text(json.dumps(index), encoding="utf-8")
    monkeypatch.setenv("CLOISTER_INPUTS", str(inputs))
    notebook, metrics = run(tmp_path)
    assert metrics["mock"] is False
    assert (metrics["patients"], metrics["malignant"], metrics["folds"]) == (569, 212, 5)
    assert metrics["auc"] == pytest.approx(0.995, abs=0.003)
    assert re.search(r"AUC 0\.99\d\d", printed(notebook))
    shown = json.dumps([cell.get("outputs") for cell in notebook.cells])
    assert "MOCK DATA" not in shown
    assert "P-0" not in shown  # no patient's id


def test_is_kept_without_outputs_and_in_a_form_that_a_job_accepts() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    nbformat.validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(cell["metadata"] == {} for cell in notebook["cells"])


def test_names_its_assets_as_literals() -> None:
    source = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    assert re.findall(r'cloister\.read_csv\("([^"]+)"\)', source) == ["hospital/measurements", "registry/outcomes"]
