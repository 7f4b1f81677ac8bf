"""The judge's side of a check: draw a behaviour's cases from a seed, and say what answers earn.

A behaviour draws its cases from a seed. Practice draws from the public one; grading also from the
teacher's, in a process the learner's code never runs in.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tradeoff.checks.assignment import Behaviour, Case, Verdict, find
from tradeoff.checks.record import copies, plain

PUBLIC_SEED = "public"


class CannotJudge(Exception):
    """Our own fault, never the learner's: the points are then left to the teacher."""


def generator(*names: str) -> np.random.Generator:
    """A stream of its own for these names, the same on every machine and next year.

    (NumPy promises PCG64's bits for ever; a distribution's for as long as the locked version.)
    """
    digest = hashlib.blake2b(json.dumps(names).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


@dataclass(frozen=True, eq=False)  # known by identity: cases hold tables
class Sheet:
    """The cases one behaviour draws from one seed. `base`: the share of them that the luckiest
    single answer, given to all, gets right; in [0, 1)."""

    behaviour: Behaviour
    cases: tuple[Case, ...]
    base: float


@lru_cache(maxsize=64)
def sheet(assignment: str, behaviour: str, seed: str) -> Sheet:
    """Draw a behaviour's cases, shuffle them, and check them before anybody is judged by them.

    Raises CannotJudge when drawing fails, when a truth is not accepted by its own verdict, or when
    one answer would do for every case. The result is shared: its cases must not be changed.
    """
    found = find(assignment)
    asked = found.behaviour(behaviour)
    rng = generator(seed, found.name, behaviour)
    try:
        drawn = asked.cases(rng)
        copies(case.arguments for case in drawn)  # they travel to the kernel pickled
    except Exception as error:
        raise CannotJudge(f"drawing the cases of {behaviour} failed: {error!r}") from error
    cases = tuple(drawn[i] for i in rng.permutation(len(drawn)))
    if not cases:
        raise CannotJudge(f"{behaviour} drew no cases")
    truths = [plain(case.truth) for case in cases]
    for case, truth in zip(cases, truths, strict=True):
        own = verdict(asked, case, {"returned": truth})
        if not own.right:
            raise CannotJudge(f"{behaviour} rejects its own truth {truth!r}: {own.said}")
    constants = {json.dumps(truth, sort_keys=True): truth for truth in truths}.values()
    base = max(
        sum(verdict(asked, case, {"returned": truth}).right for case in cases) / len(cases)
        for truth in constants
    )
    if base == 1.0:
        raise CannotJudge(f"one answer is right for every case of {behaviour}")
    return Sheet(asked, cases, base)


@dataclass(frozen=True)
class Finding:
    """One case, what the function answered (None: it never came to it) and what that is worth."""

    case: Case
    answer: Any
    verdict: Verdict


@dataclass(frozen=True)
class Judgement:
    sheet: Sheet
    findings: tuple[Finding, ...]

    @property
    def total(self) -> int:
        return len(self.findings)

    @property
    def right(self) -> int:
        return sum(each.verdict.right for each in self.findings)

    @property
    def passed(self) -> bool:
        return self.right == self.total

    @property
    def score(self) -> float:
        """In [0, 1]: the share right above what the best constant answer gets."""
        base = self.sheet.base
        return max(0.0, (self.right / self.total - base) / (1 - base))

    @property
    def smallest_failing(self) -> int | None:
        """Index of the smallest case judged wrong."""
        wrong = [i for i, each in enumerate(self.findings) if not each.verdict.right]
        return min(wrong, key=lambda i: self.findings[i].case.size, default=None)


def judge(sheet: Sheet, answers: Sequence[Any]) -> Judgement:
    """Judge recorded answers, one a case in the sheet's order; cases without one count as wrong.

    Raises CannotJudge when a verdict fails on a well-formed answer, ValueError when there are more
    answers than cases.
    """
    if len(answers) > len(sheet.cases):
        raise ValueError(f"{len(answers)} answers to {len(sheet.cases)} cases")
    given = [*answers, *[None] * (len(sheet.cases) - len(answers))]
    findings = tuple(
        Finding(case, answer, verdict(sheet.behaviour, case, answer))
        for case, answer in zip(sheet.cases, given, strict=True)
    )
    return Judgement(sheet, findings)


def verdict(behaviour: Behaviour, case: Case, answer: Any) -> Verdict:
    """What a recorded answer (None: there is none) is worth. Raises CannotJudge."""
    if answer is None:
        return Verdict(False, "did not answer before its time was up")
    match answer:
        case {"raised": str(words), **rest} if not rest:
            return Verdict(False, f"raised {words}")
        case {"returned": value, **rest} if not rest:
            pass
        case _:
            return Verdict(False, "left something that is not an answer")
    if (what := _first_not_data(value)) is not None:
        return Verdict(False, f"not plain data ({what}); wanted {behaviour.form.words}")
    if not behaviour.form.accepts(value):
        return Verdict(False, f"wanted {behaviour.form.words}")
    try:
        found = behaviour.verdict(case, value)
        if not isinstance(found, Verdict):
            raise TypeError(f"a verdict is a Verdict, not {found!r}")
    except Exception as error:
        raise CannotJudge(
            f"the verdict of {behaviour.name} failed on {shortened(value)}: {error!r}"
        ) from error
    return found


def _first_not_data(value: Any) -> str | None:
    if isinstance(value, dict):
        if "not_data" in value:
            return str(value["not_data"])
        value = list(value.values())
    if isinstance(value, list):
        return next((what for each in value if (what := _first_not_data(each)) is not None), None)
    return None


def shortened(value: Any, longest: int = 400) -> str:
    """`repr(value)`, cut in the middle of nowhere rather than filling a page."""
    text = repr(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"
