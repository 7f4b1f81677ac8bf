"""Lesson 1's exercise: take the metrics off a log, fit an overhead, find what constrains."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tradeoff.checks.assignment import Assignment, Behaviour, Case, Verdict, strategy_in
from tradeoff.checks.forms import NUMBER, TEXT, Form, list_of, mapping, one_of
from tradeoff.checks.latency_vs_throughput import mistakes
from tradeoff.model import words
from tradeoff.scenarios import measured
from tradeoff.scenarios.measured import BINDS, DEAR, FINE, LATE, OVERLOADS

# Of each figure; the tasks say so.
LATENCY_TOLERANCE, RATE_TOLERANCE, FIT_TOLERANCE, SIZE_TOLERANCE = 0.02, 0.01, 0.1, 0.01

SIZES_OR_NONE = Form(
    "[smallest, largest] as two whole numbers, or None",
    lambda answer: (
        answer is None
        or (
            isinstance(answer, list)
            and len(answer) == 2
            and all(NUMBER.accepts(each) and each == int(each) for each in answer)
        )
    ),
)
FIGURES = {
    "p50_seconds": "the median end-to-end latency",
    "p99_seconds": "the 99th percentile of end-to-end latency",
    "processing_seconds": "the mean processing latency",
    "events_per_second": "throughput",
    "usd_per_million_events": "the cost of a million events",
    "overhead_seconds": "the overhead of a batch",
    "seconds_per_event": "the time of one event",
}


def _near(answer: float, truth: float, tolerance: float) -> bool:
    return abs(answer - truth) <= tolerance * abs(truth)


def _figures_verdict(case: Case, answer: Any, tolerance: float) -> Verdict:
    """Every figure of a dictionary within a tolerance; the first that is off is named."""
    for name, truth in case.truth.items():
        if not _near(answer[name], truth, tolerance):
            return Verdict(
                False,
                f"{FIGURES[name]} is {truth:.4g}, you have {answer[name]:.4g} "
                f"(within {tolerance:.0%} is right)",
            )
    return Verdict(True)


def _log_label(log: measured.Log) -> str:
    waiting = len(log.table) - log.visible
    return f"{waiting} events still waiting" if waiting else "every event became visible"


def _latencies_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(30):
        log = measured.event_log(rng, still_waiting=number % 2 == 0)
        truth = {
            "p50_seconds": log.p50_seconds,
            "p99_seconds": log.p99_seconds,
            "processing_seconds": log.processing_seconds,
        }
        size = len(log.table) + 1_000.0 * (log.visible < len(log.table))
        cases.append(Case({"log": log.table}, truth, _log_label(log), size))
    return cases


def _latencies_verdict(case: Case, answer: Any) -> Verdict:
    return _figures_verdict(case, answer, LATENCY_TOLERANCE)


def _throughput_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(30):
        log = measured.event_log(rng, still_waiting=number % 2 == 0)
        usd_per_hour = float(np.round(10 ** rng.uniform(-1, 2), 2))
        truth = {
            "events_per_second": log.visible / log.span_seconds,
            "usd_per_million_events": usd_per_hour * log.span_seconds / 3_600 / log.visible * 1e6,
        }
        size = len(log.table) + 1_000.0 * (log.visible < len(log.table))
        given = {"log": log.table, "usd_per_hour": usd_per_hour}
        cases.append(Case(given, truth, _log_label(log), size))
    return cases


def _throughput_verdict(case: Case, answer: Any) -> Verdict:
    return _figures_verdict(case, answer, RATE_TOLERANCE)


def _fit_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for _ in range(30):
        drawn = measured.batch_timings(rng)
        truth = {
            "overhead_seconds": drawn.overhead_seconds,
            "seconds_per_event": drawn.seconds_per_event,
        }
        label = f"batches of {drawn.table['events'].nunique()} sizes"
        cases.append(Case({"batches": drawn.table}, truth, label, float(len(drawn.table))))
    return cases


def _fit_verdict(case: Case, answer: Any) -> Verdict:
    return _figures_verdict(case, answer, FIT_TOLERANCE)


def _sizes_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(40):
        # Three in five cases have an answer that is not None.
        drawn = measured.batch_sizes(rng, measured.SIZING[(0, 1, 0, 2, 0)[number % 5]])
        cases.append(Case(drawn.given, drawn.served, drawn.label, drawn.largest))
    return cases


def _sizes_verdict(case: Case, answer: Any) -> Verdict:
    given, truth = case.arguments, case.truth
    if answer is None or truth is None:
        return Verdict(answer is None and truth is None, _about_sizes(given, truth or answer))
    right = all(
        abs(mine - true) <= max(1.0, SIZE_TOLERANCE * true)
        for mine, true in zip(answer, truth, strict=True)
    )
    return Verdict(right, _about_sizes(given, answer))


def _about_sizes(given: dict[str, float], sizes: list[float] | None) -> str:
    """What batches of the given sizes do at the case's rate."""
    if sizes is None:
        busy = given["events_per_second"] * given["seconds_per_event"]
        return f"without their overhead, events would keep the loop busy {busy:.0%} of the time"
    said = []
    for size in sizes:
        gathering = size / given["events_per_second"]
        took = given["overhead_seconds"] + size * given["seconds_per_event"]
        oldest = (size - 1) / given["events_per_second"] + took
        said.append(
            f"a batch of {size:,.0f} takes {took:.4g} s, the next {size:,.0f} events arrive in "
            f"{gathering:.4g} s, its oldest event waits and works {oldest:.4g} s of "
            f"{given['within_seconds']:.4g} s allowed"
        )
    return "; ".join(said)


