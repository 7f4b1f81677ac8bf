"""The real nbgrader, called as a teacher calls it."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat

SEED = "plum-orchard-42"


def nbgrader(
    folder: Path, *arguments: str, seed: str | None = SEED
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    environment.pop("TRADEOFF_SEED", None)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # many kernels start: compile imports once
    if seed is not None:
        environment["TRADEOFF_SEED"] = seed
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def cell_named(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    (found,) = (
        cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name
    )
    return found
