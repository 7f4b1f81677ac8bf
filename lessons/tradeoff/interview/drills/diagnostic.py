"""The diagnostic: ten minutes, at most one question an objective, and what each answer says.

The clock is soft: an answer is never cut off, but after ten minutes nothing more is asked. The
lessons take turns, so that each is reached. Asked are questions of the middle difficulty, a choice
or a number where there is one: these take least time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tradeoff.interview.bank import OBJECTIVES, Question
from tradeoff.interview.drills.choosing import Key, objective
from tradeoff.interview.drills.session import Session
from tradeoff.interview.drills.store import Store

LASTS = timedelta(minutes=10)
MIDDLE = 2
QUICKEST = ("choices", "number", "rubric")
NOT_REACHED = "not reached"


class Diagnostic(Session):
    """A session over the objectives; parameters and methods as `Session` has them.

    Attributes
    ----------
    started : when, in UTC.
    """

    asked_by = "diagnostic"

    def __init__(
        self,
        store: Store,
        now: datetime,
        seed: int,
        *,
        lesson: int | None = None,
        questions: Sequence[Question] | None = None,
    ) -> None:
        self.started = now
        self._left: list[Key] | None = None
        super().__init__(
            store,
            now,
            seed,
            count=sum(map(len, OBJECTIVES.values())),
            lesson=lesson,
            questions=questions,
        )
        self.count = len(self.objectives)

    @property
    def objectives(self) -> list[Key]:
        """Those that can be asked for, in the order asked: the lessons take turns."""
        there = {objective(each) for each in self.questions}
        keys = [
            (turn, lesson, name)
            for lesson, names in OBJECTIVES.items()
            for turn, name in enumerate(names)
            if (lesson, name) in there
        ]
        return [(lesson, name) for _, lesson, name in sorted(keys, key=lambda key: key[:2])]

    def left(self, now: datetime) -> timedelta:
        """What is left of the ten minutes; never below nothing."""
        return max(timedelta(0), self.started + LASTS - now)

    def results(self) -> dict[Key, str]:
        """Each objective's verdict: that of its answer, or "not reached"."""
        by_id = {each.id: each for each in self.questions}
        given = {objective(by_id[each.question]): each.judged for each in self.reviews}
        return {key: given.get(key, NOT_REACHED) for key in self.objectives}

    @property
    def _complete(self) -> str:
        return "Each objective was asked for once."

    def _choose(self, now: datetime) -> Question | None:
        if self._left is None:
            self._left = self.objectives
        if not self._left:
            return None
        if not self.left(now):
            self.ended = "The ten minutes are over."
            return None
        key = self._left.pop(0)
        own = [each for each in self.questions if objective(each) == key]
        seen = [review.question for review in self.store.reviews]
        order = self.rng.permutation(len(own))

        def rank(place: int) -> tuple[float, ...]:
            question = own[place]
            way = QUICKEST.index(question.answered_by)
            return (
                *(way == len(QUICKEST) - 1, seen.count(question.id)),
                *(abs(question.difficulty - MIDDLE), way, order[place]),
            )

        return own[min(range(len(own)), key=rank)]
