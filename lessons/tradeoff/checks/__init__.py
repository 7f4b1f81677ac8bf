"""The course's autograder: a notebook cell asks, the learner's function answers, a judge decides.

In self-study ``checks.grade("when_batch_outgrows_itself", outgrew_window)`` tries the function on
pipelines drawn from a public seed and shows the smallest one it gets wrong. Under nbgrader the same
cell only records answers to pipelines drawn from the teacher's seed; they are judged outside the
learner's kernel (`tradeoff.checks.nbgrader`).
"""

import os
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tradeoff.checks.judge import (
    PUBLIC_SEED,
    Assignment,
    Behaviour,
    CannotJudge,
    Case,
    Verdict,
    find,
    judge,
    sheet,
)
from tradeoff.checks.record import answers, copies

if TYPE_CHECKING:
    from tradeoff.checks.report import Report

__all__ = ["Assignment", "Behaviour", "Case", "Verdict", "arguments", "grade"]


def grade(assignment: str, function: Callable[..., Any], behaviour: str | None = None) -> "Report":
    """Try `function` on the public cases of the behaviour it is named after.

    Name the behaviour when the function's own `__name__` is another one (a lambda, a partial).
    Raises LookupError when there is no such assignment or behaviour, TypeError when `function`
    can't be called. Prints and warnings of the function are not shown: call it yourself on
    `arguments(...)` to see them.
    """
    from tradeoff.checks import report

    setting = os.environ.get("NBGRADER_EXECUTION")
    if setting == "autograde":
        # Stock nbgrader reads a shown report as full marks.
        raise RuntimeError("graded without its judge: run nbgrader where nbgrader_config.py is")
    if not callable(function):
        raise TypeError(f"a function is checked, got {type(function).__name__}")
    asked = find(assignment).behaviour(behaviour or _name(function))
    try:
        visible = sheet(assignment, asked.name, PUBLIC_SEED)
        recorded = list(answers(function, copies(case.arguments for case in visible.cases)))
        result = report.practice(assignment, asked, judge(visible, recorded))
    except CannotJudge as error:
        result = report.Report(
            asked.name,
            "could not be judged",
            ("This is a fault of the check, not of your function; please report it.", str(error)),
        )
    if setting == "validate" and result.state != "passed":
        raise AssertionError(f"\n{result!r}")
    return result


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", ""))


def arguments(assignment: str, behaviour: str, case: int) -> dict[str, Any]:
    """A fresh copy of the arguments of one public case, by the number a report gives.

    Raises LookupError when there is no such assignment, behaviour or case.
    """
    cases = sheet(assignment, behaviour, PUBLIC_SEED).cases
    if not 0 <= case < len(cases):
        raise LookupError(f"case must be 0 to {len(cases) - 1}, got {case}")
    (copy,) = copies([cases[case].arguments])
    thawed: dict[str, Any] = pickle.loads(copy)
    return thawed
