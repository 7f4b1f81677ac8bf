"""Lesson 5's graded exercise: six functions that diagnose pipelines and redesign them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.checks.assignment import Assignment, Behaviour, Case, Verdict, strategy_in
from tradeoff.checks.forms import TRUE_OR_FALSE, Form, list_of, one_of
from tradeoff.checks.when_batch_outgrows_itself import mistakes
from tradeoff.model import Design, evaluate, words
from tradeoff.model.stages import STAGES
from tradeoff.scenarios import faults
from tradeoff.scenarios.faults import FITS, RECENT, TROUBLES, History

# A plan may cost this much more than the cheapest one found and still be right.
COST_TOLERANCE = 0.10
NAMES = list_of(Form("a string", lambda answer: isinstance(answer, str)))
FAILING = ("latency", "throughput", "state", "cost", "none")


def _fit_and_trouble(rng: np.random.Generator, fails: str) -> tuple[str, str]:
    if fails == "throughput":
        return str(rng.choice(FITS[1:])), "none"
    return "fits", fails


def _size(history: History) -> float:
    """Plain pipelines first: level volume, nothing reread, little data."""
    return float(history.rereads) + history.runs["rows_read"].max() / 1e12


def _outgrew_cases(rng: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    drawn_of = dict.fromkeys(FITS, 0)
    for number in range(40):
        fit = FITS[(0, 1, 0, 1, 2, 1)[number % 6]]
        place, drawn_of[fit] = drawn_of[fit], drawn_of[fit] + 1
        # Odd first and last runs in every kind of pipeline, alike for every seed.
        drawn = faults.history(
            rng,
            fit,
            bool(rng.integers(2)),
            str(rng.choice(STAGES)),
            TROUBLES[0],
            first=("heavy", "light", "usual", "heavy", "light")[place % 5],
            last=("light", "struck", "light", "usual", "struck")[(2 * place + place // 5) % 5],
        )
        hours = drawn.limits["run_window_hours"]
        cases.append(
            Case(
                {"runs": drawn.runs.drop(columns="state_bytes"), "run_window_hours": hours},
                drawn.outgrown,
                drawn.label,
                _size(drawn),
            )
        )
    return cases


def _outgrew_verdict(case: Case, answer: Any) -> Verdict:
    runs = case.arguments["runs"]
    hours = (runs["end"] - runs["start"]).dt.total_seconds() / 3600
    rows = runs["rows_new"]
    return Verdict(
        answer == case.truth,
        f"a run of the last {RECENT} takes {hours[-RECENT:].median():.2f} h at the median, the "
        f"window is {case.arguments['run_window_hours']:g} h; median rows that arrived before a "
        f"run went from {words.count(rows[:RECENT].median())} to "
        f"{words.count(rows[-RECENT:].median())}",
    )


def _rereads_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(40):
        fails = str(rng.choice(FAILING))
        fit, trouble = _fit_and_trouble(rng, fails)
        drawn = faults.history(rng, fit, number % 2 == 0, str(rng.choice(STAGES)), trouble)
        runs = drawn.runs.drop(columns="state_bytes")
        if number % 10 in NEAR_TWICE:
            runs = _reading(runs, rng.uniform(*NEAR_TWICE[number % 10]))
        cases.append(Case({"runs": runs}, drawn.rereads, drawn.label, _size(drawn)))
    return cases


# Of every ten cases two near the edge: so many rows read for each new one.
NEAR_TWICE = {4: (2.5, 2.8), 5: (1.2, 1.3)}


def _reading(runs: pd.DataFrame, times: float) -> pd.DataFrame:
    """The same runs when a typical one reads so many rows for each new one."""
    ratio = (runs["rows_read"] / runs["rows_new"]).tail(RECENT).median()
    return runs.assign(rows_read=(runs["rows_read"] * times / ratio).round().astype("int64"))


def _rereads_verdict(case: Case, answer: Any) -> Verdict:
    recent = case.arguments["runs"][-RECENT:]
    ratio = float((recent["rows_read"] / recent["rows_new"]).median())
    return Verdict(
        answer == case.truth,
        f"a recent run reads {ratio:.2f} rows for each that arrived since the run before",
    )


def _stage_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(42):
        fails = str(rng.choice(FAILING))
        fit, trouble = _fit_and_trouble(rng, fails)
        drawn = faults.history(rng, fit, bool(rng.integers(2)), STAGES[number % 3], trouble)
        runs = drawn.runs.drop(columns="state_bytes")
        cases.append(Case({"runs": runs}, drawn.slowest_stage, drawn.label, _size(drawn)))
    return cases


def _stage_verdict(case: Case, answer: Any) -> Verdict:
    recent = case.arguments["runs"][-RECENT:]
    spent = {stage: float(recent[f"{stage}_seconds"].median()) for stage in STAGES}
    total = sum(spent.values())
    shares = ", ".join(f"{stage} {seconds / total:.0%}" for stage, seconds in spent.items())
    return Verdict(answer == case.truth, f"of a recent run's seconds: {shares}")


def _paths_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for _ in range(40):
        table, groups = faults.readers_by_tier(rng)
        cases.append(Case({"consumers": table}, groups, f"{len(groups)} tier(s)", len(table)))
    return cases


def _paths_verdict(case: Case, answer: Any) -> Verdict:
    given = sorted(sorted(group) for group in answer)
    named = sorted(name for group in answer for name in group)
    wanted = sorted(case.arguments["consumers"]["name"])
    if named != wanted:
        return Verdict(False, f"each consumer belongs to one path; you placed {named}")
    return Verdict(
        given == sorted(sorted(group) for group in case.truth),
        f"{len(answer)} path(s) for {len(case.truth)} tier(s)",
    )


def _failing_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(50):
        fit, trouble = _fit_and_trouble(rng, FAILING[number % 5])
        drawn = faults.history(rng, fit, bool(rng.integers(2)), str(rng.choice(STAGES)), trouble)
        runs = drawn.runs
        if number % 10 == SLOWLY:
            limit = drawn.limits["state_limit_bytes"]
            runs = runs.assign(state_bytes=_filling(runs, limit, rng.uniform(45, 90)))
        arguments = {"runs": runs, "consumers": drawn.consumers, "limits": drawn.limits}
        cases.append(Case(arguments, drawn.fails, drawn.label, _size(drawn)))
    return cases


SLOWLY = FAILING.index("none")  # of every ten cases one whose state grows, but not that fast


def _filling(runs: pd.DataFrame, limit: float, days: float) -> pd.Series:
    """State that grows steadily from nothing and passes the limit so many days after the last."""
    age = (runs["start"] - runs["start"].iloc[0]) / pd.Timedelta(days=1)
    return (limit * age / (age.iloc[-1] + days)).round().astype("int64")


def _failing_verdict(case: Case, answer: Any) -> Verdict:
    runs, limits = case.arguments["runs"], case.arguments["limits"]
    recent = runs[-RECENT:]
    hours = (recent["end"] - recent["start"]).dt.total_seconds().median() / 3600
    age = limits["interval_hours"] + hours
    need = case.arguments["consumers"]["freshness_seconds"].min() / 3600
    bill = recent["cost_usd"].median() * 24 / limits["interval_hours"]
    state = runs["state_bytes"].iloc[-1] / limits["state_limit_bytes"]
    before = runs["state_bytes"].iloc[0] / limits["state_limit_bytes"]
    return Verdict(
        answer == case.truth,
        f"a run takes {hours:.2f} h of a window of {limits['run_window_hours']:g} h; an event is "
        f"{age:.2f} h old at worst, the freshest need is {need:.2f} h; a day costs "
        f"{words.usd(bill)}, the budget is {words.usd(limits['budget_usd_per_day'])}; state went "
        f"from {before:.0%} to {state:.0%} of its limit",
    )


def _change_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(15):
        drawn = faults.redesign(rng, split=(True, False, None)[number % 3])
        tiers = sorted(consumer.tier for consumer in drawn.consumers)
        cases.append(
            Case(
                {
                    "workload": drawn.workload,
                    "consumers": list(drawn.consumers),
                    "engines": list(drawn.engines),
                },
                drawn.best_paths,
                f"consumers of tier {', '.join(map(str, tiers))}",
                len(tiers) + drawn.best_usd_per_day / 1e6,
            )
        )
    return cases


def _change_verdict(case: Case, answer: Any) -> Verdict:
    if not isinstance(answer, list) or not answer:
        return Verdict(False, "expected a list of paths, each `design.facts()`")
    served: set[str] = set()
    bill = 0.0
    for facts in answer:
        if not isinstance(facts, dict):
            return Verdict(False, "expected each path as `design.facts()`")
        try:
            path = Design.from_facts(facts, **case.arguments)
        except (ValueError, TypeError) as error:
            return Verdict(False, f"a path could not be built: {error}")
        found = evaluate(path)
        bill += found.cost_usd_per_day
        if not found.serves:
            return Verdict(False, found.sentence)
        served |= {consumer.name for consumer in path.consumers}
    missing = {consumer.name for consumer in case.arguments["consumers"]} - served
    if missing:
        return Verdict(False, f"nobody serves {', '.join(sorted(missing))}")
    least = sum(
        evaluate(Design.from_facts(facts, **case.arguments)).cost_usd_per_day
        for facts in case.truth
    )
    return Verdict(
        bill <= least * (1 + COST_TOLERANCE),
        f"it serves everyone at {words.usd(bill)} a day; {words.usd(least)} is enough",
    )


def _same_shape(answer: Any, wrong: Any) -> bool:
    """Whether two plans have the same paths: who shares one, and in which rhythm."""

    def shape(paths: Any) -> list[tuple[str, list[str]]]:
        return sorted((path["rhythm"], sorted(path["consumers"])) for path in paths)

    return shape(answer) == shape(wrong)


_small = partial(strategy_in, f"{__name__}.small")


ASSIGNMENT = Assignment(
    "when_batch_outgrows_itself",
    (
        Behaviour(
            "outgrew_window",
            10,
            "Do typical recent runs fit the window, and would they at the volume of the first "
            "weeks? One bad night is not a trend, and a slower run at the same volume is not "
            "growth.",
            _outgrew_cases,
            _outgrew_verdict,
            TRUE_OR_FALSE,
            misconceptions=mistakes.OUTGREW_WINDOW,
            small=_small("outgrew_window"),
            explanation=(
                "Two conditions, both about typical runs: the median of the last 28 run "
                "times is beyond the window, and the same median scaled by rows then over"
                " rows now is within it. The median keeps one bad night from deciding; "
                "the second condition tells volume that grew from a run that became "
                "slower at the same volume, for which a shorter cadence is no cure."
            ),
        ),
        Behaviour(
            "rereads_source",
            10,
            "How many rows does a run read for each row that arrived since the run before? Big "
            "reads are fine when much arrived.",
            _rereads_cases,
            _rereads_verdict,
            TRUE_OR_FALSE,
            misconceptions=mistakes.REREADS_SOURCE,
            small=_small("rereads_source"),
            explanation=(
                "Divide rows read by rows that arrived since the run before, run by run, "
                "and take the median of the last 28: an incremental run stays near 1 with"
                " a little look-back, one that rebuilds a day or a month reads a "
                "multiple. Rows read alone say how large a source is, not whether it is "
                "read twice; one backfill is not what every run does."
            ),
        ),
        Behaviour(
            "slowest_stage",
            10,
            "Of a recent run's seconds, which stage takes the most? If it is reading or writing, "
            "another engine does not help.",
            _stage_cases,
            _stage_verdict,
            one_of(*STAGES),
            misconceptions=mistakes.SLOWEST_STAGE,
            small=_small("slowest_stage"),
            explanation=(
                "Add up the seconds of each stage over the last 28 runs and take the "
                "largest. Older runs are left out since what was slow then may have been "
                "mended. Where the largest is reading or writing, another engine would "
                "leave it as it is."
            ),
        ),
        Behaviour(
            "paths_by_tier",
            10,
            "How old may the data be for each consumer? A deadline, a wish in words and a share "
            "of the events are not a tier.",
            _paths_cases,
            _paths_verdict,
            list_of(NAMES),
            misconceptions=mistakes.PATHS_BY_TIER,
            small=_small("paths_by_tier"),
            explanation=(
                "Turn each consumer's freshness_seconds into a tier with tier_of and "
                "group the names by it. A deadline is a time by which yesterday is "
                "complete, a wish is words, a share is how much a path carries: none of "
                "them says how old the data may be."
            ),
        ),
        Behaviour(
            "failing_dimension",
            12,
            "Which figure is beyond its limit: the run against its window, the age of an event "
            "against the freshest need, the state's growth against its limit, the day's bill "
            "against its budget? When runs do not fit, lateness is only a symptom.",
            _failing_cases,
            _failing_verdict,
            one_of(*FAILING),
            needs=("outgrew_window",),
            misconceptions=mistakes.FAILING_DIMENSION,
            small=_small("failing_dimension"),
            explanation=(
                "Ask in this order. Does the median recent run fit its window? If not it "
                "is throughput, and late data is its symptom. Is an event older than the "
                "freshest need: the interval it waits, then the run? Do a day's runs, 24 "
                "/ interval_hours of them, cost more than the budget? Does state at its "
                "own pace of growth pass the limit within 30 days? Level state near its "
                "limit is none of this."
            ),
        ),
        Behaviour(
            "smallest_change",
            18,
            "Is every consumer served, and is there a cheaper way: a longer interval, fewer "
            "nodes, one path instead of two, or two instead of one?",
            _change_cases,
            _change_verdict,
            needs=("paths_by_tier",),
            misconceptions=mistakes.SMALLEST_CHANGE,
            alike=_same_shape,
            explanation=(
                "Try every way of grouping the consumers into paths. For a group, narrow "
                "the workload to its largest share, sweep nodes and intervals for every "
                "engine and rhythm, drop the rows that do not keep up, let state grow or "
                "miss a need or a deadline, and keep the cheapest. The plan is the "
                "grouping with the smallest sum: sometimes one path for all, sometimes "
                "two."
            ),
        ),
    ),
    lesson=5,
)
