"""A plan for the days that are left until the interview: what to do on which day, in minutes.

Each day begins with the questions that FSRS will ask again by then, taken to be known when they
come. Then a lesson is read where the answers to its questions so far were worth less than half, for
about half of the day's minutes. Then come new questions of the weakest objectives, a few of each,
in the order of difficulty. What the minutes do not hold is listed, not squeezed in.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from fsrs import Card, Rating

from tradeoff.interview import bank
from tradeoff.interview.bank import OBJECTIVES, Question
from tradeoff.interview.drills import schedule
from tradeoff.interview.drills.choosing import Key, objective
from tradeoff.interview.drills.judging import HALF
from tradeoff.interview.drills.readiness import readiness
from tradeoff.interview.drills.store import Review, Store

MINUTES_A_DAY = 45
MOST_DAYS = 366
WIDTH = 80  # columns, of the plan as text
LESSON_MINUTES = 60  # each lesson takes about an hour
# Assumed for an answer and what is read after it, until the learner's own times are known.
ASSUMED_MINUTES = {"choices": 2.0, "number": 3.0, "rubric": 5.0}
OWN_ANSWERS = 5  # of a kind, from which their median counts in place of what is assumed
READING = 1.0  # minutes, of the strong and the weak answer
MOST_READING = 0.5  # of a day's minutes
SCRAP = 10.0  # minutes: less is read with what comes before it
BLOCK = 4  # new questions of one objective at a time
LESSONS = {
    1: "Latency vs throughput",
    2: "Micro-batch",
    3: "Why streaming costs more",
    4: "Stateful vs stateless",
    5: "When batch outgrows itself",
    6: "Neighbouring subjects",
}


@dataclass(frozen=True)
class Task:
    """One thing to do: `what` in words, how many questions (0 for reading), and minutes."""

    what: str
    questions: int
    minutes: float

    @property
    def said(self) -> str:
        return f"{self.what} ({_minutes(self.minutes)})"


@dataclass(frozen=True)
class Day:
    """One day of a plan."""

    on: date
    tasks: tuple[Task, ...]

    @property
    def minutes(self) -> float:
        return sum(task.minutes for task in self.tasks)

    @property
    def questions(self) -> int:
        return sum(task.questions for task in self.tasks)


@dataclass(frozen=True)
class Plan:
    """Days until the interview.

    Attributes
    ----------
    days : the first is today; the interview is on the day after the last.
    left_out : what does not fit.
    minutes_a_day : that it was made for. rests_on : how the minutes are counted, in words.
    """

    days: tuple[Day, ...]
    left_out: tuple[Task, ...]
    minutes_a_day: float
    rests_on: str

    @property
    def said(self) -> str:
        """The plan as text, a line a task."""
        lines = [self.head]
        for day in self.days:
            lines.append(f"\n{self.title(day)}")
            lines += [f"  - {task.said}" for task in day.tasks] or ["  - nothing"]
        lines.append(f"\n{self.rest}")
        lines += [f"  - {task.said}" for task in self.left_out]
        return "\n".join([*lines, "", textwrap.fill(self.rests_on, WIDTH)])

    @property
    def head(self) -> str:
        """The plan in a sentence."""
        days = len(self.days)
        return (
            f"{days} day{'s' if days > 1 else ''} until the interview on "
            f"{_day(self.days[-1].on + timedelta(days=1))}, {self.minutes_a_day:g} minutes a day."
        )

    @property
    def rest(self) -> str:
        """What does not fit, in a sentence."""
        if not self.left_out:
            return "Everything fits."
        count = sum(task.questions for task in self.left_out)
        minutes = sum(task.minutes for task in self.left_out)
        return f"Does not fit: {count} question{'s' if count != 1 else ''}, {_minutes(minutes)}."

    @staticmethod
    def title(day: Day) -> str:
        count = f"{day.questions} question{'s' if day.questions != 1 else ''}"
        return f"{_day(day.on)}: {count}, {_minutes(day.minutes)}"

    def __repr__(self) -> str:
        return self.said


def plan(
    days: int | None = None,
    minutes_a_day: float = MINUTES_A_DAY,
    *,
    store: Store | None = None,
    now: datetime | None = None,
    questions: Sequence[Question] | None = None,
) -> Plan:
    """The plan for so many days, today the first; without a number, until the stored date.

    Raises ValueError when no date is known, no day or more than a year is left, or the minutes are
    not above 0.
    """
    store = store or Store()
    now = now or datetime.now(UTC)
    today = now.astimezone().date()
    if days is None:
        if store.interview is None:
            raise ValueError("name the day of the interview, or how many days are left")
        days = (store.interview - today).days
    if days < 1:
        raise ValueError("no day is left before the interview: answer what is due, and rest")
    if days > MOST_DAYS:
        raise ValueError(f"a plan reaches {MOST_DAYS} days ahead, got {days}")
    if minutes_a_day <= 0:
        raise ValueError(f"minutes a day must be above 0, got {minutes_a_day:g}")
    known = bank.questions() if questions is None else questions
    return _Planner(known, store.reviews, now, today, minutes_a_day).plan(days)


class _Planner:
    """Fills one day after the other; what it has not placed by then is left out."""

    def __init__(
        self,
        questions: Sequence[Question],
        reviews: Sequence[Review],
        now: datetime,
        today: date,
        minutes_a_day: float,
    ) -> None:
        self.by_id = {each.id: each for each in questions}
        self.today, self.budget = today, minutes_a_day
        own = {name: took for name in ASSUMED_MINUTES if (took := self._measured(name, reviews))}
        self.minutes = ASSUMED_MINUTES | own
        counted = ", ".join(
            f"{self.minutes[name]:.3g} min {words}{' (your own median)' if name in own else ''}"
            for name, words in (("choices", "a choice"), ("number", "a number"),
                                ("rubric", "a free answer"))
        )  # fmt: skip
        self.rests_on = (
            f"Counted with {counted}, {LESSON_MINUTES} min a lesson. It takes for granted that you "
            "know what is repeated; what you miss comes again and takes longer."
        )
        if not reviews:
            self.rests_on += " Nothing was answered yet: the diagnostic tells what to begin with."
        self.cards = {
            name: card for name, card in schedule.cards(reviews).items() if name in self.by_id
        }
        self.reading = {lesson: float(LESSON_MINUTES) for lesson in self._weak_lessons(reviews)}
        weakest = sorted(readiness(questions, reviews, now), key=lambda one: one.estimate)
        self.new: dict[Key, list[Question]] = {
            (one.lesson, one.objective): sorted(
                (
                    each
                    for each in questions
                    if objective(each) == (one.lesson, one.objective) and each.id not in self.cards
                ),
                key=lambda each: each.difficulty,
            )
            for one in weakest
        }

    def _measured(self, way: str, reviews: Sequence[Review]) -> float:
        took = [
            review.seconds
            for review in reviews
            if review.question in self.by_id and self.by_id[review.question].answered_by == way
        ]
        return median(took) / 60 + READING if len(took) >= OWN_ANSWERS else 0.0

    def _weak_lessons(self, reviews: Sequence[Review]) -> list[int]:
        """Weakest first; lesson 6 has no notebook to read."""
        last = {
            review.question: review.share for review in reviews if review.question in self.by_id
        }
        shares: dict[int, list[float]] = defaultdict(list)
        for name, share in last.items():
            shares[self.by_id[name].lesson].append(share)
        mean = {lesson: sum(all_) / len(all_) for lesson, all_ in shares.items()}
        weak = [lesson for lesson in mean if mean[lesson] < HALF and lesson < max(OBJECTIVES)]
        return sorted(weak, key=lambda lesson: mean[lesson])

    def plan(self, days: int) -> Plan:
        made = [self._day(self.today + timedelta(days=ahead)) for ahead in range(days)]
        return Plan(tuple(made), tuple(self._left_out(made[-1].on)), self.budget, self.rests_on)

    def _cost(self, question: Question) -> float:
        return self.minutes[question.answered_by]

    def _day(self, on: date) -> Day:
        evening = datetime.combine(on, time(23, 59)).astimezone(UTC)
        self.room, tasks = self.budget, []
        if repeated := self._take(self._due(evening), evening):
            tasks.append(_task("Answer what is due again", repeated, self._cost))
        to_read = min(self.room, self.budget * MOST_READING)
        for lesson, rest in self.reading.items():
            part = min(to_read, rest)
            if rest - part < SCRAP and rest <= self.room:
                part = rest
            if part == rest > 0 or part >= SCRAP:
                self.room, to_read = self.room - part, max(0.0, to_read - part)
                self.reading[lesson] -= part
                tasks.append(Task(f"Read lesson {lesson}, {LESSONS[lesson]}", 0, part))
        for key in list(self.new):
            if taken := self._take(self.new[key][:BLOCK], evening):
                self.new[key] = self.new.pop(key)[len(taken) :]  # the next time, the others first
                tasks.append(_task(_new(key), taken, self._cost))
        return Day(on, tuple(tasks))

    def _due(self, evening: datetime) -> list[Question]:
        return [self.by_id[name] for name in schedule.due(self.cards, evening)]

    def _take(self, questions: Sequence[Question], at: datetime) -> list[Question]:
        """As many, from the first, as there is room for; from then on known to FSRS."""
        taken = []
        for question in questions:
            if (cost := self._cost(question)) > self.room:
                break
            self.room -= cost
            before = self.cards.get(question.id) or Card(card_id=0, due=at)
            self.cards[question.id] = schedule.reviewed(before, Rating.Good, at)
            taken.append(question)
        return taken

    def _left_out(self, last: date) -> list[Task]:
        evening = datetime.combine(last, time(23, 59)).astimezone(UTC)
        found = []
        if late := self._due(evening):
            found.append(_task("Answer what is due again", late, self._cost))
        for lesson, rest in self.reading.items():
            if rest > 0:
                found.append(Task(f"Read lesson {lesson}, {LESSONS[lesson]}", 0, rest))
        for key in sorted(self.new):
            if self.new[key]:
                found.append(_task(_new(key), self.new[key], self._cost))
        return found


def _new(key: Key) -> str:
    return f"New on {key[1]} (lesson {key[0]})"


def _task(what: str, questions: Sequence[Question], cost: Callable[[Question], float]) -> Task:
    count = len(questions)
    said = f"{what}: {count} question{'s' if count > 1 else ''}"
    return Task(said, count, sum(map(cost, questions)))


def _minutes(minutes: float) -> str:
    return f"{round(minutes)} min"


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"
