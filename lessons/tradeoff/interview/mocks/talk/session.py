"""A mock interview without a screen: stages, prompts, a clock, a board, and what was said.

Time is passed in, so that a test can hold the clock. A terminal or a widget shows `prompt`, hands
answers over, and shows the `Reply`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from tradeoff.interview.mocks.talk import pushbacks, rubric
from tradeoff.interview.mocks.talk.points import Point, Question
from tradeoff.interview.mocks.talk.rubric import MODEL, OWN, Item, Result
from tradeoff.interview.mocks.talk.wording import plain
from tradeoff.interview.mocks.truth.board import Board, Sketch, described, evaluated
from tradeoff.interview.mocks.truth.case import DIMENSIONS, NOT_PLACED, Case, Fact
from tradeoff.interview.mocks.truth.changes import growth
from tradeoff.interview.mocks.truth.pricing import prices
from tradeoff.model import words

MINUTES = 25
FACT = "fact"  # the key of an entry in which a fact was asked for
PASS = "?"  # the answer of one who does not know
YES_NO = (("yes", "yes"), ("no", "no"))
TIERS = (
    ("1", "tier 1: seconds and below"),
    ("2", "tier 2: under 15 minutes"),
    ("3", "tier 3: hourly"),
    ("4", "tier 4: daily"),
)


class Stage(StrEnum):
    """The stages, in order. The clock runs until the review begins."""

    CLARIFY = "clarify"
    ESTIMATE = "estimate"
    DESIGN = "design"
    PRICE = "price"
    DEFEND = "defend"
    REVIEW = "review"
    OVER = "over"


STAGES = tuple(Stage)
MINUTES_OF = {"clarify": 5, "estimate": 5, "design": 7, "price": 3, "defend": 5}
GUIDE = {
    "clarify": "Ask for what you need to know, then go on to the numbers.",
    "estimate": "Work the numbers out. Give each with its unit.",
    "design": "Draw the smallest change that serves everyone. The model evaluates as you draw.",
    "price": "Say what it costs.",
    "defend": "Answer the push-backs.",
    "review": "Hold your words against the strong answers, and tick what you said.",
    "over": "",
}


@dataclass(frozen=True)
class Prompt:
    """What is asked now.

    `kind` is "facts" (ask, then go on), "number", "choice", "board", "text" or "ticks".
    `options` are what one may choose from: the answer, and its words.
    """

    stage: Stage
    key: str
    kind: str
    says: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What the interviewer says to an answer."""

    says: str


@dataclass
class Entry:
    """One thing that was asked and answered, as the transcript keeps it."""

    stage: str
    key: str
    asked: str
    said: str
    at_seconds: float
    reply: str = ""


