"""What an author writes: an assignment is behaviours, a behaviour draws cases and judges answers.

**To add an assignment** ``NAME`` (`when_batch_outgrows_itself` is the example to follow):

1. ``lessons/tradeoff/checks/NAME/`` ends in ``ASSIGNMENT = Assignment("NAME", (Behaviour(...),
   ...), lesson=N)``. Each behaviour draws cases whose truth is known by construction, its verdict
   says which answers are right, its question is the hint, its explanation the worked answer. Give
   it the misconceptions of the field, what it builds on (`needs`), and a `small` strategy that lets
   self-study shrink a failing case.
2. ``solutions/NAME/NAME.ipynb``: for each behaviour a markdown cell with id ``task-BEHAVIOUR`` that
   states signature and units and has a ``*Worked example.*``; a solution cell with ``grade_id``
   BEHAVIOUR (``### BEGIN SOLUTION``); a graded, locked cell ``check-BEHAVIOUR`` that ends in
   ``checks.grade("NAME", BEHAVIOUR)`` and has its points. Written answers are graded by hand: each
   holds its mark scheme with *Comments:* for the grader. Points add up to 100.
3. ``nbgrader generate_assignment NAME --force`` writes ``exercises/NAME``.
4. ``tests/assignments/bank_NAME.py``: right answers in other styles, and wrong answers, each a
   named misconception, with the behaviours it breaks and the words its message must hold.
5. ``tradeoff assignment NAME`` checks all that can be checked without the bank.
   ``pytest -n0 tests/test_assignments.py -k NAME`` does the rest; nothing there names assignments.

A learner's notebook may not use the reference; one that must import such a module by the task
itself names it in `Assignment.allows`. What else of `tradeoff` would do the task's work is named in
`Assignment.forbids`. `tradeoff.checks.scan` tells the teacher who used it.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradeoff import course
from tradeoff.checks.forms import ANYTHING, Form

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Case:
    """One generated pipeline and what is true of it.

    `arguments` are the learner's keyword arguments: plain data, DataFrames or the model's own
    objects, anything that pickles. `truth` is an answer the verdict accepts. `label` says what kind
    of case it is; `size` orders the failing ones, and the smallest is shown.
    """

    arguments: dict[str, Any]
    truth: Any
    label: str
    size: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and the evidence in words, shown for visible cases only."""

    right: bool
    said: str = ""


@dataclass(frozen=True)
class Misconception:
    """A wrong idea of the field, and the answers of somebody who has it.

    `sentence` completes "These are the answers of somebody who …"; `answers` is called with a
    case's arguments, like a learner's function.
    """

    name: str
    sentence: str
    answers: Callable[..., Any]


@dataclass(frozen=True)
class Behaviour:
    """What one graded cell asks; `name` is also the name of the learner's function.

    Attributes
    ----------
    question : what the learner should have asked: all that a hidden failure shows.
    cases : draws the cases from a generator.
    verdict : sees answers that have the `form`, as JSON data (a tuple arrives as a list).
    needs : names of earlier behaviours this one builds on. Where one of them fails and this one
        does, too, the learner reads *not reached*; the points are what the answers deserve.
    misconceptions : named when the answers are theirs, more than the truth's and more than chance.
    alike : whether an answer (first) is that of a misconception (second), both as JSON data. By
        default: whether the verdict would accept the first if the second were the truth.
    small : a Hypothesis strategy of cases, truth by construction, that shrinks to the plainest
        one. Called only in self-study; import Hypothesis inside it.
    explanation : how to get it right and why, in a few sentences; opens after honest tries.
    """

    name: str
    points: float
    question: str
    cases: Callable[[np.random.Generator], list[Case]]
    verdict: Callable[[Case, Any], Verdict]
    form: Form = ANYTHING
    needs: tuple[str, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    alike: Callable[[Any, Any], bool] | None = None
    small: "Callable[[], SearchStrategy[Case]] | None" = None
    explanation: str = ""


@dataclass(frozen=True)
class Assignment:
    """Behaviours in the notebook's order. Raises ValueError when `needs` names no earlier one.

    `lesson` orders the assignments. `allows` names modules of the reference that the task itself
    hands to the learner ("tradeoff.scenarios.premium"); `forbids` names modules, or what is in
    them, that do the task's work ("tradeoff.simulate.windows"): their use is told to the teacher.
    """

    name: str
    behaviours: tuple[Behaviour, ...]
    lesson: int = 0
    allows: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        earlier: list[str] = []
        for each in self.behaviours:
            if each.name in earlier:
                raise ValueError(f"{self.name}: two behaviours are named {each.name!r}")
            if unknown := set(each.needs) - set(earlier):
                raise ValueError(
                    f"{self.name}: {each.name} needs {', '.join(sorted(unknown))}; it may need "
                    f"{', '.join(earlier) or 'nothing, being the first'}"
                )
            earlier.append(each.name)

    @property
    def points(self) -> float:
        """What the automatic checks are worth together."""
        return sum(each.points for each in self.behaviours)

    def behaviour(self, name: str) -> Behaviour:
        """The behaviour of that name. Raises LookupError naming those there are."""
        for each in self.behaviours:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.behaviours)
        raise LookupError(f"assignment {self.name!r} asks for {known}; not for {name!r}")


def find(assignment: str) -> Assignment:
    """`tradeoff.checks.<assignment>.ASSIGNMENT`, or any other by "module:ATTRIBUTE".

    Raises LookupError when there is none.
    """
    module, _, attribute = assignment.partition(":")
    if not attribute:
        module, attribute = f"tradeoff.checks.{assignment}", "ASSIGNMENT"
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"no assignment {assignment!r}: {error}") from error
    if not isinstance(found, Assignment):
        raise LookupError(f"{assignment!r} is a {type(found).__name__}, not an Assignment")
    return found


def released() -> list[Assignment]:
    """The assignments that have an exercise here, in the lessons' order."""
    names = {
        name.split("/")[1] for name in course.files(course.home()) if name.startswith("exercises/")
    }
    found = [find(name) for name in sorted(names)]
    return sorted(found, key=lambda each: each.lesson)


def strategy_in(module: str, name: str) -> "Callable[[], SearchStrategy[Case]]":
    """A behaviour's `small`: `name` of that module, loaded (with Hypothesis) when it is needed."""

    def strategy() -> "SearchStrategy[Case]":
        made: SearchStrategy[Case] = getattr(importlib.import_module(module), name)()
        return made

    return strategy
