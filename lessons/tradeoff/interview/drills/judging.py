"""What an answer is worth: judged by the bank and the model, free text by the learner's own ticks.

An answer that cannot be read is not wrong: `Unreadable` says what is expected, and one types again.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fsrs import Rating

from tradeoff.interview.bank import Asked
from tradeoff.interview.numbers.drawn import UnitError

HALF = 0.5


class Unreadable(ValueError):
    """The answer cannot be read; the message says what is expected."""


class Effort(StrEnum):
    """What a learner may say of an answer that was right."""

    GUESSED = "guessed"
    KNOWN = "known"
    EASY = "easy"


@dataclass(frozen=True)
class Judged:
    """An answer and what it is worth.

    Attributes
    ----------
    answer : as it is kept: the words of the choice, what was typed, "" for "I don't know".
    share : of the points, 0 to 1; a choice or a number is worth all or nothing.
    because : why, in words of the bank or of the model.
    held : the rubric's points that the learner ticked.
    """

    answer: str
    share: float
    because: str = ""
    held: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """ "right", "partly right", "wrong" or "not known"."""
        if not self.answer:
            return "not known"
        if self.share >= 1:
            return "right"
        return "partly right" if self.share > 0 else "wrong"


def expected(asked: Asked) -> str:
    """What to answer with, and how exact it must be."""
    if asked.drawn is not None:
        unit, within = asked.drawn.unit, asked.drawn.within
        kind = f"a number in {unit}" if unit else "a plain number"
        return (
            f"Answer with {kind}, or in a unit that you name. "
            f"Up to {within:.0%} above or below counts as right."
        )
    if asked.choices:
        return f"Choose one of the {len(asked.choices)}."
    return (
        "Answer in your own words, as you would say it aloud. Then you compare it with a strong "
        "answer, point by point."
    )


def judge(asked: Asked, text: str) -> Judged:
    """Judge a choice (its number or letter as shown) or a number with its unit.

    Raises Unreadable, with what is expected, when the text is neither.
    """
    text = " ".join(text.split())
    if asked.drawn is not None:
        try:
            right = asked.drawn.judge(text)
        except UnitError as error:
            raise Unreadable(str(error)) from None
        worked = asked.drawn.because
        because = f"{asked.drawn.answer_in_words}: {worked}" if worked else ""
        return Judged(text, float(right), because or asked.drawn.answer_in_words)
    chosen = asked.choices[_place(text, len(asked.choices))]
    return Judged(chosen.says, float(chosen.right), chosen.why)


def _place(text: str, count: int) -> int:
    said = text.strip(" .)(").lower()
    names = [str(place + 1) for place in range(count)]
    letters = list(string.ascii_lowercase[:count])
    for known in (names, letters):
        if said in known:
            return known.index(said)
    raise Unreadable(f"{text!r} is none of the choices: give a number from 1 to {count}")


def judge_ticks(asked: Asked, text: str, places: Iterable[int]) -> Judged:
    """Judge free text by the rubric's points that the learner found in it (their places from 0).

    Raises Unreadable for a place that the rubric does not have.
    """
    points: tuple[str, ...] = asked.rubric
    chosen = sorted(set(places))
    if any(not 0 <= place < len(points) for place in chosen):
        raise Unreadable(f"tick points by their numbers, from 1 to {len(points)}")
    held = tuple(points[place] for place in chosen)
    return Judged(text.strip(), len(held) / len(points), held=held)


def not_known(asked: Asked) -> Judged:
    """What "I don't know" is worth: nothing."""
    drawn = asked.drawn
    if drawn is not None:
        return Judged("", 0.0, f"{drawn.answer_in_words}: {drawn.because}".rstrip(": "))
    return Judged("", 0.0)


def rating(share: float, effort: Effort = Effort.KNOWN) -> Rating:
    """How FSRS hears of an answer.

    Again below half of the points; Hard from half of them on, or for all of them by a guess; Good
    for all of them; Easy for all of them when the learner says it was easy.
    """
    if share < HALF:
        return Rating.Again
    if share < 1 or effort is Effort.GUESSED:
        return Rating.Hard
    return Rating.Easy if effort is Effort.EASY else Rating.Good