@dataclass
class Mock:
    """One try at one case.

    Parameters
    ----------
    case : the case, with its numbers. started : when the clock began.
    keep : called after everything that is said, so that nothing is lost; it gets this object.
    """

    case: Case
    started: datetime
    keep: Callable[[Mock], None] = lambda _: None
    entries: list[Entry] = field(default_factory=list)
    sketch: Sketch | None = None
    proposed: Board | None = None
    skipped: list[str] = field(default_factory=list)
    quit_at: str = ""

    def __post_init__(self) -> None:
        self._stage = Stage.CLARIFY
        self._clock = Clock(self.started)
        self._told: list[str] = []
        self._right: dict[str, float] = {}
        self._queue: list[Prompt] = []
        self._questions: dict[str, Question] = {}
        self._ticked: dict[str, list[bool]] = {}
        self._compared: list[Prompt] = []
        self.sketch = self.sketch or self.case.problem.today
        self._enter(Stage.CLARIFY)

    # --- where it stands --------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        return self._stage

    @property
    def over(self) -> bool:
        return self._stage is Stage.OVER

    @property
    def answered(self) -> bool:
        """Whether anything was answered: who only asked, or knew nothing, gets no score."""
        return any(entry.key != FACT and entry.said != PASS for entry in self.entries)

    @property
    def quit_early(self) -> bool:
        """Whether it was ended before the design: the model answer would spoil the case."""
        return self.quit_at in (Stage.CLARIFY, Stage.ESTIMATE)

    @property
    def timed(self) -> bool:
        """Whether the clock counts in this stage."""
        return self._stage not in (Stage.REVIEW, Stage.OVER)

    @property
    def prompt(self) -> Prompt:
        """What is asked now. Raises ValueError when the interview is over."""
        if self.over:
            raise ValueError("the interview is over")
        return self._queue[0]

    @property
    def is_last(self) -> bool:
        """Whether the interview is over after this prompt."""
        return self._stage is Stage.REVIEW and len(self._queue) == 1

    @property
    def told(self) -> tuple[Fact, ...]:
        """Facts that were asked for so far, in order."""
        return tuple(self.case.fact(key) for key in self._told)

    @property
    def board(self) -> Board:
        """The board as it is drawn now. Raises as `board.evaluated`."""
        assert self.sketch is not None
        return evaluated(self.case.problem, self.sketch)

    @property
    def paused(self) -> bool:
        return self._clock.paused

    def seconds_used(self, now: datetime) -> float:
        """Seconds on the clock; pauses do not count."""
        return self._clock.seconds(now)

    def seconds_left(self, now: datetime) -> float:
        """Seconds of the 25 minutes that are left; below 0 beyond them."""
        return MINUTES * 60 - self._clock.seconds(now)

    # --- what a candidate does --------------------------------------------------------------------

    def ask(self, question: str, now: datetime) -> Reply:
        """Ask for a fact: by its key (from the menu) or in words. Only while clarifying."""
        self._expect("facts")
        try:
            found: tuple[Fact, ...] = (self.case.fact(question),)
            asked = found[0].asks
        except KeyError:
            found, asked = self.case.asked(question), question.strip()
        self._told += [fact.key for fact in found if fact.key not in self._told]
        said = " ".join(dict.fromkeys(fact.says for fact in found)) if found else NOT_PLACED
        self._note(FACT, "What do you want to know?", asked, now, said)
        return Reply(said)

    def answer(self, said: str, now: datetime) -> Reply:
        """Answer the prompt: a number, one of the options, free words, or `PASS`.

        Raises UnitError for a number that cannot be read and ValueError for a choice that is not
        offered; neither costs anything.
        """
        prompt = self.prompt
        said = said.strip()
        if prompt.kind in ("facts", "board", "ticks"):
            raise ValueError(f"{prompt.kind} takes no answer: go on, propose or tick")
        if prompt.kind == "choice" and said != PASS:
            said = self._chosen(prompt, said)
        reply = self._judge(prompt, said)
        self._note(prompt.key, prompt.says, said, now, reply)
        self._next(now)
        return Reply(reply)

    def draw(self, sketch: Sketch) -> Board:
        """Change the board. Raises as `board.evaluated`, and then leaves it as it was."""
        board = evaluated(self.case.problem, sketch)
        self.sketch = sketch
        return board

    def propose(self, now: datetime) -> Reply:
        """Propose what is on the board."""
        self._expect("board")
        self.proposed = self.board
        said = described(self.proposed.sketch)
        self._note("board", self.prompt.says, said, now, verdict(self.proposed))
        self._next(now)
        return Reply(verdict(self.proposed))

    def go_on(self, now: datetime) -> None:
        """End asking for facts."""
        self._expect("facts")
        self._next(now)

    def ticks(self, said: list[bool], now: datetime) -> None:
        """Tick the points of one's own answer, as many as the prompt has options.

        Raises ValueError for another number of ticks.
        """
        self._expect("ticks")
        if len(said) != len(self.prompt.options):
            raise ValueError(f"expected {len(self.prompt.options)} ticks, got {len(said)}")
        self._ticked[self.prompt.key] = list(said)
        self._compared.append(self.prompt)
        self._next(now)

    def back(self) -> None:
        """Ask again for the ticks that were given last. Raises ValueError if there are none."""
        self._expect("ticks")
        if not self._compared:
            raise ValueError("this is the first one: there is nothing to go back to")
        self._queue.insert(0, self._compared.pop())

    def skip(self, now: datetime) -> None:
        """Leave this stage; nobody comes back to it."""
        if self.over:
            return
        self.skipped.append(self._stage.value)
        self._queue = []
        self._next(now)

    def quit(self, now: datetime) -> None:
        """End it here; everything that was said is kept."""
        if self.over:
            return
        self.quit_at = self._stage.value
        self._clock.pause(now)
        self._stage, self._queue = Stage.OVER, []
        self.keep(self)

    def pause(self, now: datetime) -> None:
        self._clock.pause(now)

    def resume(self, now: datetime) -> None:
        if self.timed:
            self._clock.resume(now)

    # --- how it went ------------------------------------------------------------------------------

    @property
    def result(self) -> Result:
        """The rubric as far as the interview has come."""
        items = [*self._judged(), *rubric.design_items(self.case, self.proposed), *self._own()]
        return Result(tuple(items), rubric.repeated(self.case, items))

    def said_to(self, key: str) -> str:
        """What was last answered to a prompt; empty if nothing."""
        said = next((one.said for one in reversed(self.entries) if one.key == key), "")
        return "" if said == PASS else said

    @property
    def not_asked(self) -> tuple[Fact, ...]:
        """Facts that decide this case and were not asked for."""
        return tuple(self.case.fact(key) for key in self.case.matters if key not in self._told)

    # --- inside -----------------------------------------------------------------------------------

    def _expect(self, kind: str) -> None:
        if self.prompt.kind != kind:
            raise ValueError(f"the prompt is {self.prompt.kind}, not {kind}")

    def _note(self, key: str, asked: str, said: str, now: datetime, reply: str = "") -> None:
        at = round(self._clock.seconds(now), 1)
        self.entries.append(Entry(self._stage.value, key, asked, said, at, reply))
        self.keep(self)

    def _next(self, now: datetime) -> None:
        self._queue = self._queue[1:]
        while not self._queue and not self.over:
            self._enter(STAGES[STAGES.index(self._stage) + 1])
        if not self.timed:
            self._clock.pause(now)
        self.keep(self)

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        makers: dict[Stage, Callable[[], list[Prompt]]] = {
            Stage.CLARIFY: self._clarify,
            Stage.ESTIMATE: self._estimate,
            Stage.DESIGN: self._design,
            Stage.PRICE: self._price,
            Stage.DEFEND: self._defend,
            Stage.REVIEW: self._review,
            Stage.OVER: list,
        }
        self._queue = makers[stage]()

    def _clarify(self) -> list[Prompt]:
        menu = tuple((fact.key, fact.asks) for fact in self.case.facts)
        return [Prompt(Stage.CLARIFY, "facts", "facts", self.case.opening, menu)]

    def _estimate(self) -> list[Prompt]:
        numbers = [
            Prompt(Stage.ESTIMATE, f"number {place}", "number", one.asks)
            for place, one in enumerate(self.case.estimates, 1)
        ]
        tiers = [
            Prompt(
                Stage.ESTIMATE,
                f"tier of {one.name}",
                "choice",
                f"Which freshness tier does {one.name} need?",
                TIERS,
            )
            for one in self.case.problem.consumers
        ]
        asks = "So, in one word: which dimension fails today?"
        fails = Prompt(Stage.ESTIMATE, "fails", "choice", asks, tuple(DIMENSIONS.items()))
        return [*numbers, *tiers, fails]

    def _design(self) -> list[Prompt]:
        self._questions["why this one"] = pushbacks.why(self.case)
        asks = "The board is yours. It shows today's pipeline: change what you would change."
        return [
            Prompt(Stage.DESIGN, "board", "board", asks),
            self._text(Stage.DESIGN, "why this one"),
        ]

    def _price(self) -> list[Prompt]:
        return [
            Prompt(Stage.PRICE, f"price {place}", "number", one.asks)
            for place, one in enumerate(self._prices, 1)
        ]

    def _defend(self) -> list[Prompt]:
        board = self.proposed or self.case.now
        asked = pushbacks.pushbacks(self.case, board)
        self._questions |= {one.key: one for one in asked}
        self._questions["what would change it"] = pushbacks.closing(self.case)
        texts = [self._text(Stage.DEFEND, one.key) for one in asked]
        factor, _ = self._growth
        grown = words.count(factor * self.case.problem.work.events_per_day)
        grows = Prompt(
            Stage.DEFEND,
            "growth",
            "choice",
            f"The volume becomes {factor:g} times today's, {grown} a day. Does your design, as it "
            "stands, still serve every consumer? Leave the bill aside.",
            YES_NO,
        )
        return [*texts, grows, self._text(Stage.DEFEND, "what would change it")]

    def _review(self) -> list[Prompt]:
        answered = [key for key in self._questions if self.said_to(key)]
        return [
            Prompt(
                Stage.REVIEW,
                key,
                "ticks",
                self._questions[key].asks,
                tuple(
                    (str(place), point.says)
                    for place, point in enumerate(self._questions[key].points)
                ),
            )
            for key in answered
        ]

    def question(self, key: str) -> Question:
        """A question that was answered in free words. Raises KeyError for another."""
        return self._questions[key]

    def _text(self, stage: Stage, key: str) -> Prompt:
        return Prompt(stage, key, "text", self._questions[key].asks)

    @cached_property
    def _prices(self) -> Any:
        return prices(self.case, self.proposed or self.case.now)

    @cached_property
    def _growth(self) -> tuple[float, bool]:
        board = self.proposed or self.case.now
        return growth(self.case.problem, board.sketch)

    def _chosen(self, prompt: Prompt, said: str) -> str:
        for place, (key, _) in enumerate(prompt.options, 1):
            if said.lower() in (key, str(place)) and (said == key or not key.isdigit()):
                return key
        offered = ", ".join(key for key, _ in prompt.options)
        raise ValueError(f"choose one of {offered}, got {said!r}")

    def _judge(self, prompt: Prompt, said: str) -> str:
        """Remember whether an answer is right; what the interviewer says to it."""
        if prompt.kind == "number":
            place = int(prompt.key.split()[1]) - 1
            some = self.case.estimates if prompt.stage is Stage.ESTIMATE else self._prices
            drawn = some[place].drawn
            self._right[prompt.key] = float(said != PASS and drawn.judge(said))
            return f"Let us go on with {drawn.answer_in_words}."
        if prompt.kind == "choice":
            self._right[prompt.key] = float(said == self._truth(prompt.key))
        return "Go on."

    def _truth(self, key: str) -> str:
        if key == "fails":
            return self.case.fails
        if key == "growth":
            return "yes" if self._growth[1] else "no"
        name = key.removeprefix("tier of ")
        return next(str(one.tier) for one in self.case.problem.consumers if one.name == name)

    def _judged(self) -> list[Item]:
        """The rubric's items that the model judges, but for the design's."""
        fails = self.said_to("fails") or "nothing"
        items = [self._item("failing", "fails", f"You said {fails}: it is {self.case.fails}", 2.0)]
        for place, one in enumerate(self.case.estimates, 1):
            items.append(self._number(f"number {place}", "quantified", one))
        if self.proposed is not None:
            for place, one in enumerate(self._prices, 1):
                items.append(self._number(f"price {place}", "cost", one))
        else:
            items.append(Item("cost", "No price was asked, for nothing was proposed", MODEL, 0.0))
        for reader in self.case.problem.consumers:
            said = self.said_to(f"tier of {reader.name}") or "nothing"
            text = f"Tier of {reader.name}: you said {said}, it is {reader.tier}"
            items.append(self._item("consumers", f"tier of {reader.name}", text))
        if "growth" in self._right:
            factor, serves = self._growth
            text = f"At {factor:g} times the volume: you said {self.said_to('growth')}, the model "
            items.append(self._item("change", "growth", f"{text}{'yes' if serves else 'no'}"))
        else:
            items.append(Item("change", "Whether it bears growth: not answered", MODEL, 0.0))
        return items

    def _number(self, key: str, dimension: str, one: Any) -> Item:
        said, right = self.said_to(key) or "nothing", one.drawn.answer_in_words
        text = f"You said {said}, it is {right} (within {one.drawn.within:.0%}): "
        return self._item(dimension, key, f"{text}{one.drawn.because}", objective=one.objective)

    def _item(
        self, dimension: str, key: str, says: str, weight: float = 1.0, objective: str = ""
    ) -> Item:
        earned = self._right.get(key, 0.0)
        return Item(dimension, plain(says), MODEL, earned, weight, objective)

    def _own(self) -> list[Item]:
        """The rubric's items that the candidate ticks."""
        items = []
        for key, question in self._questions.items():
            ticked = self._ticked.get(key, [False] * len(question.points))
            missing = "" if key in self._ticked else "(not compared) "
            missing = missing if self.said_to(key) else "(not answered) "
            for point, said in zip(question.points, ticked, strict=True):
                items.append(Item(point.dimension, missing + point.says, OWN, float(said)))
        if not self._questions:
            return [Item("change", "Nothing was said in free words", OWN, 0.0)]
        return items

    @property
    def points(self) -> dict[str, tuple[tuple[Point, bool], ...]]:
        """The points of each free-text question, and whether they were ticked."""
        return {
            key: tuple(
                zip(
                    question.points,
                    self._ticked.get(key, [False] * len(question.points)),
                    strict=True,
                )
            )
            for key, question in self._questions.items()
        }


class Clock:
    """Seconds since a start, pauses left out."""

    def __init__(self, started: datetime) -> None:
        self._since: datetime | None = started
        self._before = 0.0

    @property
    def paused(self) -> bool:
        return self._since is None

    def seconds(self, now: datetime) -> float:
        running = 0.0 if self._since is None else (now - self._since).total_seconds()
        return self._before + max(running, 0.0)

    def pause(self, now: datetime) -> None:
        self._before, self._since = self.seconds(now), None

    def resume(self, now: datetime) -> None:
        if self._since is None:
            self._since = now


def verdict(board: Board) -> str:
    """What the model says of a board, in one line."""
    bill = f"{words.usd(round(board.usd_per_day))} a day"
    if board.serves:
        return plain(f"{bill}. It serves every consumer within all limits.")
    return plain(f"{bill}. It misses: {'; '.join(board.missed)}.")
