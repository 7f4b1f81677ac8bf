"""The 47 figures of the course's text, each computed by the model from its own scenario.

`data/claims.csv` holds each claim's range, unit, kind and the reading under which it is true;
`figures` computes it with the catalogue's constants. A claim of two figures (typical and worst)
must hold for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import pandas as pd

from tradeoff import data
from tradeoff.model import catalogue, cost, state
from tradeoff.model.catalogue import Constants
from tradeoff.model.design import Design
from tradeoff.model.engine import Engine
from tradeoff.model.evaluate import Evaluation, evaluate, sized
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS, QUANTITIES
from tradeoff.model.rhythm import Cadence, Rhythm
from tradeoff.model.workload import Workload


class Scenarios:
    """The designs behind the claims, for one set of constants (None: the catalogue's mids)."""

    def __init__(self, constants: Constants | None = None) -> None:
        self.constants = constants

    def engine(self, name: str) -> Engine:
        return catalogue.engine(name, self.constants)

    def workload(self, name: str) -> Workload:
        return catalogue.workload(name, self.constants)

    def nodes(self, name: str) -> int:
        return catalogue.cluster(name, self.constants)

    def nightly(self, name: str, events_per_day: float | None = None) -> Evaluation:
        """The text's starting point: a full run each night on a cluster of its own."""
        work = self.workload(name)
        return evaluate(
            Design(
                work if events_per_day is None else work.at(events_per_day),
                self.engine("spark_ephemeral"),
                Rhythm.BATCH,
                Cadence.every("24 h"),
                nodes=self.nodes(name),
                incremental=False,
            )
        )

    def hourly(self, name: str) -> Evaluation:
        """Incremental, every hour, a cluster of its own for each run."""
        return evaluate(
            Design(
                self.workload(name),
                self.engine("spark_ephemeral"),
                Rhythm.BATCH,
                Cadence.every("1 h"),
                nodes=self.nodes(name),
            )
        )

    def triggered(
        self, work: Workload, interval: str, engine: str = "spark_streaming"
    ) -> Evaluation:
        """A micro-batch with a trigger interval on the workload's cluster."""
        return evaluate(
            Design(
                work,
                self.engine(engine),
                Rhythm.MICRO_BATCH,
                Cadence.every(interval),
                nodes=self.nodes(work.name),
            )
        )

    def streaming(
        self, work: Workload, engine: str = "flink", nodes: int | None = None
    ) -> Evaluation:
        """Event by event on a cluster that is always on, sized for its peak unless nodes given."""
        design = Design(work, self.engine(engine), Rhythm.STREAMING, Cadence.per_event())
        if nodes:
            return evaluate(design.but(nodes=nodes))
        target = catalogue.constant("sizing", "target_utilisation", self.constants)
        return evaluate(sized(design, target))

    def tier_2_path(self) -> Evaluation:
        """The orders' 1-minute path for one consumer, with nodes for its peak."""
        design = Design(
            self.workload("orders").at(18e6),
            self.engine("spark_streaming"),
            Rhythm.MICRO_BATCH,
            Cadence.every("1 min"),
        )
        target = catalogue.constant("sizing", "target_utilisation", self.constants)
        return evaluate(sized(design, target))

    def bill(self, run: str, runs_per_day: float) -> float:
        """The text's cost table: four nodes, runs of a given length."""
        return cost.bill_of_runs(
            self.engine("spark_ephemeral"), Rhythm.BATCH, 4, _seconds(run), runs_per_day
        )

    @cached_property
    def routes_nightly(self) -> Evaluation:
        return self.nightly("routes", 80e6)

    @cached_property
    def billion_nightly(self) -> Evaluation:
        return self.nightly("billion")

    @cached_property
    def billion_streaming(self) -> Evaluation:
        return self.streaming(self.workload("billion"))

    @cached_property
    def billion_stateless(self) -> Workload:
        billion = self.workload("billion")
        return billion.at(billion.events_per_day, state=None)

    @cached_property
    def clicks(self) -> Workload:
        return self.workload("clicks")

    @cached_property
    def clicks_with_state(self) -> Workload:
        """The clicks, counted per user over the text's rolling week."""
        return self.clicks.at(self.clicks.events_per_day, state=self.workload("billion").state)

    @cached_property
    def relay(self) -> Evaluation:
        return self.streaming(self.workload("relay"))


def _seconds(text: str) -> float:
    return Cadence.every(text).interval_seconds


def _hours(seconds: float) -> float:
    return seconds / HOUR_SECONDS


def _stateful_premium(s: Scenarios) -> float:
    return s.billion_streaming.cost_usd_per_day / s.billion_nightly.cost_usd_per_day


def _two_triggers(s: Scenarios) -> float:
    fast = s.triggered(s.workload("low_volume"), "30 s", "spark_warm")
    slow = s.triggered(s.workload("low_volume"), "4 min", "spark_warm")
    return fast.cost_usd_per_day / slow.cost_usd_per_day


def _hot_state(s: Scenarios) -> float:
    kept = s.workload("billion").state
    assert kept is not None
    return state.hot_bytes(kept, s.engine("flink")) / state.values_bytes(kept)


def _state_values(s: Scenarios) -> float:
    kept = s.workload("billion").state
    assert kept is not None
    return state.values_bytes(kept) / 1e6


def _operations(s: Scenarios) -> float:
    stream, batch = s.billion_streaming, s.billion_nightly
    return stream.operations_usd_per_day / batch.operations_usd_per_day


def _stream_latency(evaluation: Evaluation) -> tuple[float, float]:
    return evaluation.latency_p50_seconds, evaluation.latency_worst_seconds


_BATCH_OF_5_MIN = 10e6
_SCENARIOS: Mapping[str, Callable[[Scenarios], float | tuple[float, ...]]] = {
    "C1a": lambda s: _hours(s.nightly("routes", 18e6).run_longest_seconds),
    "C1b": lambda s: _hours(s.routes_nightly.run_longest_seconds),
    "C2": lambda s: (
        s.triggered(s.workload("routes"), "5 min", "spark_warm").cost_usd_per_day
        / s.routes_nightly.cost_usd_per_day
    ),
    "C3a": lambda s: _seconds("5 min") / 60,
    "C3b": lambda s: _BATCH_OF_5_MIN / (_seconds("5 min") / 60),
    "C4a": lambda s: s.nightly("nightly_100gb").running_events_per_second * 60,
    "C4b": lambda s: _hours(s.nightly("nightly_100gb").latency_worst_seconds),
    "C4c": lambda s: s.hourly("hourly_4gb").running_events_per_second * 60,
    "C4d": lambda s: _hours(s.hourly("hourly_4gb").latency_worst_seconds),
    "C4e": lambda s: s.triggered(s.clicks, "1 min").sustainable_events_per_second,
    "C4f": lambda s: s.triggered(s.billion_stateless, "1 min").latency_worst_seconds,
    "C4g": lambda s: (
        s.relay.sustainable_events_per_second
        / (s.relay.design.nodes * s.engine("flink").slots_per_node)
    ),
    "C4h": lambda s: _stream_latency(s.relay),
    "C4i": lambda s: s.streaming(s.workload("relay"), "low_latency").latency_worst_seconds,
    "C5a": lambda s: s.billion_nightly.cost_usd_per_day,
    "C5b": lambda s: s.billion_streaming.cost_usd_per_day,
    "C5c": _stateful_premium,
    "C6a": lambda s: _stream_latency(s.streaming(s.clicks)),
    "C6b": lambda s: s.triggered(s.clicks, "10 s").latency_worst_seconds,
    "C6c": lambda s: s.triggered(s.clicks, "5 min").latency_worst_seconds,
    "C7a": lambda s: s.triggered(s.clicks, "1 min").events_per_run,
    "C7b": lambda s: s.triggered(s.clicks, "1 min").latency_worst_seconds,
    "C8": _two_triggers,
    "C9": lambda s: s.triggered(s.clicks, "1 min").latency_worst_seconds,
    "C10": _stateful_premium,
    "C11": lambda s: DAY_SECONDS / _seconds("40 min"),
    "C12a": lambda s: float(cost.node_hours(4, _seconds("40 min"), 1)),
    "C12b": lambda s: s.bill("40 min", 1),
    "C12c": lambda s: float(cost.node_hours(4, _seconds("5 min"), 24)),
    "C12d": lambda s: s.bill("5 min", 24),
    "C12e": lambda s: s.triggered(s.clicks, "1 min").node_hours_per_day,
    "C12f": lambda s: s.triggered(s.clicks, "1 min").cost_usd_per_day,
    "C12g": lambda s: s.streaming(s.clicks_with_state, nodes=4).cost_usd_per_day,
    "C13a": _state_values,
    "C13b": _hot_state,
    "C14": _operations,
    "C15": lambda s: state.closes_at(_seconds("5 min"), _seconds("10 min")) / 60,
    "C16": lambda s: (
        s.streaming(s.billion_stateless).cost_usd_per_day / s.billion_nightly.cost_usd_per_day
    ),
    "C17": _stateful_premium,
    "C18a": lambda s: _hours(s.nightly("orders", 4e6).run_longest_seconds),
    "C18b": lambda s: _hours(s.nightly("orders", 18e6).run_longest_seconds),
    "C18c": lambda s: s.nightly("orders", 4e6).cost_usd_per_day,
    "C19": lambda s: (
        s.streaming(s.workload("orders").at(18e6)).cost_usd_per_day
        / s.nightly("orders", 18e6).cost_usd_per_day
    ),
    "C20": lambda s: s.tier_2_path().latency_worst_seconds,
    "C21a": lambda s: s.hourly("routes").events_per_run / s.workload("routes").events_per_day,
    "C21b": lambda s: s.hourly("routes").run_mean_seconds / 60,
    "C22": lambda s: s.hourly("routes").cost_usd_per_day / s.routes_nightly.cost_usd_per_day,
}

CLAIMS = tuple(_SCENARIOS)


def figures(claim_id: str, scenarios: Scenarios | None = None) -> tuple[float, ...]:
    """The model's figures for one claim, in the claim's unit.

    Raises KeyError for an unknown id.
    """
    if claim_id not in _SCENARIOS:
        raise KeyError(f"unknown claim {claim_id!r}; known are {', '.join(CLAIMS)}")
    found = _SCENARIOS[claim_id](scenarios or Scenarios())
    return found if isinstance(found, tuple) else (found,)


def report(scenarios: Scenarios | None = None) -> pd.DataFrame:
    """`data.claims()` with two more columns: `figures` (a tuple) and `holds`.

    Kinds say what a row can prove: an output must come out of the model, a conditional under the
    reading beside it, a calibration was fitted and cannot fail, an identity is arithmetic.
    """
    table = data.claims()
    shared = scenarios or Scenarios()
    found = [figures(claim_id, shared) for claim_id in table["id"]]
    table["figures"] = found
    table["holds"] = [
        all(within(value, *ranges) for value in values)
        for values, ranges in zip(found, _ranges().values(), strict=True)
    ]
    return table


def _ranges() -> dict[str, tuple[float, float]]:
    table = data.claims()
    pairs = zip(table["low"].tolist(), table["high"].tolist(), strict=True)
    return dict(zip(table["id"].tolist(), pairs, strict=True))


def within(value: float, low: float, high: float) -> bool:
    """True inside the closed range, up to rounding in the last digits."""
    slack = 1e-9 * max(abs(low), abs(high))
    return low - slack <= value <= high + slack


def constrained_by(subject: str, field: str, move: float = 0.3) -> list[str]:
    """Claims that fail, or have no answer, when one constant moves down or up by a share.

    `data/constants.csv` records the answer for 30 %; an empty list means that the text leaves the
    constant open. A whole-numbered constant moves by at least one.
    """
    ranges = _ranges()
    mids = catalogue.constants()
    quantity = QUANTITIES.get(field)
    failed = set()
    for sign in (-1, 1):
        moved = mids[subject, field] * (1 + sign * move)
        if quantity is not None and quantity.whole:
            moved = max(1.0, mids[subject, field] + sign * max(1, round(abs(moved) * move)))
        scenarios = Scenarios({**mids, (subject, field): moved})
        for claim_id in CLAIMS:
            try:
                found = figures(claim_id, scenarios)
            except ValueError:
                failed.add(claim_id)
            else:
                if not all(within(value, *ranges[claim_id]) for value in found):
                    failed.add(claim_id)
    return [claim_id for claim_id in CLAIMS if claim_id in failed]