def _frontier_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(30):
        drawn = measured.design_table(rng, twins=number % 2 == 0)
        label = f"{len(drawn.designs)} designs, {len(drawn.frontier)} on the frontier"
        size = float(len(drawn.designs))
        cases.append(Case({"designs": drawn.designs}, drawn.frontier, label, size))
    return cases


def _frontier_verdict(case: Case, answer: Any) -> Verdict:
    table = case.arguments["designs"].set_index("design")
    if unknown := sorted(set(answer) - set(table.index)):
        return Verdict(False, f"no design is named {unknown[0]!r}")
    if len(set(answer)) < len(answer):
        return Verdict(False, "a design is named twice")
    if left_out := sorted(set(case.truth) - set(answer)):
        return Verdict(
            False,
            f"you left out {left_out[0]} ({_place(table.loc[left_out[0]])}): no design that keeps "
            "up is at least as good in both and better in one",
        )
    if extra := sorted(set(answer) - set(case.truth)):
        mine = table.loc[extra[0]]
        if not mine["keeps_up"]:
            return Verdict(False, f"{extra[0]} does not keep up: its latency has no bound")
        better = next((name for name in case.truth if _beats(table.loc[name], mine)), None)
        return Verdict(
            False,
            f"{extra[0]} ({_place(mine)}) is beaten"
            + (f" by {better} ({_place(table.loc[better])})" if better else ""),
        )
    return Verdict(True)


def _place(design: Any) -> str:
    return (
        f"{words.duration(float(design['latency_seconds']))}, "
        f"{design['usd_per_million_events']:.4g} dollars a million"
    )


def _beats(one: Any, other: Any) -> bool:
    axes = ["latency_seconds", "usd_per_million_events"]
    return bool((one[axes] <= other[axes]).all() and (one[axes] < other[axes]).any())


