"""What self-study offers beside the checks: progress, and solutions after honest tries."""

import json
import os
from dataclasses import dataclass
from html import escape

from tradeoff import course
from tradeoff.checks import memory
from tradeoff.checks.assignment import find, released


@dataclass(frozen=True)
class Solution:
    """What is shown of a solution; closed when `waiting` says what is missing."""

    name: str
    source: str = ""
    explanation: str = ""
    waiting: str = ""

    def __repr__(self) -> str:
        return "\n\n".join(part for part in (self._head, self.explanation, self.source) if part)

    @property
    def _head(self) -> str:
        return self.waiting or f"{self.name}, solved"

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{escape(self._head)}</strong></p>"]
        if self.explanation:
            parts.append(f"<p>{escape(self.explanation)}</p>")
        if self.source:
            parts.append(f"<pre>{escape(self.source)}</pre>")
        return "".join(parts)


def solution(assignment: str, behaviour: str) -> Solution:
    """See `tradeoff.checks.solution`."""
    asked = find(assignment).behaviour(behaviour)
    if os.environ.get("NBGRADER_EXECUTION"):
        return Solution(
            behaviour, waiting=f"{behaviour}: solutions stay closed while nbgrader runs."
        )
    if not memory.is_open(assignment, behaviour):
        tries = len(memory.entry(assignment, behaviour)["tries"])
        return Solution(
            behaviour,
            waiting=f"{behaviour}: {tries} of {memory.HONEST_TRIES} honest tries so far. The "
            f"solution opens after {memory.HONEST_TRIES - tries} more that differ in their answers "
            "(an untouched stub or one answer for every case does not count).",
        )
    return Solution(behaviour, _source(assignment, behaviour), asked.explanation)


def _source(assignment: str, behaviour: str) -> str:
    """The solution cell's source without nbgrader's marks; empty where there is no checkout."""
    root = course.checkout()
    path = None if root is None else root / "solutions" / assignment / f"{assignment}.ipynb"
    if path is None or not path.is_file():
        return ""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == behaviour:
            lines = "".join(cell["source"]).splitlines()
            return "\n".join(line for line in lines if not line.lstrip().startswith("###"))
    return ""


@dataclass(frozen=True)
class Progress:
    """Best points of each assignment's automatic checks, and what they are worth; one line."""

    rows: tuple[tuple[str, float, float], ...]

    def __repr__(self) -> str:
        done = sum(best >= worth for _, best, worth in self.rows)
        parts = (
            f"{'✓ ' if best >= worth else ''}{name} {best:g}/{worth:g}"
            for name, best, worth in self.rows
        )
        return f"{done} of {len(self.rows)} assignments complete: {' · '.join(parts)}"


def progress() -> Progress:
    """See `tradeoff.checks.progress`."""
    rows = []
    for each in released():
        reached = (
            memory.entry(each.name, one.name)["score"] * one.points for one in each.behaviours
        )
        rows.append((each.name, round(sum(reached), 1), each.points))
    return Progress(tuple(rows))
