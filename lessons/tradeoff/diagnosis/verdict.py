"""The diagnosis of a pipeline from its run history: what fails, since when, what to change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.diagnosis import advice, causes, fitted, growth, options, questions, rhythm
from tradeoff.diagnosis.fitted import CannotPrice, Fitted
from tradeoff.diagnosis.growth import Crossing
from tradeoff.diagnosis.history import History, HistoryError, history
from tradeoff.diagnosis.options import Option, Workshop
from tradeoff.diagnosis.questions import Check, Finding, Limits, Served, Then
from tradeoff.model import Consumer, Rhythm, State, engine, words
from tradeoff.model.cost import OPERATIONS_FACTOR
from tradeoff.model.quantities import Quantity, check, seconds

NUMBER = re.compile(r"[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Diagnosis:
    """What a run history says of its pipeline. The four answers are there at once; trend, dates,
    options and advice are worked out when they are first asked for.

    Attributes
    ----------
    name : what the pipeline is called.
    history : the runs as they were understood, and what was set aside.
    limits : what the pipeline was held against.
    consumers : who reads the result; empty when nobody said.
    findings : `volume`, `rereading`, `freshness`, `stage` (the four questions), `peak` and
        `rhythm` (what a typical run does not show), and `dimension`.
    checks : each dimension against its limit.
    served : what each consumer gets today.
    instead : the batch that a loop on a cluster that never sleeps is held against, if any serves.
    """

    name: str
    history: History
    limits: Limits
    consumers: tuple[Consumer, ...]
    findings: Mapping[str, Finding]
    checks: Mapping[str, Check]
    served: tuple[Served, ...]
    then: Then = field(repr=False)
    given: Mapping[str, Any] = field(repr=False)
    instead: Option | None = field(default=None, repr=False)

    @property
    def outgrown(self) -> bool | None:
        """True when volume has outgrown the run window; None when that can't be told."""
        return _yes(self.findings["volume"])

    @property
    def slowed(self) -> bool:
        """True when runs miss the window because they became slower at the same volume."""
        figures = self.findings["volume"].figures
        return self.outgrown is False and (
            figures.get("run_hours_at_old_volume", 0.0) > self.limits.run_window_hours
        )

    @property
    def rereads(self) -> bool | None:
        """True when a run reads a multiple of what is new; None when that can't be told."""
        return _yes(self.findings["rereading"])

    @property
    def slowest_stage(self) -> str | None:
        """read, transform or write; None when that can't be told."""
        return _word(self.findings["stage"])

    @property
    def fails(self) -> str | None:
        """throughput, latency, cost, state or none; None when that can't be told."""
        return _word(self.findings["dimension"])

    @property
    def failing(self) -> tuple[str, ...]:
        """Every dimension beyond its limit; the first is the one that `fails`."""
        return tuple(name for name in questions.DIMENSIONS if self.checks[name].side == "above")

    @property
    def shared(self) -> bool | None:
        """True when consumers of several tiers share the pipeline; None when nobody is named."""
        return _yes(self.findings["freshness"])

    @property
    def cause(self) -> str | None:
        """What makes it fail, by name (`diagnosis.causes`); None when that can't be told."""
        return causes.cause(self)

    @cached_property
    def trend(self) -> growth.Trend:
        """How run time moves with the calendar."""
        return growth.trend(self.history)

    @cached_property
    def dates(self) -> list[Crossing]:
        """When run time passes the window and each consumer's limit, the nearest limit first."""
        return growth.crossings(self.trend, advice.limits_of_a_run(self))

    @cached_property
    def fit(self) -> Fitted | None:
        """The pipeline in the model's words; None when the history does not allow it."""
        fit = self._fit
        return fit if isinstance(fit, Fitted) else None

    @cached_property
    def unpriced(self) -> str | None:
        """Why no option is priced; None when they are."""
        fit = self._fit
        return None if isinstance(fit, Fitted) else fit

    @cached_property
    def _fit(self) -> Fitted | str:
        since = self.findings["volume"].figures.get("slower_since_run", 0.0)
        try:
            return fitted.fitted(
                self.history, self.then, self.limits, since_run=int(since), **self.given
            )
        except CannotPrice as error:
            return str(error)

    @cached_property
    def workshop(self) -> Workshop | None:
        """Where other designs are built and priced; None when the history does not allow it."""
        if self.fit is None:
            return None
        start = int(np.median(self.then.recent.groupby("day")["hour"].min()))
        return Workshop(self.fit, self.limits, self.consumers, start)

    @cached_property
    def options(self) -> list[Option]:
        """Today's pipeline and every kind of change at its best, smallest first."""
        return advice.options_of(self)

    @cached_property
    def smallest(self) -> Option | None:
        """The smallest change that serves every consumer; None when none does or can be told."""
        return options.smallest(self.options) if self.fails is not None else None

    @cached_property
    def headline(self) -> str:
        """What is the matter, in one sentence with its figures."""
        return advice.headline(self)

    @cached_property
    def recommendation(self) -> str:
        """What to do and what it costs beside today, or what to find out first."""
        return advice.recommendation(self)

    @cached_property
    def would_change(self) -> list[str]:
        """What would make another option the right one, one sentence each."""
        return advice.would_change(self)

    @property
    def assumed(self) -> list[str]:
        """What was taken for granted because neither columns nor arguments said it."""
        window = [] if self.limits.window_given else ["a run may last until the next one starts"]
        if self.fit is None:
            return window
        kept = f"every design has room for {options.HEADROOM - 1:.0%} more rows"
        people = [
            words.usd(engine("spark_ephemeral").operations_usd_per_day * OPERATIONS_FACTOR[mode])
            for mode in (Rhythm.BATCH.value, Rhythm.STREAMING.value)
        ]
        prices = (
            f"start-up, other engines' speed and people's time ({' to '.join(people)} a day for "
            "each path) are the course's constants"
        )
        return [*window, *self.fit.assumed, kept, prices]

    @property
    def notes(self) -> list[str]:
        """How columns were understood, which rows were set aside, and one-off long runs."""
        odd = int(questions.spikes(self.history.runs).sum())
        once = (
            f"{odd} one-off run{'s' * (odd > 1)} of {questions.SPIKE:g} times the neighbours' time "
            "or more: no trend, and left out of the fit"
        )
        return [*self.history.said, *map(str, self.history.aside), *([once] if odd else [])]

    def table(self) -> pd.DataFrame:
        """The whole diagnosis as rows: columns part, name, verdict, usd_per_day and says.

        `part` is finding, date, option, change, assumed or data; `usd_per_day` is NaN but for
        options.
        """
        findings, nan = self.findings.items(), float("nan")
        rows = [
            *(("finding", topic, one.verdict, one.says, nan) for topic, one in findings),
            *(("date", one.limit, one.when, one.says, nan) for one in self.dates),
            *(
                (
                    "option",
                    one.name,
                    "serves" if one.serves else "does not serve",
                    "; ".join((one.how, *one.missed)),
                    one.usd_per_day[1],
                )
                for one in self.options
            ),
            *(("change", "", "", says, nan) for says in self.would_change),
            *(("assumed", "", "", says, nan) for says in self.assumed),
            *(("data", "", "", says, nan) for says in self.notes),
        ]
        table = pd.DataFrame(rows, columns=["part", "name", "verdict", "says", "usd_per_day"])
        return table[["part", "name", "verdict", "usd_per_day", "says"]]


