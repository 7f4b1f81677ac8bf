"""The rubric: six dimensions, each of items that the model judged or the candidate ticked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tradeoff.interview.bank import OBJECTIVES
from tradeoff.interview.mocks.talk.wording import plain
from tradeoff.interview.mocks.truth import remedies
from tradeoff.interview.mocks.truth.board import Board, touched
from tradeoff.interview.mocks.truth.case import Case
from tradeoff.interview.mocks.truth.estimates import usd

DIMENSIONS = {
    "failing": "Named the dimension that fails",
    "quantified": "Put numbers on it",
    "smallest": "Chose the smallest change",
    "cost": "Priced it",
    "consumers": "Served consumers by tier",
    "change": "Said what would change the answer",
}
REPEAT: Mapping[str, tuple[str, ...]] = {
    "failing": ("diagnosis",),
    "quantified": (),  # those of the numbers that were wrong
    "smallest": ("smallest-change",),
    "cost": ("premium",),
    "consumers": ("ask-first",),
    "change": ("defend",),
}
MODEL, OWN = "model", "you"
GOOD = 0.8  # below this share a dimension is worth repeating


@dataclass(frozen=True)
class Item:
    """One line of the rubric.

    `by` is who judged it: "model" or "you". `earned` is from 0 to 1; `weight` is its share of
    the dimension. `objective` is the drill that trains it, if it is one number's.
    """

    dimension: str
    says: str
    by: str
    earned: float
    weight: float = 1.0
    objective: str = ""


@dataclass(frozen=True)
class Result:
    """How an interview went."""

    items: tuple[Item, ...]
    repeat: tuple[str, ...]

    def of(self, dimension: str) -> float:
        """The share earned of one dimension, 0 to 1."""
        return share([item for item in self.items if item.dimension == dimension])

    @property
    def percent(self) -> int:
        """The mean of the six dimensions, in per cent."""
        return round(100 * sum(self.of(name) for name in DIMENSIONS) / len(DIMENSIONS))

    @property
    def judged_percent(self) -> int:
        """The same of what the model judged alone."""
        judged = [
            [one for one in self.items if one.dimension == name and one.by == MODEL]
            for name in DIMENSIONS
        ]
        return round(100 * sum(share(some) for some in judged) / len(DIMENSIONS))


def share(items: Sequence[Item]) -> float:
    """The share earned, by weight; 0 of none."""
    whole = sum(item.weight for item in items)
    return sum(item.weight * item.earned for item in items) / whole if whole else 0.0


def design_items(case: Case, board: Board | None) -> list[Item]:
    """What the model says of a design; None: nothing was proposed."""
    kind = "nothing was proposed"
    if board is not None:
        kind = remedies.called(board.sketch, case.problem)
    earned, said = _smallest(case, board, kind)
    within = board is not None and board.usd_per_day <= case.problem.budget_usd_per_day
    bill = "no bill" if board is None else f"{usd(board.usd_per_day)} a day"
    names = case.problem.names
    served = 0 if board is None else len(names) - len(board.unserved)
    sound = board is not None and board.serves
    # Who is served by a design that cannot be built, or paid, is half served.
    by, part = ("" if sound else " by a design that passes a limit"), served / len(names)
    part *= 1.0 if sound else 0.5
    return [
        Item("smallest", said, MODEL, earned, weight=3),
        Item(
            "cost",
            f"Design within the budget and not oversized: {bill}, the budget is "
            f"{usd(case.problem.budget_usd_per_day)}",
            MODEL,
            earned if within else 0.0,
            weight=2,
        ),
        Item("consumers", f"Served {served} of {len(names)} consumers{by}", MODEL, part, weight=2),
    ]


def _smallest(case: Case, board: Board | None, kind: str) -> tuple[float, str]:
    if board is None:
        return 0.0, "No design was proposed"
    if not board.serves:
        return 0.0, plain(f"Proposed: {kind}. It fails: {'; '.join(board.missed)}")
    right = case.right
    allowed, touches = set(right.option.touches), touched(board.sketch, case.problem.today)
    # How many nodes another change takes is a part of it.
    beside = {"nodes"} if allowed else set()
    as_cheap = board.usd_per_day <= (1 + remedies.MARGIN) * right.usd_per_day
    if touches <= allowed | beside and (kind == right.name or as_cheap):
        return 1.0, f"Proposed: {kind}. It serves everyone, and nothing smaller does"
    if len(touches - beside) <= len(allowed - beside):
        if as_cheap:
            return 1.0, f"Proposed: {kind}. It serves, as small and as cheap as {right.name}"
        more = f"costs more than need be: {right.name} does at {usd(right.usd_per_day)} a day"
        return 0.5, f"Proposed: {kind}. It serves, and {more}"
    return 0.5, f"Proposed: {kind}. It serves, and is larger than need be: {right.name} does"


def repeated(case: Case, items: Sequence[Item]) -> tuple[str, ...]:
    """Objectives to drill again, the case's own among them when its design was not found."""
    found: list[str] = []
    for name in DIMENSIONS:
        some = [item for item in items if item.dimension == name]
        if share(some) >= GOOD:
            continue
        found += [item.objective for item in some if item.objective and item.earned < 1]
        found += REPEAT[name]
        if name == "smallest":
            found += case.objectives
    return tuple(dict.fromkeys(found))


def objective_words(name: str) -> str:
    """An objective of the bank in words, with its lesson. Raises KeyError for another."""
    for lesson, objectives in OBJECTIVES.items():
        if name in objectives:
            where = f"lesson {lesson}" if lesson <= 5 else "neighbouring subjects"
            return f"{name} ({where}): {objectives[name]}"
    raise KeyError(name)
