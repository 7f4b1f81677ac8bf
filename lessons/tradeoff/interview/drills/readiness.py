"""How ready somebody is for an objective, in percent, and what that figure rests on.

It estimates the chance that a question of the objective, any of the bank's, would be answered now.
A question that was asked counts what its last answer was worth times FSRS' chance that it is still
known. One that was not counts the share of points at first sight in this objective's questions at
least as hard, one failure added; nothing where there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tradeoff.interview.bank import OBJECTIVES, Question
from tradeoff.interview.drills.schedule import cards, retrievability
from tradeoff.interview.drills.store import Review

ENOUGH = 3  # questions answered, or all that there are
KINDS = {1: "recall", 2: "application", 3: "judgement"}


@dataclass(frozen=True)
class Readiness:
    """Of one objective.

    Attributes
    ----------
    lesson, objective : its key in `bank.OBJECTIVES`. means : what it asks one to do.
    estimate : 0 to 1, however little it rests on; what is asked next goes by it.
    percent : 0 to 100 for the learner to see; None with too few answers for a figure.
    answered, of : how many of the objective's questions were answered, and how many there are.
    rests_on : in words.
    """

    lesson: int
    objective: str
    estimate: float
    answered: int
    of: int
    rests_on: str

    @property
    def means(self) -> str:
        return OBJECTIVES[self.lesson][self.objective]

    @property
    def percent(self) -> int | None:
        return round(100 * self.estimate) if self.answered >= min(ENOUGH, self.of) else None

    @property
    def said(self) -> str:
        """The figure, or that there is none yet."""
        return "too few answers for a figure" if self.percent is None else f"{self.percent} %"


def readiness(
    questions: Sequence[Question], reviews: Sequence[Review], now: datetime
) -> list[Readiness]:
    """Readiness of each objective that the questions have, in the bank's order.

    Parameters
    ----------
    questions : of the bank. reviews : oldest first; those of other questions count for nothing.
    now : in UTC; a later time tells what will be left by then if nothing is repeated.
    """
    known = cards(reviews)
    first: dict[str, float] = {}
    last: dict[str, Review] = {}
    for review in reviews:
        first.setdefault(review.question, review.share)
        last[review.question] = review
    found = []
    for lesson, objectives in OBJECTIVES.items():
        for name in objectives:
            own = [each for each in questions if (each.lesson, each.objective) == (lesson, name)]
            if not own:
                continue
            chances = [
                last[each.id].share * retrievability(known[each.id], now)
                if each.id in last
                else _at_first_sight(own, first, each.difficulty)
                for each in own
            ]
            answered = [each for each in own if each.id in last]
            found.append(
                Readiness(
                    lesson,
                    name,
                    sum(chances) / len(chances),
                    len(answered),
                    len(own),
                    _rests_on(own, answered, (last[each.id].at for each in answered), now),
                )
            )
    return found


def _at_first_sight(own: Sequence[Question], first: dict[str, float], difficulty: int) -> float:
    shares = [first[each.id] for each in own if each.id in first and each.difficulty >= difficulty]
    return sum(shares) / (len(shares) + 1)


def _rests_on(
    own: Sequence[Question], answered: Sequence[Question], when: Iterable[datetime], now: datetime
) -> str:
    said = f"{len(answered)} of {len(own)} question{'s' if len(own) > 1 else ''}"
    if not answered:
        return said
    said += f", last seen {ago(max(when), now)}"
    tried = {each.difficulty for each in answered}
    lacking = sorted({each.difficulty for each in own} - tried)
    if lacking:
        said += f"; no {' or '.join(KINDS[each] for each in lacking)} question yet"
    return said


def ago(then: datetime, now: datetime) -> str:
    """ "today", "yesterday" or "4 days ago", by the learner's own calendar."""
    days = (now.astimezone().date() - then.astimezone().date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def until(then: datetime, now: datetime) -> str:
    """ "in 10 min", "today", "tomorrow" or "in 4 days", by the learner's own calendar."""
    days = (then.astimezone().date() - now.astimezone().date()).days
    if days <= 0:
        minutes = round((then - now).total_seconds() / 60)
        return "now" if minutes < 1 else f"in {minutes} min" if minutes < 60 else "later today"
    return "tomorrow" if days == 1 else f"in {days} days"
