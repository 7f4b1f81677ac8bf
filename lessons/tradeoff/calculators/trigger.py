"""Lesson 2's calculator: tune a trigger; see how old events get, and what the interval costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from tradeoff import charts
from tradeoff.calculators.calculator import Calculator, Steps, choice
from tradeoff.charts.trigger import BEHIND, LATE, SERVES
from tradeoff.model import Billing, Cadence, Evaluation, evaluate, words
from tradeoff.model.quantities import DAY_SECONDS
from tradeoff.scenarios import triggers
from tradeoff.scenarios.triggers import ASAP, INTERVALS

EVENTS_PER_DAY = tuple(
    number * 10.0**power for power in (4, 5, 6, 7, 8, 9) for number in (1, 2, 5, 8.64)
)
OVERHEADS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
TOLERANCES = (
    *("500 ms", "1 s", "2 s", "5 s", "10 s", "15 s", "30 s"),
    *("1 min", "2 min", "3 min", "5 min", "10 min", "15 min", "30 min", "1 h", "2 h"),
)
NODES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
BILLINGS = {
    "always on": Billing.ALWAYS_ON.value,
    "warm pool, paid per busy second": Billing.WARM.value,
}
UNITS = ((2 * 3600.0, 3600.0, "hours"), (2 * 60.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
HIGHEST_LINE = 4.0  # a tolerance further above the teeth would flatten them


@dataclass(frozen=True)
class Settings:
    """One trigger; the defaults are the text's one-minute example. See `triggers.pipeline`."""

    every: str = "1 min"
    events_per_day: float = 86.4e6
    overhead_seconds: float = 5.0
    tolerance: str = "2 min"
    billing: str = Billing.ALWAYS_ON.value
    nodes: int = 4

    def __post_init__(self) -> None:
        if self.every not in (ASAP, *INTERVALS):
            raise ValueError(f"every must be one of {[ASAP, *INTERVALS]}, got {self.every!r}")
        if self.tolerance not in TOLERANCES:
            raise ValueError(f"tolerance must be one of {list(TOLERANCES)}, got {self.tolerance!r}")
        if self.billing not in BILLINGS.values():
            raise ValueError(
                f"billing must be one of {list(BILLINGS.values())}, got {self.billing!r}"
            )

    def evaluated(self, every: str) -> Evaluation:
        return evaluate(
            triggers.pipeline(
                self.events_per_day,
                every,
                billing=self.billing,
                overhead_seconds=self.overhead_seconds,
                nodes=self.nodes,
                tolerance=self.tolerance,
            )
        )


