"""The misconceptions behind wrong answers to lesson 5's exercise, as functions that have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tradeoff.checks.assignment import Misconception
from tradeoff.model import Consumer, Engine, Workload
from tradeoff.model.stages import STAGES
from tradeoff.scenarios.faults import RECENT
from tradeoff.scenarios.search import cheapest_path, cheapest_plan

Limits = dict[str, float]


def _hours(runs: pd.DataFrame) -> pd.Series:
    return (runs["end"] - runs["start"]).dt.total_seconds() / 3600


def _recent_hours(runs: pd.DataFrame) -> float:
    return float(_hours(runs)[-RECENT:].median())


def _volume_grew(runs: pd.DataFrame, run_window_hours: float) -> bool:
    rows = runs["rows_new"]
    return bool(rows[-RECENT:].median() > 1.5 * rows[:RECENT].median())


def _outgrew(run_window_hours: float, now: pd.DataFrame, then: pd.DataFrame) -> bool:
    """Whether runs of now miss the window, and would not at the volume of then."""
    hours = float(_hours(now).median())
    rows = float(then["rows_new"].median() / now["rows_new"].median())
    return hours > run_window_hours and hours * rows <= run_window_hours


OUTGREW_WINDOW = (
    Misconception(
        "worst for typical",
        "takes the longest run for the typical one",
        lambda runs, run_window_hours: bool(_hours(runs).max() > run_window_hours),
    ),
    Misconception(
        "too long means outgrown",
        "blames volume for every run that is too long, whether or not it grew",
        lambda runs, run_window_hours: _recent_hours(runs) > run_window_hours,
    ),
    Misconception(
        "growth means outgrown",
        "takes growth for a fault, whether or not the runs still fit",
        _volume_grew,
    ),
    Misconception(
        "mean over a growing series",
        "averages over the whole history, so that the old small runs hide today's",
        lambda runs, run_window_hours: bool(_hours(runs).mean() > run_window_hours),
    ),
    Misconception(
        "the last run for all",
        "takes the last run for what every recent one does",
        lambda runs, run_window_hours: _outgrew(run_window_hours, runs[-1:], runs[:RECENT]),
    ),
    Misconception(
        "the first run for then",
        "takes the first run for what every one did then",
        lambda runs, run_window_hours: _outgrew(run_window_hours, runs[-RECENT:], runs[:1]),
    ),
)


def _reads_more_than_it_writes(runs: pd.DataFrame) -> bool:
    recent = runs[-RECENT:]
    return bool((recent["rows_read"] > 2 * recent["rows_written"]).mean() > 0.5)


def _reads_longest(runs: pd.DataFrame) -> bool:
    return _stage_by(runs[-RECENT:]) == "read"


REREADS_SOURCE = (
    Misconception(
        "much for repeated",
        "takes reading much for reading twice",
        lambda runs: bool(runs["rows_read"][-RECENT:].median() > 10_000_000),
    ),
    Misconception(
        "written for arrived",
        "compares rows read with rows written, not with rows that arrived",
        _reads_more_than_it_writes,
    ),
    Misconception("slow reads for rereads", "takes slow reading for reading twice", _reads_longest),
    Misconception(
        "backfill for every run",
        "takes one run that read old rows for what every run does",
        lambda runs: bool((runs["rows_read"] / runs["rows_new"]).max() > 2),
    ),
)


def _stage_by(runs: pd.DataFrame) -> str:
    spent = {stage: float(runs[f"{stage}_seconds"].sum()) for stage in STAGES}
    return max(spent, key=lambda stage: spent[stage])


SLOWEST_STAGE = (
    Misconception(
        "the past for today",
        "adds up the whole history, so that what was mended still counts",
        _stage_by,
    ),
    Misconception(
        "it is always the transform",
        "blames the transform, and so the engine, without looking",
        lambda runs: "transform",
    ),
)


def _groups(consumers: pd.DataFrame, key: pd.Series) -> list[list[str]]:
    return [group["name"].tolist() for _, group in consumers.groupby(key)]


PATHS_BY_TIER = (
    Misconception(
        "deadline for tier",
        "takes a deadline for a tier",
        lambda consumers: _groups(consumers, consumers["deadline_hour"].fillna(24) <= 6),
    ),
    Misconception(
        "each deadline a path",
        "gives every deadline a path of its own",
        lambda consumers: _groups(consumers, consumers["deadline_hour"].fillna(24)),
    ),
    Misconception(
        "wish for need",
        "groups by the words consumers ask in, not by the age they can live with",
        lambda consumers: _groups(consumers, consumers["asks_for"]),
    ),
    Misconception(
        "a path for everyone",
        "builds each consumer a path of their own",
        lambda consumers: [[name] for name in consumers["name"]],
    ),
    Misconception(
        "one path for all",
        "builds one path for all, at the freshness of the most demanding",
        lambda consumers: [consumers["name"].tolist()],
    ),
)


def _diagnosis(
    runs: pd.DataFrame,
    consumers: pd.DataFrame,
    limits: Limits,
    *,
    run_hours: float | None = None,
    waits: bool = True,
    late_first: bool = False,
    runs_a_day: float | None = None,
    full: float | None = None,
) -> str:
    """A diagnosis with one mistake in it, by keyword."""
    hours = _recent_hours(runs) if run_hours is None else run_hours
    age = ((limits["interval_hours"] if waits else 0.0) + hours) * 3600
    late = float(consumers["freshness_seconds"].min()) < age
    if late_first and late:
        return "latency"
    if hours > limits["run_window_hours"]:
        return "throughput"
    if late:
        return "latency"
    daily = 24 / limits["interval_hours"] if runs_a_day is None else runs_a_day
    if float(runs["cost_usd"][-RECENT:].median()) * daily > limits["budget_usd_per_day"]:
        return "cost"
    state = runs["state_bytes"]
    if full is not None:
        grows = state.iloc[-1] > full * limits["state_limit_bytes"]
    else:
        days = (runs["start"].iloc[-1] - runs["start"].iloc[0]) / pd.Timedelta(days=1)
        soon = state.iloc[-1] + 30 * (state.iloc[-1] - state.iloc[0]) / days
        grows = soon > limits["state_limit_bytes"]
    return "state" if grows else "none"


def _worst(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, run_hours=float(_hours(runs).max()))


def _no_wait(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, waits=False)


def _symptom(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, late_first=True)


def _one_run(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, runs_a_day=1.0)


def _nearly_full(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, full=0.9)


def _never_full(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, full=1.0)


def _average(runs: pd.DataFrame, consumers: pd.DataFrame, limits: Limits) -> str:
    return _diagnosis(runs, consumers, limits, run_hours=float(_hours(runs).mean()))


FAILING_DIMENSION = (
    Misconception("symptom for cause", "takes the symptom, late data, for the cause", _symptom),
    Misconception("worst for typical", "takes the longest run for the typical one", _worst),
    Misconception(
        "the run for the age",
        "takes the time of a run for the age of an event, and forgets the wait for the next run",
        _no_wait,
    ),
    Misconception(
        "a run's bill for a day's", "compares one run's bill with a day's budget", _one_run
    ),
    Misconception(
        "full for growing", "takes state that is nearly full for state that grows", _nearly_full
    ),
    Misconception("state forgotten", "waits until the state is over its limit", _never_full),
    Misconception(
        "mean over a growing series",
        "averages over the whole history, so that the old small runs hide today's",
        _average,
    ),
)

Paths = list[dict[str, Any]]


def _stream_all(
    workload: Workload, consumers: Sequence[Consumer], engines: Sequence[Engine]
) -> Paths:
    streams = [each for each in engines if "streaming" in each.rhythms]
    found = cheapest_path(workload, tuple(consumers), tuple(streams[-1:]))
    return [] if found is None else [found[0].facts()]


def _one_path(
    workload: Workload, consumers: Sequence[Consumer], engines: Sequence[Engine]
) -> Paths:
    found = cheapest_path(workload, tuple(consumers), tuple(engines))
    return [] if found is None else [found[0].facts()]


def _always_split(
    workload: Workload, consumers: Sequence[Consumer], engines: Sequence[Engine]
) -> Paths:
    paths = []
    for tier in sorted({consumer.tier for consumer in consumers}):
        group = tuple(consumer for consumer in consumers if consumer.tier == tier)
        found = cheapest_plan(workload, group, tuple(engines))
        paths += [] if found is None else [path.facts() for path in found[0].paths]
    return paths


SMALLEST_CHANGE = (
    Misconception("streaming fixes slow", "streams everything, for everyone", _stream_all),
    Misconception(
        "one path for all", "builds one path for all, whatever two would cost", _one_path
    ),
    Misconception(
        "a path for each tier",
        "builds a path for each tier, whatever one would cost",
        _always_split,
    ),
)
