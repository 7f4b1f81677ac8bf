"""A drill without a screen: what is asked now, what an answer is worth, what comes next.

    session = Session(Store(), now, seed=1, count=10)
    session.asked.ask, session.expected            # the question; what to answer with
    session.answer("36 min", now)                  # judges; free text waits for `tick`
    session.tick([0, 2], now)                      # the points of the rubric that it held
    session.effort(Effort.EASY)                    # if one likes, of an answer that was right
    session.next(now)

An answer is kept the moment it is judged: whatever ends the process loses nothing before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

import numpy as np

from tradeoff.interview import bank
from tradeoff.interview.bank import OBJECTIVES, Asked, Question
from tradeoff.interview.drills import choosing, judging, schedule
from tradeoff.interview.drills.judging import Effort, Judged
from tradeoff.interview.drills.readiness import until
from tradeoff.interview.drills.store import Review, Store

COUNT = 10


class State(StrEnum):
    """What the session waits for."""

    ASKING = "asking"  # an answer
    TICKING = "ticking"  # free text is given; which points did it hold?
    ANSWERED = "answered"  # the next question is to be asked for
    OVER = "over"


class Session:
    """A drill of some questions.

    Parameters
    ----------
    store : the learner's answers. now : in UTC, as in all methods. seed : draws order and numbers.
    count : how many questions at most.
    lesson, objective : to ask of these alone.
    questions : in place of the course's bank.

    Attributes
    ----------
    state, asked : what is waited for, and the question as it is put (None once it is over).
    asked_before : how often the learner had answered the question when it was put.
    judged : of the answer just given. given : free text that waits for its ticks.
    reviews : of this session. ended : why it is over, a sentence.

    Raises ValueError for a lesson or an objective without questions, or a count below 1.
    """

    asked_by = "drill"

    def __init__(
        self,
        store: Store,
        now: datetime,
        seed: int,
        *,
        count: int = COUNT,
        lesson: int | None = None,
        objective: str | None = None,
        questions: Sequence[Question] | None = None,
    ) -> None:
        if count < 1:
            raise ValueError(f"a drill has at least one question, got {count}")
        self.store, self.count = store, count
        self.bank = tuple(bank.questions() if questions is None else questions)
        self.questions = chosen(lesson, objective, self.bank)
        self.rng = np.random.default_rng(seed)
        self.state, self.ended = State.ASKING, ""
        self.asked: Asked | None = None
        self.judged: Judged | None = None
        self.reviews: list[Review] = []
        self.given = ""
        self.asked_before, self._seed = 0, 0
        self._since = now
        self.next(now)

    @property
    def question(self) -> Question:
        """The question being asked. Raises ValueError once the session is over."""
        return self.put.question

    @property
    def put(self) -> Asked:
        """The question as it is put. Raises ValueError once the session is over."""
        if self.asked is None:
            raise ValueError("the drill is over")
        return self.asked

    @property
    def number(self) -> int:
        """Of the question: 1 for the first."""
        return len(self.reviews) + (self.state in (State.ASKING, State.TICKING))

    @property
    def expected(self) -> str:
        """What to answer with, and how exact it must be."""
        return judging.expected(self.put)

    def answer(self, text: str, now: datetime) -> None:
        """Take an answer. Raises judging.Unreadable, and goes on waiting, if it cannot be read."""
        self._must(State.ASKING)
        asked = self.put
        if not text.strip():
            raise judging.Unreadable(f"nothing was typed. {self.expected}")
        if asked.question.answered_by == "rubric":
            self.given, self.state = text.strip(), State.TICKING
        else:
            self._keep(judging.judge(asked, text), now)

    def tick(self, places: Iterable[int], now: datetime) -> None:
        """Say which of the rubric's points (from 0) the free text held.

        Raises judging.Unreadable for a place that it does not have.
        """
        self._must(State.TICKING)
        self._keep(judging.judge_ticks(self.put, self.given, places), now)

    def give_up(self, now: datetime) -> None:
        """Answer that one does not know."""
        self._must(State.ASKING)
        self._keep(judging.not_known(self.put), now)

    def effort(self, effort: Effort) -> None:
        """Say of an answer that was right whether it was a guess, or easy; the last word counts."""
        self._must(State.ANSWERED)
        review = self.reviews[-1]
        if review.share < 1:
            raise ValueError("only of an answer that was right")
        self.reviews[-1] = replace(review, rating=judging.rating(review.share, effort))
        self.store.keep(self.reviews[-1])

    def next(self, now: datetime) -> None:
        """Ask the next question, or end if there is none."""
        if self.state is State.OVER:
            return
        if len(self.reviews) >= self.count:
            return self.stop(self._complete)
        question = self._choose(now)
        if question is None:
            return self.stop(self.ended or "Every question of this choice was asked.")
        self._seed = int(self.rng.integers(2**31))
        self.asked_before = sum(each.question == question.id for each in self.store.reviews)
        self.asked, self.state = question.asked(self._seed), State.ASKING
        self.judged, self.given, self._since = None, "", now

    def stop(self, why: str = "You ended the drill. Every answer that was judged is kept.") -> None:
        """End. What was judged is kept already."""
        self.state, self.ended, self.asked = State.OVER, why, None

    def comes_again(self, now: datetime) -> str:
        """When the question just answered is due: "in 10 min", "in 2 days"."""
        known = schedule.cards(self.store.reviews)
        return until(known[self.reviews[-1].question].due, now)

    def summary(self, now: datetime) -> list[str]:
        """How it went, in sentences: answers, what is due next, and what could not be saved."""
        said = [self.ended] if self.ended else []
        if self.reviews:
            right = sum(review.share >= 1 for review in self.reviews)
            said.append(f"{right} of {len(self.reviews)} answers were right.")
        known = schedule.cards(self.store.reviews)
        own = [card.due for name, card in known.items() if name in {q.id for q in self.questions}]
        if own:
            waiting = sum(each <= now for each in own)
            said.append(
                f"Due again now: {waiting} question{'s' if waiting > 1 else ''}."
                if waiting
                else f"The next question is due {until(min(own), now)}."
            )
        return [*said, *self.store.notes]

    @property
    def _complete(self) -> str:
        return f"This drill's {self.count} question{'s are' if self.count > 1 else ' is'} answered."

    def _choose(self, now: datetime) -> Question | None:
        last = choosing.objective(self.asked.question) if self.asked else None
        done = [review.question for review in self.reviews]
        reviews = self.store.reviews
        return choosing.choose(self.questions, reviews, now, self.rng, done, last, self.bank)

    def _keep(self, judged: Judged, now: datetime) -> None:
        review = Review(
            at=now,
            question=self.question.id,
            seed=self._seed,
            answer=judged.answer,
            judged=judged.verdict,
            share=judged.share,
            rating=judging.rating(judged.share),
            seconds=round(max(0.0, (now - self._since).total_seconds()), 1),
            held=judged.held,
            asked_by=self.asked_by,
        )
        self.store.keep(review)
        self.reviews.append(review)
        self.judged, self.state = judged, State.ANSWERED

    def _must(self, state: State) -> None:
        if self.state is not state:
            raise ValueError(f"the drill is {self.state.value}, not {state.value}")


def chosen(
    lesson: int | None, objective: str | None, questions: Sequence[Question]
) -> list[Question]:
    """The questions of a lesson and an objective. Raises ValueError, naming what there is."""
    found = list(questions)
    names = [name for number in OBJECTIVES for name in OBJECTIVES[number]]
    if lesson is not None:
        if lesson not in OBJECTIVES:
            raise ValueError(f"lesson must be 1 to {max(OBJECTIVES)}, got {lesson}")
        found = [each for each in found if each.lesson == lesson]
        names = list(OBJECTIVES[lesson])
    if objective is not None:
        if objective not in names:
            raise ValueError(f"objective must be one of {', '.join(names)}, got {objective!r}")
        found = [each for each in found if each.objective == objective]
    if not found:
        raise ValueError("the bank has no question on that yet")
    return found
