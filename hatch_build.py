"""Carry the lessons' notebooks in the wheel, beside the package.

Hatch maps folders, and `lessons/` is taken by the package itself, so the notebooks are named one
by one. Only a standard wheel gets them: an editable install reads them where they are.
"""

import json
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Notebooks(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "standard":
            for room in ("lessons", "exercises"):
                for notebook in sorted(Path(self.root, room).rglob("*.ipynb")):
                    if ".ipynb_checkpoints" not in notebook.parts:
                        refuse_if_worked_in(notebook)
            for notebook in sorted(Path(self.root, "lessons").glob("*.ipynb")):
                target = f"tradeoff/_course/lessons/{notebook.name}"
                build_data["force_include"][str(notebook)] = target


def refuse_if_worked_in(notebook):
    """A wheel built where somebody has done the exercise would hand out the answers."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
        raise ValueError(f"{notebook} has been run: build the wheel from a clean checkout")
