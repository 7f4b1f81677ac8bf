"""The functions of a reference solution as the source of one module, and the survivors' table."""

import ast
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tradeoff.checks import authoring

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("survivors.csv")


@dataclass(frozen=True, order=True)
class Mutant:
    """A changed line of a solution's function; lines of one change are joined by " / "."""

    assignment: str
    function: str
    was: str
    becomes: str


def module(assignment: str) -> str:
    """The answer cells of a solution, below the imports of its other cells."""
    book = authoring.Draft(assignment, ROOT).notebook("solutions")
    answered = {behaviour.name for behaviour in authoring.find(assignment).behaviours}
    taken = []
    for cell in book.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if cell.cell_type == "code" and (name in answered or _imports_only(cell.source)):
            taken.append(cell.source)
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
    """The rows of survivors.csv: a mutant that full marks do not tell from the solution, and why."""
    with TABLE.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            why = row.pop("why")
            yield Mutant(**row), why
