"""The bank of drill questions: `data/questions.toml`, read, checked, and put with fresh numbers.

A question of the file:

    [[question]]
    id = "worst-age-of-a-nightly-run"     # words joined by dashes, never changed once it is out
    lesson = 1                            # 1 to 5; 6 for the neighbouring subjects
    objective = "latency"                 # one of OBJECTIVES[lesson]
    form = "estimate"                     # one of FORMS
    difficulty = 2                        # 1 recall, 2 apply, 3 judge
    ask = "An hourly run takes {run}. How old ...?"
    number = "worst_age"                  # of `numbers`: it draws {run} and computes the answer
    given = "runs_that_slowed"            # of `numbers`: it draws the figures of a question
                                          # that is answered by a choice or in words
    strong = "..."                        # a strong answer; {name} stands for a figure
    weak = "..."                          # a weak one, as candidates give it
    weak_because = "..."                  # what it lacks
    follow_ups = ["...", "..."]           # what an interviewer asks next
    rubric = ["...", "..."]               # free text: what the answer must hold, a point each
    figures = { bill = "C5a", gap = "model call" }  # of {bill}, {gap}: see `figures.worded`
    source = "..."                        # lesson 6: an address that backs the answer
    [[question.choices]]                  # in place of `number` and `rubric`: two to six
    says = "..."
    right = false
    why = "..."                           # shown once it is chosen

Whoever answers either chooses, gives a number with its unit, or writes free text: a question has
`choices`, a `number` or a `rubric`, one of the three. No figure of an answer is typed: it comes
from a claim (its range and unit) or from a call of the model, so it cannot drift.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tradeoff import data
from tradeoff.interview import figures, numbers
from tradeoff.interview.numbers import Drawn

FORMS = {
    "contrast": "define and contrast",
    "estimate": "estimate",
    "diagnose": "diagnose from a chart or a run history",
    "choose": "choose and defend",
    "flaw": "find the flaw in a proposal",
    "change": "what would change your mind",
}
OBJECTIVES: Mapping[int, Mapping[str, str]] = {
    1: {
        "latency-and-throughput": "tell latency from throughput and say which one constrains",
        "frontier": "say why throughput is bought with latency, and put a number on it",
        "ask-first": "ask for the targets before choosing a rhythm",
    },
    2: {
        "trigger": "choose a trigger interval for a consumer and price it",
        "when-micro-batch": "say when micro-batch is right and when it is wrong",
    },
    3: {
        "premium": "estimate what streaming costs over batch, and of what the premium is made",
        "value-of-latency": "decide whether a latency is worth its premium",
        "operations": "tell what running a stream asks of people: lag, failures, schemas",
    },
    4: {
        "classify": "tell stateless from stateful transforms, and what follows",
        "size-of-state": "size the state, and say what bounds it",
        "watermark": "choose a watermark, and say what it drops and what it holds",
    },
    5: {
        "diagnosis": "name the dimension that fails from a run history",
        "smallest-change": "choose the smallest change that serves every consumer",
        "defend": "price the change and defend it against a push-back",
    },
    6: {
        "delivery": "exactly-once, at-least-once, idempotence",
        "flow": "backpressure, lag and replay",
        "architectures": "Lambda, Kappa, backfills, small files",
    },
}
FREE = ("rubric", "choices", "number")


class BankError(ValueError):
    """The file of questions is not what it must be; the message names question and field."""


@dataclass(frozen=True)
class Choice:
    """One choice: what it says, whether it is right, and why or why not."""

    says: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question as it stands in the file; `asked` puts the numbers in."""

    id: str
    lesson: int
    objective: str
    form: str
    difficulty: int
    ask: str
    strong: str
    weak: str
    weak_because: str
    follow_ups: tuple[str, ...]
    rubric: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    number: str = ""
    figures: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    given: str = ""

    @property
    def answered_by(self) -> str:
        """ "choices", "number" or "rubric" (free text)."""
        return next(name for name in FREE if getattr(self, name))

    def asked(self, seed: int) -> Asked:
        """The question with its figures; the seed draws numbers and the order of choices."""
        rng, drawn = np.random.default_rng(seed), None
        words = {name: figures.worded(source) for name, source in self.figures.items()}
        if self.number:
            drawn = numbers.draw(self.number, rng)
            words |= {"answer": drawn.answer_in_words, **drawn.given}
        if self.given:
            words |= numbers.draw_given(self.given, rng)
        order = np.random.default_rng((seed, 1)).permutation(len(self.choices))
        return Asked(self, drawn, words, tuple(int(place) for place in order))


