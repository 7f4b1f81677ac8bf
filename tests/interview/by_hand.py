"""A number question held against a way to its answer by hand, from what a candidate reads alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from tradeoff.interview import bank, numbers
from tradeoff.interview.numbers.drawn import Drawn, parse

SEEDS = range(20)
ASKS = {one.number: one.ask for one in bank.questions() if one.number}


class Shown:
    """The texts of an ask, read as numbers: `shown.seconds("run")`, `shown.usd("price")`.

    What is said later cannot be read.
    """

    def __init__(self, name: str, given: Mapping[str, str]) -> None:
        self.given = {key: text for key, text in given.items() if f"{{{key}}}" in ASKS[name]}

    def number(self, name: str) -> float:
        return parse(self.given[name], "events")

    def millions(self, name: str) -> float:
        return self.number(name) / 1e6

    def seconds(self, name: str) -> float:
        return parse(self.given[name], "s")

    def minutes(self, name: str) -> float:
        return self.seconds(name) / 60

    def share(self, name: str) -> float:
        return parse(self.given[name], "%")

    def usd(self, name: str) -> float:
        return parse(self.given[name], "USD")

    def size(self, name: str) -> float:
        return parse(self.given[name], "B")

    def hour(self, name: str) -> int:
        return int(self.given[name].partition(":")[0])


ByHand = dict[str, Callable[[Shown], float]]


def drawn_of(name: str) -> list[Drawn]:
    return [numbers.draw(name, np.random.default_rng(seed)) for seed in SEEDS]


def numbers_of(*modules: str) -> set[str]:
    """Names of the numbers that these modules of `interview.numbers` make."""
    return {name for name, make in numbers.NUMBERS.items() if make.__module__.endswith(modules)}


def with_weak_answer(names: ByHand) -> list[str]:
    return [name for name in names if "wrong" in drawn_of(name)[0].given]


def follows_from_what_is_shown(name: str, by_hand: Callable[[Shown], float]) -> None:
    answers = set()
    for drawn in drawn_of(name):
        found = by_hand(Shown(name, drawn.given))
        # inside a half of the tolerance, so that rounding on paper decides nothing
        assert found == pytest.approx(drawn.answer, rel=drawn.within / 2), drawn
        assert drawn.judge(f"{found:.10g}"), drawn
        answers.add(drawn.answer)
    assert len(answers) > 3  # fresh numbers, not one typed answer


def weak_answer_is_judged_wrong(name: str) -> None:
    for drawn in drawn_of(name):
        wrong = drawn.given["wrong"].removesuffix(" USD")  # a bare number is in the unit asked for
        assert not drawn.judge(wrong), drawn
