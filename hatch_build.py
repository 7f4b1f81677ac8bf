"""Carry the lessons' notebooks in the wheel, beside the package.

Hatch maps folders, and `lessons/` is taken by the package itself, so the notebooks are named one
by one. Only a standard wheel gets them: an editable install reads them where they are.
"""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Notebooks(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "standard":
            for notebook in sorted(Path(self.root, "lessons").glob("*.ipynb")):
                target = f"tradeoff/_course/lessons/{notebook.name}"
                build_data["force_include"][str(notebook)] = target
