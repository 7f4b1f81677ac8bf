"""Lesson 1's calculator: what a latency costs in events per dollar, for one workload."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from tradeoff import charts
from tradeoff.calculators.calculator import Calculator, Steps, choice
from tradeoff.model import (
    Cadence,
    Consumer,
    Evaluation,
    Workload,
    engine,
    evaluate,
    words,
    workload,
)
from tradeoff.model.frontier import design_of, offers
from tradeoff.model.quantities import Quantity, check
from tradeoff.scenarios import operating_points

WORK = {
    "Filter and forward": "relay",
    "Join and aggregate, no state kept": "aggregate",
    "Join and aggregate, counts of a week kept": "counts",
}
ENGINES = {
    "Spark, a cluster started for each run": "spark_ephemeral",
    "Spark, warm pool, paid per busy second": "spark_warm",
    "Spark micro-batch, always on": "spark_streaming",
    "Flink stream, always on": "flink",
}
SHORT = {
    "spark_ephemeral": "a cluster for each run",
    "spark_warm": "warm pool",
    "spark_streaming": "micro-batch, always on",
    "flink": "stream, always on",
}
EVENTS_PER_DAY = tuple(number * 10**power for power in range(5, 11) for number in (1, 2, 5))
HOUR, MINUTE = 3600, 60
INTERVALS = (
    *(24 * HOUR, 12 * HOUR, 6 * HOUR, 4 * HOUR, 2 * HOUR, HOUR),
    *(30 * MINUTE, 15 * MINUTE, 10 * MINUTE, 5 * MINUTE, 2 * MINUTE, MINUTE),
    *(30, 20, 10, 5, 1),
)
NODES = (1, 2, 4, 8, 16, 32, 64)
WITHIN = (
    *(0.1, 0.5, 1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR),
)
USD_PER_MILLION = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)


@dataclass(frozen=True)
class Settings:
    """A workload, the design picked for it, and what is asked of it.

    The defaults are the text's billion events a day, each night on a cluster of four nodes (C5a).

    Attributes
    ----------
    work : "relay" (filter and forward), "aggregate" or "counts" (with a week of counts kept).
    engine, interval_seconds : the design picked; a stream has no interval.
    least_nodes : the cluster's size; it has more nodes where the workload's peak needs them.
    within_seconds : the oldest an event may be when it becomes visible.
    usd_per_million : the budget for a million events.
    """

    work: str = "counts"
    events_per_day: float = 1e9
    engine: str = "spark_ephemeral"
    interval_seconds: float = 24 * HOUR
    least_nodes: int = 4
    within_seconds: float = 2 * MINUTE
    usd_per_million: float = 1.0

    def __post_init__(self) -> None:
        for name, offered in (("work", WORK), ("engine", ENGINES)):
            if getattr(self, name) not in offered.values():
                raise ValueError(
                    f"{name} must be one of {list(offered.values())}, got {getattr(self, name)!r}"
                )
        check("events_per_day", self.events_per_day)
        Cadence.every(self.interval_seconds)
        check("nodes", self.least_nodes)
        check("freshness_seconds", self.within_seconds)
        check("usd_per_million", self.usd_per_million, Quantity("USD", above=0))

    def workload(self) -> Workload:
        if self.work == "relay":
            return workload("relay").at(self.events_per_day)
        billion = workload("billion")
        kept = billion.state if self.work == "counts" else None
        return billion.at(self.events_per_day, state=kept)


@dataclass(frozen=True)
class Outcome:
    """What the model says of a setting.

    Attributes
    ----------
    offered : the designs, as `model.frontier.offers` gives them.
    picked : index of the one picked; None where no number of nodes keeps it up.
    nightly : index of the nightly run on a cluster of its own.
    found : the picked design evaluated against what is asked.
    """

    settings: Settings
    offered: pd.DataFrame
    picked: int | None
    nightly: int
    found: Evaluation | None

    @property
    def events_per_usd(self) -> float | None:
        return None if self.picked is None else float(self._of(self.picked).events_per_usd)

    @property
    def times_dearer(self) -> float | None:
        """Cost of an event, relative to the nightly run's."""
        here = self.events_per_usd
        return None if here is None else float(self._of(self.nightly).events_per_usd) / here

    @property
    def meets(self) -> pd.DataFrame:
        """The designs that are both fresh and cheap enough, cheapest first."""
        both = self._fresh() & self._cheap()
        return self.offered[both].sort_values("events_per_usd", ascending=False)

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        table: Any = self.offered
        designs = pd.DataFrame(
            {
                "billing": table["engine"].map(SHORT),
                "every": table["says"],
                "latency": table["latency_worst_seconds"].map(_rounded),
                "gain": table["events_per_usd"].map(_rounded),
                "standing": np.where(table["efficient"], "frontier", "beaten"),
            }
        )
        picked = [] if self.picked is None else [self.picked]
        named = designs.loc[picked].assign(
            label=[f"{words.count(table.loc[each, 'events_per_usd'])} per $" for each in picked]
        )
        asked = {
            "latency": self.settings.within_seconds,
            "gain": 1e6 / self.settings.usd_per_million,
            "within": f"within {words.duration(self.settings.within_seconds)}",
            "budget": f"{words.usd(self.settings.usd_per_million)} a million",
        }
        return {
            "designs": _records(designs),
            "picked": _records(named.drop(columns=["billing", "every", "standing"])),
            "asked": [asked],
        }

    @property
    def meaning(self) -> str:
        if self.picked is None or self.found is None:
            said = (
                f"<b>Not on offer</b>: {SHORT[self.settings.engine]}, every "
                f"{words.duration(self.settings.interval_seconds)}. No number of nodes ends such "
                "a run in time: starting and committing alone take too long."
            )
        else:
            here, night = self._of(self.picked), self._of(self.nightly)
            said = (
                f"<b>{words.count(here.events_per_usd)} events per dollar</b> with events at most "
                f"{words.duration(here.latency_worst_seconds)} old; nightly gives "
                f"{words.count(night.events_per_usd)}. An event costs "
                f"<b>{self.times_dearer:.3g} ×</b> the nightly price: "
                f"{words.usd(here.cost_usd_per_day)} a day on {_nodes(here.nodes)}. "
                f"{self._standing(here)}<ul><li>{self._binding()}</li>"
                f"<li>{self.firm}</li></ul>"
            )
        return f'<div role="status">{said}</div>'

    @property
    def idle(self) -> tuple[str, ...]:
        return ("interval_seconds",) if self.settings.engine == "flink" else ()

    def _of(self, index: int) -> Any:
        return self.offered.loc[index]

    def _fresh(self) -> pd.Series:
        return self.offered["latency_worst_seconds"] <= self.settings.within_seconds * (1 + 1e-9)

    def _cheap(self) -> pd.Series:
        needed = 1e6 / self.settings.usd_per_million
        return self.offered["events_per_usd"] >= needed * (1 - 1e-9)

    def _standing(self, here: Any) -> str:
        if here.efficient:
            return "It is on the frontier: nothing here is both as fresh and as cheap."
        table = self.offered
        better = table[
            (table["latency_worst_seconds"] <= here.latency_worst_seconds)
            & (table["events_per_usd"] >= here.events_per_usd)
            & table["efficient"]
        ].sort_values("events_per_usd")
        return f"It is beaten by {_named(better.iloc[-1])}: no older, and no dearer."

    def _binding(self) -> str:
        assert self.found is not None
        binds, said = self.found.binds.capitalize(), self.found.sentence
        return f"<b>{escape(binds)}</b> binds. {escape(said[0].upper() + said[1:])}"

    @property
    def firm(self) -> str:
        """Whether both limits can be met, and what each costs where it is the firm one."""
        both = self.meets
        if len(both):
            some = "one design" if len(both) == 1 else f"{len(both)} designs"
            return f"Both limits are met by {some}; the cheapest is {_named(both.iloc[0])}."
        fresh: Any = self.offered[self._fresh()]
        cheap: Any = self.offered[self._cheap()]
        said = "No design here meets both limits. "
        if len(fresh):
            best = fresh.loc[fresh["events_per_usd"].idxmax()]
            price = words.usd(1e6 / best.events_per_usd)
            said += f"If latency is firm: {_named(best)}, {price} a million events. "
        else:
            said += "If latency is firm: nothing here is that fresh. "
        if len(cheap):
            best = cheap.loc[cheap["latency_worst_seconds"].idxmin()]
            age = words.duration(best.latency_worst_seconds)
            return said + f"If the budget is firm: {_named(best)}, events at most {age} old."
        return said + "If the budget is firm: nothing here is that cheap."


