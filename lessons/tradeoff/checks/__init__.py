"""The course's autograder: a notebook cell asks, the learner's function answers, a judge decides.

In self-study ``checks.grade("when_batch_outgrows_itself", outgrew_window)`` tries the function on
pipelines drawn from a public seed and shows the smallest one it gets wrong. Under nbgrader the same
cell only records answers to pipelines drawn from the teacher's seed; they are judged outside the
learner's kernel (`tradeoff.checks.nbgrader`).

How to add an assignment is said in `tradeoff.checks.assignment`.
"""

import os
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tradeoff.checks.assignment import Assignment, Behaviour, Case, Misconception, Verdict, find
from tradeoff.checks.judge import PUBLIC_SEED, CannotJudge, judge, sheet
from tradeoff.checks.record import answers, copies

if TYPE_CHECKING:
    from tradeoff.checks.report import Report
    from tradeoff.checks.study import Progress, Solution

__all__ = [
    "Assignment",
    "Behaviour",
    "Case",
    "Misconception",
    "Verdict",
    "arguments",
    "grade",
    "progress",
    "solution",
]

_shrunk: dict[tuple[str, str], bytes] = {}
"""The arguments of the last example that was shown and is no public case."""


def grade(assignment: str, function: Callable[..., Any], behaviour: str | None = None) -> "Report":
    """Try `function` on the public cases of the behaviour it is named after.

    Name the behaviour when the function's own `__name__` is another one (a lambda, a partial).
    Raises LookupError when there is no such assignment or behaviour, TypeError when `function`
    can't be called. Prints and warnings of the function are not shown: call it yourself on
    `arguments(...)` to see them.
    """
    from tradeoff.checks import memory, mistakes, report, shrink

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
        found = judge(visible, recorded)
        memory.remember(assignment, found)
        waits_for = memory.failed_lately(assignment, asked.needs)
        _shrunk.pop((assignment, asked.name), None)
        shrunk = None
        if not found.passed and not waits_for:
            shrunk = shrink.smallest(asked, function)
        if shrunk is not None:
            (_shrunk[assignment, asked.name],) = copies([shrunk.case.arguments])
        result = report.practice(
            assignment,
            asked,
            found,
            shrunk=shrunk,
            match=mistakes.named(found),
            waits_for=waits_for,
            solution_open=memory.is_open(assignment, asked.name),
        )
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


def arguments(assignment: str, behaviour: str, case: int | None = None) -> dict[str, Any]:
    """A fresh copy of the arguments of the public case that a report gives the number of.

    Without a number: of the example that the last check in this kernel made for its report.
    Raises LookupError when there is no such assignment, behaviour or case.
    """
    if case is None:
        find(assignment).behaviour(behaviour)
        if (assignment, behaviour) not in _shrunk:
            raise LookupError(f"no example of {behaviour} was made in this kernel: run its check")
        copy = _shrunk[assignment, behaviour]
    else:
        cases = sheet(assignment, behaviour, PUBLIC_SEED).cases
        if not 0 <= case < len(cases):
            raise LookupError(f"case must be 0 to {len(cases) - 1}, got {case}")
        (copy,) = copies([cases[case].arguments])
    thawed: dict[str, Any] = pickle.loads(copy)
    return thawed


def solution(assignment: str, behaviour: str | Callable[..., Any]) -> "Solution":
    """How to get a behaviour right: opens when it passed, or after three different honest tries.

    In a checkout with the solution's source, from a wheel as a worked explanation. Raises
    LookupError when there is no such assignment or behaviour.
    """
    from tradeoff.checks import study

    return study.solution(assignment, behaviour if isinstance(behaviour, str) else _name(behaviour))


def progress() -> "Progress":
    """One line: the best points reached in each assignment's automatic checks."""
    from tradeoff.checks import study

    return study.progress()