def diagnose(
    runs: pd.DataFrame,
    consumers: pd.DataFrame | Iterable[Consumer] | None = None,
    *,
    name: str = "pipeline",
    columns: Mapping[str, str] | None = None,
    run_window_hours: float | None = None,
    interval_hours: float | None = None,
    budget_usd_per_day: float | None = None,
    state_limit_bytes: float | None = None,
    nodes: int | None = None,
    peak_factor: float | None = None,
    state: State | None = None,
) -> Diagnosis:
    """Diagnose a pipeline from the history of its runs.

    Parameters
    ----------
    runs : one row a run. Columns as `data.order_runs` documents them, and `state_bytes`; start and
        end (or a duration) are needed, each other one lets more be told. Other names are guessed,
        and `diagnosis.notes` says which; `read_runs` makes such a table of a file.
    consumers : `Consumer` objects, or a DataFrame with name and freshness_seconds, and perhaps
        deadline_hour (local o'clock) and share.
    name : what the pipeline is called.
    columns : documented name to the export's own, where the guess would be wrong.
    run_window_hours : the longest a run may take; without it, until the next one starts.
    interval_hours : hours between starts; without it, their median in the history.
    budget_usd_per_day, state_limit_bytes : None where nothing limits them.
    nodes : nodes of today's cluster, for options; without it, from its price an hour.
    peak_factor : the busiest hour over the mean; without it, from hourly runs, or the course's.
    state : what a stream of this logic would have to remember; None: nothing.

    Raises HistoryError (a ValueError) with a sentence for columns that are missing or wrong, and
    what `quantities.check` raises for a limit.
    """
    known = history(runs, columns)
    readers = tuple(_consumers(consumers))
    limits = _limits(known, run_window_hours, interval_hours, budget_usd_per_day, state_limit_bytes)
    then = questions.then_and_now(known, limits.interval_hours)
    served = tuple(questions.served(then, limits, readers))
    checks = questions.checks(then, known, limits, served, bool(readers))
    at_peak = rhythm.peak(then, limits, rhythm.busiest(then, limits))
    checks["throughput"] = rhythm.at_the_peak(checks["throughput"], at_peak, then, limits)
    findings = {
        "volume": questions.outgrown(then, limits),
        "rereading": questions.rereads(then, known),
        "freshness": questions.freshness(served, bool(readers)),
        "stage": questions.slowest_stage(then, known),
        "peak": at_peak,
    }
    given = {"nodes": nodes, "peak_factor": peak_factor, "state": state}
    found = Diagnosis(name, known, limits, readers, findings, checks, served, then, given)
    # Only a loop is priced at once: whether somebody needs it is a question of its price.
    workshop = found.workshop if limits.interval_hours < 1 else None
    findings["rhythm"], instead = rhythm.needed(workshop, limits, bool(readers))
    checks["cost"] = rhythm.not_wasted(checks["cost"], findings["rhythm"])
    findings["dimension"] = questions.fails(checks)
    return replace(found, instead=instead)