def _named(row: Any) -> str:
    every = "" if row.engine == "flink" else f" every {row.says}"
    return f"{SHORT[row.engine]}{every}"


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count:,} nodes"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def solve(settings: Settings) -> Outcome:
    """Evaluate a setting. Raises ValueError, a sentence, where the model has no answer."""
    work = settings.workload()
    intervals = sorted({*INTERVALS, settings.interval_seconds}, reverse=True)
    table: Any = offers(work, [engine(name) for name in SHORT], intervals, settings.least_nodes)
    interval = 0.0 if settings.engine == "flink" else settings.interval_seconds

    def at(name: str, seconds: float) -> int | None:
        same = (table["engine"] == name) & np.isclose(table["interval_seconds"], seconds)
        return int(same.idxmax()) if same.any() else None

    picked, nightly = at(settings.engine, interval), at("spark_ephemeral", INTERVALS[0])
    assert nightly is not None  # these workloads have neither source nor sink that limits them
    found = None
    if picked is not None:
        asked = design_of(work, engine(settings.engine), interval, int(table.loc[picked, "nodes"]))
        found = evaluate(
            asked.but(
                consumers=(Consumer.needing("the reader", settings.within_seconds),),
                budget_usd_per_day=settings.usd_per_million * settings.events_per_day / 1e6,
            )
        )
    return Outcome(settings, table, picked, nightly, found)


PRESETS = {
    "Pool, every minute": Settings(engine="spark_warm", interval_seconds=MINUTE),
    "A billion, streamed": Settings(engine="flink"),
    "Without state": Settings(work="aggregate", engine="flink", least_nodes=1),
    "Light work": Settings(work="relay", engine="flink", least_nodes=1),
    "A small pipeline": Settings(
        events_per_day=1e6, engine="flink", least_nodes=1, usd_per_million=50
    ),
}


def frontier(**settings: Any) -> Calculator:
    """The frontier explorer, with the settings (fields of `Settings`) as given.

    Raises ValueError or TypeError for a setting that it does not have or that no control has.
    """
    return Calculator(
        "calculators.frontier",
        Settings(**settings),
        PRESETS,
        {
            "work": choice("Work per event", WORK),
            "events_per_day": Steps("Events a day", EVENTS_PER_DAY, words.count),
            "engine": choice("Engine and billing", ENGINES),
            "interval_seconds": Steps("A run every", INTERVALS, words.duration),
            "least_nodes": Steps("Nodes, at least", NODES, str),
            "within_seconds": Steps("Needed within", WITHIN, words.duration),
            "usd_per_million": Steps("Budget a million", USD_PER_MILLION, words.usd),
        },
        solve,
        charts.frontier("designs", "picked", "asked", operating_points.named()),
    )