def _constraining_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    # As many of each dimension as of each other, and of its kinds in turn.
    kinds = (OVERLOADS, LATE, DEAR, FINE)
    for number in range(48):
        chosen = kinds[number % 4]
        label = chosen[number // 4 % len(chosen)]
        day = measured.pipeline_day(rng, label)
        given = {"hours": day.hours, "targets": day.targets}
        size = float(list(BINDS).index(label))
        cases.append(Case(given, day.binds, day.label, size))
    return cases


def _constraining_verdict(case: Case, answer: Any) -> Verdict:
    hours, targets = case.arguments["hours"], case.arguments["targets"]
    busiest = hours.loc[hours["arrived_events"].idxmax()]
    unit = hours["usd"].sum() / hours["visible_events"].sum() * 1e6
    return Verdict(
        answer == case.truth,
        f"in the busiest hour, from {busiest['hour']:.0f} o'clock, "
        f"{busiest['visible_events'] / busiest['arrived_events']:.0%} of the events that arrived "
        f"became visible; the worst hour's p99 is {words.duration(hours['p99_seconds'].max())} of "
        f"{words.duration(targets['within_seconds'])} allowed; over the day a million events cost "
        f"{unit:.3g} dollars of {targets['usd_per_million_events']:.3g}",
    )


_small = partial(strategy_in, f"{__name__}.small")


ASSIGNMENT = Assignment(
    "latency_vs_throughput",
    (
        Behaviour(
            "latencies",
            12,
            "From when until when is each latency, and what of the events that nobody has seen "
            "yet? They have waited, too.",
            _latencies_cases,
            _latencies_verdict,
            mapping(p50_seconds=NUMBER, p99_seconds=NUMBER, processing_seconds=NUMBER),
            misconceptions=mistakes.LATENCIES,
            small=_small("latencies"),
            explanation=(
                "End-to-end latency runs from arrival until visible, so the wait before and the "
                "commit after belong to it; processing latency is only started to done. An event "
                "that is not visible yet has waited from its arrival until the log ends: fill its "
                "missing time with the last visible one before you take the quantiles. Leave it "
                "out and you measure only those that got through."
            ),
        ),
        Behaviour(
            "throughput_and_cost",
            12,
            "How many events became visible, in how much time by the clock, and how long were the "
            "machines paid?",
            _throughput_cases,
            _throughput_verdict,
            mapping(events_per_second=NUMBER, usd_per_million_events=NUMBER),
            misconceptions=mistakes.THROUGHPUT_AND_COST,
            small=_small("throughput_and_cost"),
            explanation=(
                "Throughput counts events that became visible and divides by the time from the "
                "first arrival to the last event made visible; the clock need not start at zero. "
                "Machines that are always on are paid for that whole time, idle or not: their "
                "price by the hour, times the hours, shared by the visible events, times a million."
            ),
        ),
        Behaviour(
            "fit_overhead",
            12,
            "A millisecond off is nothing in a long batch and everything in a short one: which "
            "batches does your fit listen to, and what would each batch take without its events?",
            _fit_cases,
            _fit_verdict,
            mapping(overhead_seconds=NUMBER, seconds_per_event=NUMBER),
            misconceptions=mistakes.FIT_OVERHEAD,
            small=_small("fit_overhead"),
            explanation=(
                "Fit t(n) = overhead + n × cost by least squares in relative error: divide both "
                "sides by the measured seconds, so that 1/t times the overhead plus n/t times the "
                "cost of an event should be 1, and solve that. In absolute error the largest "
                "batches decide and the overhead is lost in their scatter. Two sizes, each "
                "averaged over its timings, give both constants, too."
            ),
        ),
        Behaviour(
            "batch_sizes",
            12,
            "Is a batch done before the next one is full? And how old is its first event when it "
            "becomes visible: what did it wait for, and what then?",
            _sizes_cases,
            _sizes_verdict,
            SIZES_OR_NONE,
            needs=("fit_overhead",),
            misconceptions=mistakes.BATCH_SIZES,
            small=_small("batch_sizes"),
            explanation=(
                "It keeps up when overhead + n × cost is at most n / rate: n is at least rate × "
                "overhead / (1 − rate × cost), and no size does when rate × cost reaches 1. The "
                "first event waits (n − 1) / rate for the last and then the batch; solve for the "
                "largest n within the need. Round the smallest up and the largest down; when they "
                "cross, no size serves."
            ),
        ),
        Behaviour(
            "frontier",
            10,
            "For each design: does it keep up, and is there another that keeps up, is at least as "
            "good in both figures and better in one? Two that are alike are not better.",
            _frontier_cases,
            _frontier_verdict,
            list_of(TEXT),
            misconceptions=mistakes.FRONTIER,
            small=_small("frontier"),
            explanation=(
                "Drop what does not keep up: its latency has no bound. Then keep each design that "
                "no other beats, where beating means at least as good in latency and in cost and "
                "better in one of them. Two that are alike do not beat each other; a tie in one "
                "figure does not save the worse in the other; and no weighted sum is needed, since "
                "that would already be a choice."
            ),
        ),
        Behaviour(
            "constraining_dimension",
            12,
            "Does it keep up in its busiest hour? Only if so, are events late in its worst hour? "
            "Only if not, what did a million events cost over the whole day?",
            _constraining_cases,
            _constraining_verdict,
            one_of("throughput", "latency", "cost", "none"),
            misconceptions=mistakes.CONSTRAINING_DIMENSION,
            small=_small("constraining_dimension"),
            explanation=(
                "Ask in this order. In the busiest hour, are fewer than 95 % of the events that "
                "arrived made visible? Then throughput constrains, and late events are its "
                "symptom; over a day the night would hide it. Else, is any hour's p99 beyond the "
                "need? That is latency. Else divide the day's dollars by the day's events, "
                "not hour by hour, and compare with the budget."
            ),
        ),
    ),
    lesson=1,
    # The fit and the batches that keep up, the frontier, and lesson 1's reading of an event log.
    forbids=(
        "tradeoff.model.amortise",
        "tradeoff.model.frontier.efficient",
        "tradeoff.lab.commits.four_metrics",
    ),
)
