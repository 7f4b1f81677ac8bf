"""Which misconception, if any, gives the answers that were given."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tradeoff.checks.assignment import Misconception
from tradeoff.checks.judge import CannotJudge, Judgement, Sheet, verdict
from tradeoff.checks.record import answers, copies

# Of the cases where the misconception or the learner is wrong: the share that must agree.
TELLING_SHARE = 0.75
FEWEST_TELLING = 3
LIKELY = 8  # single answers tried when asking what chance would get


@dataclass(frozen=True)
class Match:
    """A misconception, on how many of how many cases its answers were given."""

    misconception: Misconception
    alike: int
    total: int

    @property
    def sentence(self) -> str:
        return f"These are the answers of somebody who {self.misconception.sentence}."


@dataclass(frozen=True)
class Mistaken:
    """What a misconception answers to one case, and whether that happens to be right."""

    answer: dict[str, Any]
    right: bool


@lru_cache(maxsize=128)
def mistaken(sheet: Sheet) -> dict[str, tuple[Mistaken, ...]]:
    """What each misconception of a behaviour answers to the cases of a sheet, by its name.

    Raises CannotJudge when the behaviour's verdict fails on such an answer.
    """
    frozen = copies(case.arguments for case in sheet.cases)
    return {
        each.name: tuple(
            Mistaken(answer, verdict(sheet.behaviour, case, answer).right)
            for case, answer in zip(sheet.cases, answers(each.answers, frozen), strict=True)
        )
        for each in sheet.behaviour.misconceptions
    }


def named(judgement: Judgement) -> Match | None:
    """The misconception that explains wrong answers best, or None.

    It must agree with more answers than the truth does; with three quarters of the answers where
    it or the learner is wrong; and, unless it says the same of every case, with more of them than
    any one answer given to all would.
    """
    if judgement.passed or not judgement.sheet.behaviour.misconceptions:
        return None
    sheet, matches = judgement.sheet, []
    try:
        known = mistaken(sheet)
    except CannotJudge:
        return None  # found by the author's own check; a learner's points do not hang on it
    for each in sheet.behaviour.misconceptions:
        theirs = known[each.name]
        pairs = list(zip(judgement.findings, theirs, strict=True))
        alike = [_alike(sheet, i, own.answer, wrong.answer) for i, (own, wrong) in enumerate(pairs)]
        telling = [
            alike[i]
            for i, (own, wrong) in enumerate(pairs)
            if not (own.verdict.right and wrong.right)
        ]
        if (
            sum(alike) > judgement.right
            and len(telling) >= FEWEST_TELLING
            and sum(telling) >= TELLING_SHARE * len(telling)
            and sum(alike) > _by_chance(sheet, [wrong.answer for wrong in theirs])
        ):
            matches.append(Match(each, sum(alike), judgement.total))
    return max(matches, key=lambda match: match.alike, default=None)


def _by_chance(sheet: Sheet, wrong: list[dict[str, Any]]) -> int:
    """How many of a misconception's answers the luckiest single answer would share."""
    counts = Counter(json.dumps(answer, sort_keys=True) for answer in wrong)
    if len(counts) == 1:
        return 0
    return max(
        sum(_alike(sheet, i, json.loads(text), theirs) for i, theirs in enumerate(wrong))
        for text, _ in counts.most_common(LIKELY)
    )


def _alike(sheet: Sheet, index: int, given: Any, theirs: dict[str, Any]) -> bool:
    match given, theirs:
        case {"returned": answer}, {"returned": wrong}:
            pass
        case _:
            return False
    if answer == wrong:
        return True
    behaviour = sheet.behaviour
    if not (behaviour.form.accepts(answer) and behaviour.form.accepts(wrong)):
        return False
    try:
        if behaviour.alike is not None:
            return behaviour.alike(answer, wrong)
        return behaviour.verdict(replace(sheet.cases[index], truth=wrong), answer).right
    except Exception:  # a comparison nobody foresaw names no misconception, and costs no points
        return False
