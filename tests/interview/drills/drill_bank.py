"""A small bank and learners of known ability, for the drills' tests."""

import math
from datetime import UTC, datetime, timedelta

from fsrs import Rating
from tradeoff.interview.bank import OBJECTIVES, Choice, Question
from tradeoff.interview.drills import Review
from tradeoff.interview.drills.session import State

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CHOICES = (Choice("yes", True, "so it is"), Choice("no", False, "it is not so"))


def question(name, lesson=1, objective="frontier", difficulty=1, **answered_by):
    return Question(
        id=name,
        lesson=lesson,
        objective=objective,
        form="contrast",
        difficulty=difficulty,
        ask=f"What of {name}?",
        strong="This.",
        weak="That.",
        weak_because="It is not this.",
        follow_ups=("And then?",),
        **(answered_by or {"choices": CHOICES}),
    )


def bank(each=4, lessons=(1, 2, 3)):
    """So many questions of each difficulty for each objective of the lessons."""
    return [
        question(f"{name}-{difficulty}-{number}", lesson, name, difficulty)
        for lesson in lessons
        for name in OBJECTIVES[lesson]
        for difficulty in (1, 2, 3)
        for number in range(each)
    ]


def review(name, share=1.0, at=NOW, rating=None, **others):
    judged = "right" if share >= 1 else "wrong"
    given = rating or (Rating.Good if share >= 1 else Rating.Again)
    return Review(at, name, 1, "an answer", judged, share, given, **others)


def right_place(session, right=True):
    """The number of a choice that is right, or of one that is wrong."""
    places = enumerate(session.asked.choices, 1)
    return str(next(place for place, choice in places if choice.right is right))


class Learner:
    """Answers choices by a Rasch model: the chance to be right is logistic in ability less
    difficulty (1 to 3)."""

    def __init__(self, ability, rng):
        self.ability, self.rng = ability, rng

    def chance(self, question):
        return 1 / (1 + math.exp(question.difficulty - self.ability))

    def drill(self, session, now):
        """Answer until the session is over, a minute each; when that is, and the questions."""
        asked = []
        while session.state is not State.OVER:
            now += MINUTE
            asked.append(session.question)
            right = self.rng.random() < self.chance(session.question)
            session.answer(right_place(session, right), now)
            session.next(now)
        return now, asked
