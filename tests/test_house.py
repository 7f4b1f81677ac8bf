"""The rules of the house: style, types, floors, a light import, clean notebooks, no addresses."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from importlinter.cli import lint_imports

HEAVY = {"altair", "anywidget", "duckdb", "ipywidgets", "IPython", "jupyterlab", "nbgrader"}


def run(root, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint(root):
    run(root, "ruff", "check", "--no-cache", ".")


def test_format(root):
    run(root, "ruff", "format", "--no-cache", "--check", ".")


def test_types(root):
    run(root, "mypy")


def test_floors(root, capsys, monkeypatch):
    monkeypatch.chdir(root)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("module", ["tradeoff", "tradeoff.cli"])
def test_import_is_light(module):
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert module in done.stdout.split(), done.stderr
    assert not HEAVY & set(done.stdout.split())


@pytest.fixture(scope="module")
def notebooks(root, house_files):
    found = [path for path in house_files if path.suffix == ".ipynb"]
    assert found
    return {path.relative_to(root).as_posix(): nbformat.read(path, as_version=4) for path in found}


def test_notebooks_are_committed_without_results(notebooks):
    cells = [(name, cell) for name, book in notebooks.items() for cell in book.cells]
    assert [
        (name, cell.id)
        for name, cell in cells
        if cell.get("outputs") or cell.get("execution_count")
    ] == []
    assert [name for name, book in notebooks.items() if "widgets" in book.metadata] == []


def test_notebooks_are_valid_and_their_cells_named_once(notebooks):
    for name, book in notebooks.items():
        nbformat.validate(book)
        assert (book.nbformat, book.nbformat_minor) >= (4, 5), f"{name}: no cell ids before 4.5"
        ids = [cell.id for cell in book.cells]
        assert len(set(ids)) == len(ids), f"{name}: a cell id stands twice"


def test_code_cells_of_lessons_are_short(notebooks):
    assert [
        (name, cell.id)
        for name, book in notebooks.items()
        for cell in book.cells
        if name.startswith("lessons/") and cell.cell_type == "code"
        if len(cell.source.splitlines()) > 25
    ] == []


# Written with brackets, or this file would break its own rule.
ADDRESSES = re.compile(
    r"pythonhoste[d]|pyp[i]\.org|npmj[s]\.(org|com)|mave[n]\.org|crate[s]\.io|de[b]\.debian"
    r"|/wor[k]/|/roo[t]/|/hom[e]/\w|/User[s]/\w|C:\\User[s]"
)


def test_no_registry_addresses_and_no_paths_of_one_machine(root, house_files):
    found = []
    for path in house_files:
        content = path.read_bytes()
        if b"\0" in content:
            continue  # a binary table
        for match in ADDRESSES.finditer(content.decode("utf-8")):
            found.append(f"{path.relative_to(root)}: {match[0]}")
    assert found == []


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no executable bit: see it on Linux")
def test_ci_run_can_be_run(root):
    assert os.access(root / ".ci" / "run", os.X_OK)
