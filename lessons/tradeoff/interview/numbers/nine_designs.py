"""Figures of lesson 5's nine proposals and of its cases around them, in words.

Nine ways to build the orders pipeline at 18 M orders a day, by their names in
`tradeoff.scenarios.orders.redesigns`; for the figures of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tradeoff.model import (
    Cadence,
    Design,
    Evaluation,
    Plan,
    Rhythm,
    claims,
    engine,
    evaluate,
    sized,
    words,
)
from tradeoff.model.stages import stage_seconds
from tradeoff.scenarios import orders


@dataclass(frozen=True)
class Offer:
    """What people ask of a proposal, in words: its bill, how late, how full."""

    paths: tuple[Evaluation, ...]

    @property
    def _main(self) -> Evaluation:
        return self.paths[0]

    @property
    def bill(self) -> str:
        """What all paths cost a day."""
        return f"{sum(path.cost_usd_per_day for path in self.paths):,.0f} USD a day"

    @property
    def complete(self) -> str:
        """When yesterday is complete, for whoever reads the main path."""
        return words.clock(self._main.yesterday_complete_hour)

    @property
    def oldest(self) -> str:
        """The oldest order that the reader of the last path sees."""
        return words.duration(self.paths[-1].latency_worst_seconds)

    @property
    def longest(self) -> str:
        """The main path's longest run."""
        return words.duration(self._main.run_longest_seconds)

    @property
    def run(self) -> str:
        """The main path's mean run."""
        return words.duration(self._main.run_mean_seconds)

    @property
    def work(self) -> str:
        """Hours of work a day, all runs of the main path together."""
        runs = 86_400 / self._main.design.cadence.interval_seconds
        return words.duration(runs * self._main.run_mean_seconds)

    @property
    def busy(self) -> str:
        """How much of the busiest hour the busiest path works."""
        return f"{max(path.utilisation_peak for path in self.paths):.0%}"


def _offer(*paths: Design) -> Offer:
    return Offer(tuple(evaluate(path) for path in paths))


@cache
def _plans() -> Mapping[str, Plan]:
    return {plan.name: plan for plan in orders.redesigns()}


@cache
def offer(name: str) -> Offer:
    """One of the nine proposals, by name."""
    return _offer(*_plans()[name].paths)


@cache
def night(millions: float = 18, nodes: int = 1, start: int = orders.START_HOUR) -> Offer:
    """The full nightly run with more orders a day, more nodes or another start."""
    return _offer(orders.nightly(millions * 1e6).but(nodes=nodes, start_hour=start))


@cache
def executives(every: str) -> Offer:
    """The executives' path alone, incremental, at a cadence."""
    return _offer(_plans()["every 6 h, incremental"].paths[0].but(cadence=Cadence.every(every)))


@cache
def hourly(nodes: int) -> Offer:
    """The hourly incremental path on more nodes."""
    return _offer(_plans()["hourly, incremental"].paths[0].but(nodes=nodes))


@cache
def with_pool(every: str) -> Offer:
    """The executives' path at a cadence, and marketing's every 12 minutes on a warm pool."""
    marketing = _plans()["split by tier"].paths[1].consumers
    pool = _plans()["one path, warm pool"].paths[0]
    share = max(one.share for one in marketing)
    fresh = pool.but(
        workload=pool.workload.narrowed(share),
        cadence=Cadence.every("12 min"),
        consumers=marketing,
    )
    return _offer(executives(every).paths[0].design, fresh)


@cache
def pool(nodes: int, every: str) -> Offer:
    """One path for everybody on the warm pool."""
    one = _plans()["one path, warm pool"].paths[0]
    return _offer(one.but(nodes=nodes, cadence=Cadence.every(every)))


def times(name: str, other: str) -> str:
    """How many times one proposal's bill is another's."""
    ratio = _total(offer(name)) / _total(offer(other))
    return f"{ratio:.0f} times"


def dearer(name: str, other: str) -> str:
    """How much dearer one proposal is than another, in per cent."""
    return f"{_total(offer(name)) / _total(offer(other)) - 1:.0%}"


def _total(one: Offer) -> float:
    return sum(path.cost_usd_per_day for path in one.paths)


def stages(part: str) -> str:
    """Share of the 11-hour run in "read", "transform" or "write", in per cent."""
    took = stage_seconds(orders.nightly(), orders.EVENTS_NOW)
    return f"{took[part] / sum(took.values()):.0%}"


@cache
def routes(name: str) -> Offer:
    """The logistics case: nightly, hourly (on the pool), pool (, one more) or team."""
    text = claims.Scenarios()
    work = text.workload("routes")
    if name == "nightly":
        return Offer((text.routes_nightly,))
    if name == "hourly":
        return Offer((text.hourly("routes"),))
    if name == "team":
        minute = Cadence.every("1 min")
        narrow = work.narrowed(0.1)
        return _offer(sized(Design(narrow, engine("spark_streaming"), Rhythm.MICRO_BATCH, minute)))
    every = "1 h" if name == "hourly on the pool" else "5 min"
    warm = text.triggered(work, every, "spark_warm")
    more = {"hourly on the pool": 0, "pool": 0, "pool, one more": 1}[name]
    return _offer(warm.design.but(nodes=warm.design.nodes + more))