def _yes(finding: Finding) -> bool | None:
    return finding.verdict == "yes" if finding.decided else None


def _word(finding: Finding) -> str | None:
    return finding.verdict if finding.decided else None


def _limits(
    known: History,
    window: float | None,
    interval: float | None,
    budget: float | None,
    state: float | None,
) -> Limits:
    """The limits as given; the interval is the median time between recent starts unless given."""
    if interval is None:
        apart = (
            known.runs["start"].diff().tail(4 * questions.RECENT).dt.total_seconds().dropna() / 3600
        )
        interval = float(f"{apart.median():.3g}") if len(apart) else 24.0
    interval = check("interval_hours", interval, Quantity("hours", above=0))
    return Limits(
        interval,
        interval
        if window is None
        else check("run_window_hours", window, Quantity("hours", above=0)),
        window is not None,
        None if budget is None else check("budget_usd_per_day", budget),
        None if state is None else check("state_limit_bytes", state, Quantity("bytes", above=0)),
    )


def _consumers(given: pd.DataFrame | Iterable[Consumer] | None) -> list[Consumer]:
    if given is None:
        return []
    if isinstance(given, pd.DataFrame):
        lacking = [column for column in ("name", "freshness_seconds") if column not in given]
        if lacking:
            raise HistoryError(
                f"the consumers lack {' and '.join(lacking)}: they have "
                f"{', '.join(map(str, given.columns))}. A consumer needs a name and "
                "freshness_seconds (the oldest its data may be), and may have deadline_hour and "
                "share"
            )
        return [_consumer(row) for row in given.to_dict("records")]
    readers = list(given)
    if not all(isinstance(one, Consumer) for one in readers):
        raise TypeError(f"consumers must be a DataFrame or Consumer objects, got {readers!r}")
    return readers


def _consumer(row: Mapping[Any, Any]) -> Consumer:
    def number(column: str) -> float | None:
        value = row.get(column)
        return None if value is None or pd.isna(value) or value == "" else float(value)

    try:
        need, share = row["freshness_seconds"], number("share")
        in_words = isinstance(need, str) and not NUMBER.fullmatch(need.strip())  # "15 min"
        return Consumer.needing(
            str(row["name"]),
            seconds("freshness_seconds", need if in_words else float(need)),
            number("deadline_hour"),
            1.0 if share is None else share,
        )
    except (TypeError, ValueError) as error:
        raise HistoryError(f"consumer {row['name']!r}: {error}") from error
