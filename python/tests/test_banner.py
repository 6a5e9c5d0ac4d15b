"""The banner: once, impossible to miss, harmless."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import cloister
from cloister import _banner


def test_is_printed_once_before_the_first_mock_is_used(workspace: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cloister.is_mock()
    assert capfd.readouterr().err == ""
    cloister.read_csv("hospital/measurements")
    cloister.path("hospital/measurements")
    shown = capfd.readouterr().err
    assert shown.count("MOCK DATA") == 1
    assert "cloister submit NOTEBOOK.ipynb --wait" in shown


def test_names_the_notebook_that_jupyter_serves_and_escapes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/<img src=x> model.ipynb")
    assert "cloister submit '<img src=x> model.ipynb' --wait" in _banner.banner_text()
    assert "<img" not in _banner.banner_html()
    assert "&lt;img src=x&gt; model.ipynb" in _banner.banner_html()


def test_brings_its_own_colours_so_that_no_theme_hides_it() -> None:
    assert "background:#ffb000;color:#1a1a1a" in _banner.banner_html()


def test_is_rich_html_with_a_text_fallback_in_a_kernel(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(cloister.__file__).parent.parent))
    read = "import cloister; cloister.path('hospital/measurements');"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(read), nbformat.v4.new_code_cell(read)])
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(workspace)}}).execute()
    first, second = (cell.outputs for cell in notebook.cells)
    assert [output.output_type for output in first] == ["display_data"]
    assert "MOCK DATA" in first[0].data["text/html"]
    assert "MOCK DATA" in first[0].data["text/plain"]
    assert second == []
