"""Lesson 5's calculator: redesign the orders pipeline; see whom that serves, and its cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from tradeoff import charts
from tradeoff.calculators.calculator import Calculator, Steps, choice, tick
from tradeoff.model import Cadence, Evaluation, Plan, Rhythm, evaluate, words
from tradeoff.scenarios import orders, proposals

ORDERS_PER_DAY = tuple(
    number * 10**power
    for power in (6, 7, 8)
    for number in (1, 1.2, 1.5, 1.8, 2, 2.5, 3, 4, 5, 6, 8)
    if number * 10**power <= 200e6
)
EVERY = (
    *("24 h", "12 h", "8 h", "6 h", "4 h", "3 h", "2 h", "1 h"),
    *("30 min", "20 min", "15 min", "12 min", "10 min", "8 min", "6 min"),
    *("5 min", "4 min", "3 min", "2 min", "1 min"),
)
NODES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
ENGINES = {
    "Spark, a cluster started for each run": "spark_ephemeral",
    "Spark, warm pool, paid per busy second": "spark_warm",
    "Spark micro-batch, always on": "spark_streaming",
    "Flink stream, always on": "flink",
}
UNITS = ((3600, "h"), (60, "min"), (1, "s"))
NIGHTLY = "nightly run, this volume"


@dataclass(frozen=True)
class Settings:
    """One redesign; the defaults are the pipeline as it runs today. See `orders.redesign`."""

    orders_per_day: float = orders.EVENTS_NOW
    every: str = "24 h"
    incremental: bool = False
    nodes: int = 1
    engine: str = "spark_ephemeral"
    marketing_apart: bool = False

    def __post_init__(self) -> None:
        # "60 min" and "1 h" are one cadence: written one way, so that the slider finds it.
        seconds = Cadence.every(self.every).interval_seconds
        size, unit = next(pair for pair in UNITS if seconds % pair[0] == 0 or pair[1] == "s")
        object.__setattr__(self, "every", f"{seconds / size:g} {unit}")
        if self.engine not in ENGINES.values():
            raise ValueError(f"engine must be one of {list(ENGINES.values())}, got {self.engine!r}")

    def plan(self) -> Plan:
        return orders.redesign(
            "this design",
            self.orders_per_day,
            engine_name=self.engine,
            every=self.every,
            incremental=self.incremental,
            nodes=self.nodes,
            marketing_apart=self.marketing_apart,
        )


@dataclass(frozen=True)
class Outcome:
    """What the model says of a setting.

    Attributes
    ----------
    plan, found : the redesign, and the evaluation of each of its paths.
    nightly : the pipeline as it is today, at the same volume.
    """

    plan: Plan
    found: tuple[Evaluation, ...]
    nightly: Evaluation

    @property
    def cost_usd_per_day(self) -> float:
        return float(sum(one.cost_usd_per_day for one in self.found))

    @property
    def serves(self) -> bool:
        return all(one.serves for one in self.found)

    @cached_property
    def needs(self) -> list[dict[str, Any]]:
        """The rows of `proposals.needs`."""
        return list(proposals.needs_of(self.plan, self.found))

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        drawn = ("need", "limit_used", "verdict", "says")
        today = Plan(NIGHTLY, [self.nightly.design])
        consumers_first = sorted(self.needs, key=lambda row: row["need"].startswith("longest run"))
        return {
            "needs": [{name: row[name] for name in drawn} for row in consumers_first],
            "bills": [
                *proposals.bills_of(self.plan, self.found),
                *proposals.bills_of(today, [self.nightly]),
            ],
        }

    @property
    def meaning(self) -> str:
        today = self.nightly.cost_usd_per_day
        names = [consumer.name for path in self.plan.paths for consumer in path.consumers]
        verdicts = {row["need"]: row["verdict"] for row in self.needs}
        served = [
            f"{name}: <b>{'not served' if verdicts[name] == proposals.MISSED else 'served'}</b>"
            for name in names
        ]
        paths = "".join(f"<li>{_sentence(one)}</li>" for one in self.found)
        return (
            f'<div role="status"><b>{words.usd(round(self.cost_usd_per_day))} a day</b>, '
            f"{self.cost_usd_per_day / today:.3g} × the nightly run at this volume "
            f"({words.usd(round(today))}). {'; '.join(served)}.<ul>{paths}</ul></div>"
        )

    @property
    def idle(self) -> tuple[str, ...]:
        streams = self.plan.paths[0].rhythm is Rhythm.STREAMING
        return ("every", "incremental") if streams else ()


def _sentence(found: Evaluation) -> str:
    said = found.sentence
    return escape(said if found.serves else f"{found.design.name}: {said[0].lower()}{said[1:]}")


def solve(settings: Settings) -> Outcome:
    """Evaluate a setting. Raises ValueError, a sentence, where the model has no answer."""
    plan = settings.plan()
    nightly = orders.nightly(settings.orders_per_day)
    return Outcome(plan, tuple(map(evaluate, plan.paths)), evaluate(nightly))


PRESETS = {
    "Two years ago, 4 M": Settings(orders_per_day=orders.EVENTS_THEN),
    "Today, 18 M": Settings(),
    "The redesign": Settings(every="1 h", incremental=True, marketing_apart=True),
    "Warm pool": Settings(every="6 min", incremental=True, engine="spark_warm"),
    "All to streaming": Settings(engine="flink", nodes=8, incremental=True),
}


def redesign(**settings: Any) -> Calculator:
    """The redesign calculator, with the settings (fields of `Settings`) as given.

    Raises ValueError or TypeError for a setting that it does not have or that no control has.
    """
    return Calculator(
        "calculators.redesign",
        Settings(**settings),
        PRESETS,
        {
            "orders_per_day": Steps("Orders a day", ORDERS_PER_DAY, words.count),
            "every": Steps("A run every", EVERY, str),
            "incremental": tick("Incremental: read only what is new"),
            "nodes": Steps("Nodes", NODES, str),
            "engine": choice("Engine and billing", ENGINES),
            "marketing_apart": tick("Marketing apart, every minute"),
        },
        solve,
        charts.needs_and_cost("needs", "bills"),
    )
