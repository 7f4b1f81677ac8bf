"""One interview case: its story, the facts it holds, its numbers, and the model's truth."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tradeoff.interview.mocks.truth import remedies
from tradeoff.interview.mocks.truth.board import Board, evaluated
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.interview.mocks.truth.remedies import Remedy
from tradeoff.interview.numbers import Drawn

DIMENSIONS = {
    "latency": "latency: results are too old for somebody",
    "throughput": "throughput: the work does not fit the time it has",
    "state": "state: what the logic remembers",
    "cost": "cost: it does its job and costs too much",
    "none": "none of the four",
}
MOST_DRAWS = 300
NOT_KNOWN = "I do not know that. Assume something, and say that you do."
NOT_PLACED = "I cannot place that question. Ask in other words, or pick it from the list."
HINT = 0.3  # of a word; three of them are less than one
AT_ONCE = 2  # facts told to one clause
CLAUSES = re.compile(r"[,;:.?!]|\band\b")
# Words that say nothing about what is asked.
EMPTY = set(
    re.findall(
        "[a-z]+",
        "a an and any are at be by can could do does for give has have how i in is it its me much "
        "of on or please tell that the there they this to us we what when where which who "
        "why will with would you your",
    )
)


@dataclass(frozen=True)
class Fact:
    """Something the interviewer knows, and tells when asked.

    Attributes
    ----------
    asks : the question, as the menu shows it.
    words : words that ask for it, stems in lower case: "cost" answers "costs", too.
    hints : words that are said in questions of other things, too; they decide where no word does.
    says : the answer. known : False where the answer is that nobody knows.
    """

    key: str
    asks: str
    words: tuple[str, ...]
    says: str
    known: bool = True
    hints: tuple[str, ...] = ()

    def hit(self, said: Iterable[str]) -> float:
        """How much words said, in lower case, ask for this fact."""
        return sum(
            1.0 if f"{word} ".startswith(self.words) else HINT * f"{word} ".startswith(self.hints)
            for word in said
        )


@dataclass(frozen=True)
class Estimate:
    """A number to work out. `objective` is the drill that trains it, of the bank's `OBJECTIVES`."""

    asks: str
    drawn: Drawn
    objective: str


@dataclass(frozen=True)
class Case:
    """A case with its numbers in.

    Attributes
    ----------
    opening : what the interviewer says first.
    matters : keys of the facts that decide this case.
    objectives : the drills behind its remedy.
    twist : a push-back of this case alone, and the answer to it; None: the common ones do.
    because : why the right answer is the right one, in a sentence, with figures.
    name, industry, seed, remedies : set by `draw`; the remedies are `remedies.at_its_best`'s.
    """

    opening: str
    problem: Problem
    facts: tuple[Fact, ...]
    estimates: tuple[Estimate, ...]
    matters: tuple[str, ...]
    objectives: tuple[str, ...]
    because: str
    twist: tuple[str, str] | None = None
    name: str = ""
    industry: str = ""
    seed: int = 0
    remedies: tuple[Remedy, ...] = field(default=(), repr=False)

    @cached_property
    def right(self) -> Remedy:
        """The right answer. Raises ValueError where no kind of change serves."""
        found = remedies.right(self.remedies)
        if found is None:
            raise ValueError(f"{self.name}: no change serves everyone")
        return found

    @cached_property
    def now(self) -> Board:
        """Today's pipeline."""
        return evaluated(self.problem, self.problem.today)

    @cached_property
    def fails(self) -> str:
        """The dimension that fails today: one of `DIMENSIONS`."""
        return failing(self.problem)

    def remedy(self, name: str) -> Remedy | None:
        """One kind of change at its best, if this case allows it."""
        return next((one for one in self.remedies if one.name == name), None)

    def fact(self, key: str) -> Fact:
        """A fact by its key. Raises KeyError for another."""
        found = next((one for one in self.facts if one.key == key), None)
        if found is None:
            raise KeyError(key)
        return found

    def asked(self, question: str) -> tuple[Fact, ...]:
        """The facts that a question in free words asks for, in the order in which it asks.

        A question of several clauses asks in each: for the fact that shares most words with it,
        for two where they share as many. A lone hint beside a clause with a word is no question.
        Empty when it holds no word that the case knows.
        """
        for fact in self.facts:
            if question.strip().lower() == fact.asks.lower():
                return (fact,)
        clauses = []
        for clause in CLAUSES.split(question.lower()):
            said = [word for word in re.findall(r"[a-z]+", clause) if word not in EMPTY]
            hits = {fact: fact.hit(said) for fact in self.facts}
            most = max(hits.values(), default=0.0)
            clauses.append((most, [fact for fact, hit in hits.items() if hit == most][:AT_ONCE]))
        least = HINT if max(most for most, _ in clauses) >= 1 else 0.0
        return tuple(dict.fromkeys(fact for most, best in clauses if most > least for fact in best))


def failing(problem: Problem) -> str:
    """The dimension that fails today, out of the model: "none" when it keeps all its limits.

    The model's own word for what binds (runs that do not fit make results late, too: that is
    throughput); cost and what it knows nothing of by the limits of the problem.
    """
    board = evaluated(problem, problem.today)
    rejected = [one for one in board.found if one.rejected]
    if rejected:
        return rejected[0].binds
    passed = [limit for limit in board.limits if not limit.kept]
    return passed[0].of if passed else "none"


Maker = Callable[[np.random.Generator], Case]
CASES: dict[str, Maker] = {}
FAILS: dict[str, str] = {}
REMEDY: dict[str, str] = {}
INDUSTRY: dict[str, str] = {}


def case(industry: str, fails: str, remedy: str) -> Callable[[Maker], Maker]:
    """Register a case under its function's name, with what must come out of the model for it."""

    def register(make: Maker) -> Maker:
        name = make.__name__.replace("_", "-")
        CASES[name], INDUSTRY[name] = make, industry
        FAILS[name], REMEDY[name] = fails, remedy
        return make

    return register


def draw(name: str, seed: int) -> Case:
    """A case with numbers from the seed.

    Numbers are drawn until the model finds the dimension and the remedy that the case is about,
    and finds the remedy right by the margin (`remedies.clear`).

    Raises KeyError for a name that is not there, RuntimeError if no draw suits (never seen).
    """
    make = CASES[name]
    rng = np.random.default_rng((seed, zlib.crc32(name.encode())))
    for _ in range(MOST_DRAWS):
        try:
            made = make(rng)
        except Unsuitable:
            continue
        if failing(made.problem) != FAILS[name]:
            continue
        found = tuple(remedies.ladder(made.problem))
        best = remedies.right(found)
        if best is None or best.name != REMEDY[name] or not remedies.clear(found):
            continue
        shown = remedies.at_its_best(made.problem, found)
        return _named(made, name, seed, tuple(shown))
    raise RuntimeError(f"no numbers out of {MOST_DRAWS} draws suit the case {name!r}")


class Unsuitable(ValueError):
    """Numbers with which a case tells no story; others are drawn."""


def _named(made: Case, name: str, seed: int, found: tuple[Remedy, ...]) -> Case:
    return replace(made, name=name, industry=INDUSTRY[name], seed=seed, remedies=found)
