"""The functions of a reference solution as the source of one module, and the survivors' table."""

import ast
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
TABLE = Path(__file__).with_name("survivors.csv")


@dataclass(frozen=True, order=True)
class Mutant:
    """A change in a function of a solution: the lines as they were and as they become."""

    assignment: str
    function: str
    was: str
    becomes: str


def names() -> list[str]:
    """The assignments."""
    return sorted(path.name for path in SOLUTIONS.iterdir() if path.is_dir())


def module(assignment: str) -> str:
    """The answer cells of a solution, below the imports of its other cells."""
    path = SOLUTIONS / assignment / f"{assignment}.ipynb"
    taken = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        answer = cell["metadata"].get("nbgrader", {}).get("solution")
        if cell["cell_type"] == "code" and (answer or _imports_only(source)):
            taken.append(source)
    return "\n\n\n".join(taken) + "\n"


def _imports_only(source: str) -> bool:
    return all(isinstance(line, ast.Import | ast.ImportFrom) for line in ast.parse(source).body)


def functions(assignment: str) -> dict[str, list[str]]:
    """The lines of each function of that module, without their indentation."""
    source = module(assignment)
    lines = [line.strip() for line in source.splitlines()]
    return {
        each.name: lines[each.lineno - 1 : each.end_lineno]
        for each in ast.parse(source).body
        if isinstance(each, ast.FunctionDef)
    }


def explained() -> Iterator[tuple[Mutant, str]]:
    """The rows of survivors.csv: a change that full marks cannot tell, and why not."""
    with TABLE.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            why = row.pop("why")
            yield Mutant(**row), why
