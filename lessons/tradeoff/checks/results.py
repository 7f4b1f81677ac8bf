"""What a class got right and wrong, check by check, read from nbgrader's autograded notebooks.

`Judge` leaves a note with each graded cell's points: state, points and the misconception's name.
"""

import json
from pathlib import Path

import pandas as pd

from tradeoff.checks.assignment import find
from tradeoff.checks.report import SIGNS

STATES = tuple(SIGNS)
COLUMNS = ("student", "behaviour", "state", "points", "maximum", "misconception")


def read(autograded: Path, assignment: str) -> pd.DataFrame:
    """One row a student and check: student, behaviour, state, points, maximum, misconception.

    `autograded` is nbgrader's folder of that name. Notebooks that can't be read are left out, with
    cells that were not judged. Raises LookupError when there is nothing at all.
    """
    rows = []
    for path in sorted(autograded.glob(f"*/{assignment}/*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError, KeyError):
            continue
        student = path.parents[1].name
        for cell in cells:
            for output in cell.get("outputs", ()):
                if note := output.get("metadata", {}).get("tradeoff"):
                    rows.append({"student": student, **note})
    if not rows:
        raise LookupError(f"no graded checks of {assignment} in {autograded}: autograde it first")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def by_check(results: pd.DataFrame, order: list[str] | None = None) -> pd.DataFrame:
    """One row a behaviour: how many are in each state, mean points as a share, misconceptions.

    `misconceptions` says in words how many gave which misconception's answers, most first.
    """
    rows = []
    for name in order or list(dict.fromkeys(results["behaviour"])):
        part = results[results["behaviour"] == name]
        found = part.loc[part["misconception"] != "", "misconception"].value_counts()
        states = {str(state): int((part["state"] == state).sum()) for state in STATES}
        rows.append(
            {
                "behaviour": name,
                **states,
                "share": float(part["points"].sum() / part["maximum"].sum()) if len(part) else 0.0,
                "misconceptions": ", ".join(f"{each} ({count})" for each, count in found.items()),
            }
        )
    return pd.DataFrame(rows)


def counted(results: pd.DataFrame) -> pd.DataFrame:
    """Long, for drawing: behaviour, outcome and students.

    An outcome is a state, or "failed: MISCONCEPTION" where one was named.
    """
    outcome = results["state"].where(
        results["misconception"] == "", results["state"] + ": " + results["misconception"]
    )
    table = results.assign(outcome=outcome).groupby(["behaviour", "outcome"], sort=False).size()
    return table.rename("students").reset_index()


def order(assignment: str) -> list[str]:
    """The behaviours in the notebook's order."""
    return [behaviour.name for behaviour in find(assignment).behaviours]