@dataclass(frozen=True)
class Outcome:
    """What the model says of a setting.

    Attributes
    ----------
    found : the evaluation of the chosen trigger.
    curve : `triggers.over_intervals`, the same pipeline at every interval.
    asap, hourly : the evaluations without a trigger, and as an hourly batch.
    """

    settings: Settings
    found: Evaluation
    curve: pd.DataFrame
    asap: Evaluation
    hourly: Evaluation

    @property
    def latency_worst_seconds(self) -> float:
        return float(self.found.latency_worst_seconds)

    @property
    def cost_usd_per_day(self) -> float:
        return float(self.found.cost_usd_per_day)

    @cached_property
    def largest(self) -> dict[str, Any] | None:
        """The row of the largest interval that serves; None if none does."""
        return triggers.largest_serving(self.curve)

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        tolerance = float(Cadence.every(self.settings.tolerance).interval_seconds)
        worst = self.latency_worst_seconds
        size, unit = next((size, unit) for least, size, unit in UNITS if worst >= least)
        teeth = triggers.saw_tooth(self.found) if self.found.keeps_up else pd.DataFrame()
        in_view = tolerance <= HIGHEST_LINE * worst
        name = f"tolerance {self.settings.tolerance}"
        over = "" if in_view else f"{name}: far above this picture"
        if not self.found.keeps_up:
            over = "falls behind: events get older all day"
        return {
            "teeth": [
                {
                    "batch": row["batch"],
                    "at": _short(row["arrival_seconds"] / size),
                    "age": _short(row["age_seconds"] / size),
                }
                for row in teeth.to_dict("records")
            ],
            "limits": [{"age": _short(tolerance / size), "name": name}] if in_view else [],
            "curve": [
                {
                    "seconds": row["interval_seconds"],
                    "usd": _short(row["cost_usd_per_day"]),
                    "verdict": SERVES if row["serves"] else LATE if row["keeps_up"] else BEHIND,
                }
                for row in self.curve.to_dict("records")
            ],
            "marks": [
                _mark(self.found, "chosen", words.usd(round(self.cost_usd_per_day))),
                _mark(self.asap, "other", "as soon as possible"),
                _mark(self.hourly, "other", "hourly batch"),
            ],
            "notes": [
                {
                    "x": f"arrival of the event ({unit} since a batch started, busiest hour)",
                    "y": f"age when visible ({unit})",
                    "over": over,
                    "seconds": self.largest["interval_seconds"] if self.largest else 0,
                    "largest": f"largest that serves: {self.largest['every']}"
                    if self.largest
                    else "",
                }
            ],
        }

    @property
    def meaning(self) -> str:
        said = "".join(f"<li>{line}</li>" for line in self._lines())
        served = "served" if self.found.serves else "<b>not served</b>"
        return (
            f'<div role="status"><b>{words.duration(self.latency_worst_seconds)} at worst, '
            f"{words.usd(round(self.cost_usd_per_day))} a day.</b> A consumer who accepts "
            f"{self.settings.tolerance} is {served}.<ul>{said}</ul></div>"
        )

    @property
    def idle(self) -> tuple[str, ...]:
        return ()

    def _lines(self) -> list[str]:
        found, asap = self.found, self.asap
        batch = triggers.settled(found)
        share = triggers.overhead_share(batch)
        pool = " (with 2 s to get its nodes)" if self.settings.billing == Billing.WARM else ""
        lines = [
            f"A batch holds {words.count(batch.events_per_run)} events and runs "
            f"{words.duration(batch.run_mean_seconds)}, of which {share:.0%} is overhead{pool}."
        ]
        if not found.keeps_up:
            lines.append("It falls behind all day: it needs more nodes.")
        elif not found.fits_window and self.settings.every != ASAP:
            period = words.duration(triggers.period_seconds(found))
            lines.append(f"Batches outlast the interval: at the peak one starts every {period}.")
        lines.append(self._best())
        lines.append(
            f"As soon as possible: {words.duration(asap.latency_worst_seconds)} at worst, "
            f"{words.usd(round(asap.cost_usd_per_day))} a day, "
            f"{words.count(DAY_SECONDS / _period(asap))} batches."
        )
        if self.hourly.serves:
            where = "the same pool" if self.settings.billing == Billing.WARM else "its own cluster"
            lines.append(
                f"An hourly batch on {where} serves too, for "
                f"{words.usd(round(self.hourly.cost_usd_per_day))} a day."
            )
        return lines

    def _best(self) -> str:
        tolerance, largest = self.settings.tolerance, self.largest
        if largest is None:
            stream = evaluate(triggers.stream(self.found.design))
            what = "answers" if stream.serves else "gets no lower than"
            return (
                f"<b>No interval serves {tolerance}.</b> An event waits for a batch and its own "
                f"batch runs. A stream {what} "
                f"{'in ' if stream.serves else ''}{words.duration(stream.latency_worst_seconds)}, "
                f"for {words.usd(round(stream.cost_usd_per_day))} a day."
            )
        cost = float(largest["cost_usd_per_day"])
        ratio = self.cost_usd_per_day / cost
        beside = "what this one costs" if 0.995 < ratio < 1.005 else f"this costs {ratio:.2g} ×"
        if largest["every"] == self.settings.every:
            return f"It is the <b>largest interval</b> here that serves {tolerance}."
        return (
            f"The <b>largest interval</b> here that serves {tolerance} is <b>{largest['every']}"
            f"</b>: {words.usd(round(cost))} a day, {beside}."
        )


def _period(found: Evaluation) -> float:
    """Mean time between two batches: what arrives in it is what a batch holds."""
    return float(found.events_per_run / found.design.workload.events_per_second)


def _mark(found: Evaluation, what: str, label: str) -> dict[str, Any]:
    return {
        "seconds": _short(found.design.cadence.interval_seconds or _period(found)),
        "usd": _short(found.cost_usd_per_day),
        "label": label,
        "what": what,
    }


def _short(number: float) -> float:
    return float(f"{number:.5g}")


def solve(settings: Settings) -> Outcome:
    """Evaluate a setting. Raises ValueError, a sentence, where the model has no answer."""
    found = settings.evaluated(settings.every)
    return Outcome(
        settings,
        found,
        triggers.over_intervals(found.design),
        settings.evaluated(ASAP),
        evaluate(triggers.hourly_batch(found.design)),
    )


_LOW: dict[str, Any] = {"events_per_day": 1e6, "billing": Billing.WARM.value}
PRESETS = {
    "Under 5 min: 30 s": Settings("30 s", tolerance="5 min", **_LOW),
    "Under 5 min: 4 min": Settings("4 min", tolerance="5 min", **_LOW),
    "In doubt: 1 min": Settings(),
    "Sub-second": Settings("500 ms", tolerance="1 s"),
    "Very low volume": Settings("1 min", 1e5, tolerance="2 h", billing=Billing.WARM.value),
    "An hour will do": Settings("1 min", tolerance="2 h"),
    "Spark's default": Settings(ASAP, tolerance="5 min", **_LOW),
}


def trigger(**settings: Any) -> Calculator:
    """The trigger tuner, with the settings (fields of `Settings`) as given.

    Raises ValueError or TypeError for a setting that it does not have or that no control has.
    """
    return Calculator(
        "calculators.trigger",
        Settings(**settings),
        PRESETS,
        {
            "every": Steps("Trigger every", (ASAP, *INTERVALS), str),
            "events_per_day": Steps("Events a day", EVENTS_PER_DAY, words.count),
            "overhead_seconds": Steps("Overhead a batch", OVERHEADS, words.duration),
            "tolerance": Steps("Consumer accepts", TOLERANCES, str),
            "billing": choice("Billing", BILLINGS),
            "nodes": Steps("Nodes", NODES, str),
        },
        solve,
        charts.trigger_tuner("teeth", "limits", "curve", "marks", "notes"),
    )
