"""Which question comes next.

What is due comes first, the longest due before the rest. Then come new questions, of the objective
with the lowest readiness that has one no harder than the learner's level there (not twice running
of one objective while another has one), and of those the hardest. The level is 1 at first, rises by
one after two full answers running to questions at that level or above, and falls by one after an
answer worth less than half at that level or below; an objective begins at the level that all the
learner's answers together make.

That staircase (Levitt 1971, two up and one down) settles where seven of ten answers are right. When
nothing is due and nothing new, what falls due soonest is asked, no question twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import numpy as np

from tradeoff.interview.bank import OBJECTIVES, Question
from tradeoff.interview.drills import schedule
from tradeoff.interview.drills.judging import HALF
from tradeoff.interview.drills.readiness import readiness
from tradeoff.interview.drills.store import Review

Key = tuple[int, str]  # of an objective: its lesson and its name
LOWEST, HIGHEST, RUN = 1, 3, 2


def staircase(answers: Iterable[tuple[int, float]], start: int = LOWEST) -> int:
    """The level, 1 to 3, after answers given as (difficulty, share of the points)."""
    level, running = start, 0
    for difficulty, share in answers:
        if share >= 1 and difficulty >= level:
            running += 1
            if running == RUN:
                level, running = min(level + 1, HIGHEST), 0
        elif share < HALF and difficulty <= level:
            level, running = max(level - 1, LOWEST), 0
        elif share < 1:
            running = 0
    return level


def levels(questions: Sequence[Question], reviews: Sequence[Review]) -> dict[Key, int]:
    """The learner's level in each objective of the questions; reviews oldest first."""
    known = {each.id: each for each in questions}
    answers = [
        (known[review.question], review.share) for review in reviews if review.question in known
    ]
    overall = staircase((question.difficulty, share) for question, share in answers)
    return {
        key: staircase(
            (
                (question.difficulty, share)
                for question, share in answers
                if objective(question) == key
            ),
            overall,
        )
        for key in {objective(each): None for each in questions}
    }


def objective(question: Question) -> Key:
    return question.lesson, question.objective


def choose(
    questions: Sequence[Question],
    reviews: Sequence[Review],
    now: datetime,
    rng: np.random.Generator,
    asked: Collection[str] = (),
    last: Key | None = None,
    bank: Sequence[Question] | None = None,
) -> Question | None:
    """The next question by the module's rule; None when nothing is left to ask.

    Parameters
    ----------
    questions : to choose from. reviews : all of the learner's, oldest first. now : in UTC.
    rng : decides between questions that are equal.
    asked : ids asked in this session. last : the objective asked last.
    bank : what else the answers may be to, so that a drill of one lesson knows the level that the
        others make; `questions` unless given.
    """
    by_id = {each.id: each for each in questions}
    known = {name: card for name, card in schedule.cards(reviews).items() if name in by_id}
    if ready := schedule.due(known, now):
        return by_id[ready[0]]
    new = [each for each in questions if each.id not in known]
    if new:
        return _new(bank or questions, new, reviews, now, rng, last)
    left = [name for name in known if name not in asked]
    return by_id[min(left, key=lambda name: known[name].due)] if left else None


def _new(
    bank: Sequence[Question],
    new: Sequence[Question],
    reviews: Sequence[Review],
    now: datetime,
    rng: np.random.Generator,
    last: Key | None,
) -> Question:
    level = levels(bank, reviews)
    ready = {(one.lesson, one.objective): one for one in readiness(bank, reviews, now)}
    order = rng.permutation(len(new))

    def rank(place: int) -> tuple[float, ...]:
        question, key = new[place], objective(new[place])
        too_hard = max(0, question.difficulty - level[key])
        of = ready[key]
        return (
            *(too_hard, key == last, of.estimate, of.answered, *_tie(key)),
            *(-question.difficulty, order[place]),
        )

    return new[min(range(len(new)), key=rank)]


def _tie(key: Key) -> tuple[int, int]:
    """Equally weak objectives: in the course's order."""
    return key[0], list(OBJECTIVES[key[0]]).index(key[1])