@dataclass(frozen=True)
class Asked:
    """A question ready to be put: every text with its numbers in.

    `drawn` is the answer of a numeric question and how far one may be off; None for the others.
    `order` is the order of the choices: nobody should learn an answer by its place.
    """

    question: Question
    drawn: Drawn | None
    words: Mapping[str, str]
    order: tuple[int, ...] = ()

    def __getattr__(self, name: str) -> Any:
        """`ask`, `strong`, `weak`, `weak_because`, `follow_ups`, `rubric`, `choices`, filled."""
        if name.startswith("__") or name in ("question", "drawn", "words", "order"):
            raise AttributeError(name)  # a copy asks before it has any field
        value = getattr(self.question, name)
        if isinstance(value, str):
            return value.format_map(self.words)
        if name in ("follow_ups", "rubric"):
            return tuple(each.format_map(self.words) for each in value)
        if name == "choices":
            return tuple(
                Choice(
                    each.says.format_map(self.words), each.right, each.why.format_map(self.words)
                )
                for each in (value[place] for place in self.order)
            )
        return value


@cache
def questions() -> tuple[Question, ...]:
    """All questions of the course's bank, in the file's order. Raises BankError."""
    return read(data.folder() / "questions.toml")


def read(path: Path) -> tuple[Question, ...]:
    """The questions of a file. Raises BankError when one is not as the module says."""
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("question", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BankError(f"{path}: {error}") from None
    found = tuple(_question(row) for row in rows)
    seen: set[str] = set()
    for each in found:
        if each.id in seen:
            raise BankError(f"{each.id}: two questions have this id")
        seen.add(each.id)
    return found


def _question(row: dict[str, Any]) -> Question:
    name = str(row.get("id", "a question without id"))

    def refuse(what: str) -> BankError:
        return BankError(f"{name}: {what}")

    known = {each.name for each in fields(Question)}
    if unknown := set(row) - known:
        raise refuse(f"no such field: {', '.join(sorted(unknown))}")
    try:
        choices = tuple(Choice(**each) for each in row.pop("choices", ()))
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        made = Question(**plain, choices=choices)
    except TypeError as error:
        raise refuse(str(error)) from None
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", made.id):
        raise refuse("id must be lower-case words joined by dashes")
    if made.form not in FORMS:
        raise refuse(f"form must be one of {', '.join(FORMS)}, got {made.form!r}")
    if made.objective not in OBJECTIVES.get(made.lesson, {}):
        raise refuse(f"lesson {made.lesson!r} has no objective {made.objective!r}")
    if made.difficulty not in (1, 2, 3):
        raise refuse(f"difficulty must be 1, 2 or 3, got {made.difficulty!r}")
    if sum(bool(getattr(made, each)) for each in FREE) != 1:
        raise refuse("needs one of rubric, choices and number")
    if choices and not (2 <= len(choices) <= 6 and any(each.right for each in choices)):
        raise refuse("needs two to six choices, one of them right")
    if made.number and made.number not in numbers.NUMBERS:
        raise refuse(f"no number {made.number!r} in tradeoff.interview.numbers")
    if made.given and made.number:
        raise refuse("a number draws its own figures: it goes without given")
    if made.given and made.given not in numbers.GIVEN:
        raise refuse(f"no given {made.given!r} in tradeoff.interview.numbers")
    if made.lesson == 6 and not made.source:
        raise refuse("a question on a neighbouring subject needs a source")
    for each in ("ask", "strong", "weak", "weak_because"):
        if not getattr(made, each).strip():
            raise refuse(f"{each} is empty")
    if not made.follow_ups:
        raise refuse("needs a follow-up")
    known_words = set(made.figures)
    if made.number:
        known_words |= {"answer", *numbers.draw(made.number, np.random.default_rng(0)).given}
    if made.given:
        known_words |= set(numbers.draw_given(made.given, np.random.default_rng(0)))
    if missing := placeholders(made) - known_words:
        raise refuse(f"nothing says what {{{sorted(missing)[0]}}} is: name it in figures")
    if unused := set(made.figures) - placeholders(made):
        raise refuse(f"no text uses the figure {sorted(unused)[0]!r}")
    return made


def texts(question: Question) -> list[str]:
    """Every text of a question that a candidate may read."""
    return [
        *(question.ask, question.strong, question.weak, question.weak_because),
        *question.follow_ups,
        *question.rubric,
        *(text for each in question.choices for text in (each.says, each.why)),
    ]


def placeholders(question: Question) -> set[str]:
    """Names in braces in a question's texts."""
    return {
        name
        for text in texts(question)
        for _, name, _, _ in string.Formatter().parse(text)
        if name is not None
    }
