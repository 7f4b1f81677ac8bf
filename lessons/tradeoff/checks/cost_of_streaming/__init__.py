"""Lesson 3's assignment: price a pipeline three ways, find the break-even, decide."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from tradeoff.checks.assignment import Assignment, Behaviour, Case, Verdict, strategy_in
from tradeoff.checks.cost_of_streaming import mistakes
from tradeoff.checks.forms import NUMBER, Form, mapping, one_of
from tradeoff.model import words
from tradeoff.scenarios import bills, offsets
from tradeoff.scenarios.bills import Drawn

TOLERANCE = 0.01  # relative, of every sum of money
NUMBER_OR_NONE = Form(
    "a finite number, or None", lambda answer: answer is None or NUMBER.accepts(answer)
)
DESIGN_OR_NONE = Form(
    "the name of a design, or None", lambda answer: answer is None or isinstance(answer, str)
)
PARTS = ("compute", "state", "operations")
WAYS = ("nightly", "hourly", "streaming")


def _case(drawn: Drawn, size: float = 0.0) -> Case:
    return Case(drawn.given, drawn.truth, drawn.label, size)


def _near(answer: float, truth: float) -> bool:
    return math.isclose(answer, truth, rel_tol=TOLERANCE, abs_tol=1e-6)


def _usd(amount: float) -> str:
    return f"${amount:,.2f}"


def _off(case: Case, answer: dict[str, float], names: tuple[str, ...]) -> list[str]:
    """The sums that are wrong, in words."""
    return [
        f"{name} is {_usd(case.truth[name])} a day, you say {_usd(answer[name])}"
        for name in names
        if not _near(answer[name], case.truth[name])
    ]


def _price_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(40):
        kind, stateful = bills.KINDS[number % 4], number % 8 >= 4
        drawn = bills.bill(rng, kind, stateful and kind.split()[-1] != "batch")
        cases.append(_case(drawn, bills.KINDS.index(kind) + 4 * stateful))
    return cases


def _price_verdict(case: Case, answer: Any) -> Verdict:
    design = case.arguments["design"]
    off = _off(case, answer, PARTS)
    hours = case.truth["compute"] / case.arguments["prices"]["node_usd_per_hour"]
    what = (
        f"{words.count(hours)} node-hours of compute are paid a day ({design['billing']}), "
        f"nodes that stand by for state: {design['state_nodes']}"
    )
    return Verdict(not off, "; ".join([*off, what]))


def _ways_cases(rng: np.random.Generator) -> list[Case]:
    drawn = [bills.pipeline(rng) for _ in range(24)]
    return [_case(each, each.given["pipeline"]["events_per_day"]) for each in drawn]


def _ways_verdict(case: Case, answer: Any) -> Verdict:
    given = case.arguments["pipeline"]
    (few, many), (short, long) = given["trial_events"], given["trial_minutes"]
    each = (long - short) / (many - few)
    fixed = short - each * few
    what = (
        f"the trials fit {fixed:.2g} min fixed and {each * 1e6:.2g} min for a million events; "
        f"each run is paid from {given['start_up_minutes']:g} min before"
    )
    return Verdict(
        not (off := _off(case, answer, WAYS)),
        "; ".join([*off, what]),
    )


def _break_even_cases(rng: np.random.Generator) -> list[Case]:
    return [
        _case(bills.break_even(rng, kind), place)
        for place, (kind, many) in enumerate(bills.BREAK_EVENS.items())
        for _ in range(many)
    ]


def _break_even_verdict(case: Case, answer: Any) -> Verdict:
    slow, fast = case.arguments["slow"], case.arguments["fast"]
    premium = fast["usd_per_day"] - slow["usd_per_day"]
    free = case.arguments["threshold_seconds"]
    minutes = max(slow["latency_seconds"] - max(fast["latency_seconds"], free), 0) / 60
    right = (
        answer is None if case.truth is None else answer is not None and _near(answer, case.truth)
    )
    return Verdict(
        right,
        f"the premium is {_usd(premium)} a day, of 365 days; of the minutes saved {minutes:.2f} "
        f"cost something, {case.arguments['times_a_year']} times a year",
    )


def _decide_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for wanted, hangs_on, many in bills.CHOICES:
        for _ in range(many):
            drawn = bills.choice(rng, wanted, hangs_on)
            need = drawn.given["need"]
            parts = sum(
                need[name] not in (None, 0.0, 365)
                for name in ("threshold_seconds", "times_a_year", "most_usd_per_year")
            )
            cases.append(_case(drawn, parts + (need["limit_seconds"] is not None)))
    return cases


def _decide_verdict(case: Case, answer: Any) -> Verdict:
    designs, need = case.arguments["designs"], case.arguments["need"]
    total = bills.yearly(designs, need)
    ranked = sorted(total, key=lambda name: total[name])
    said = ", ".join(f"{name} {words.usd(round(total[name]))}" for name in ranked)
    limit = need["limit_seconds"]
    if not total:
        said = f"no design is within {words.duration(limit)}"
    else:
        said = f"a year of bill and lateness together: {said}"
        if len(total) < len(designs):
            said += f"; the others are beyond the limit of {words.duration(limit)}"
    return Verdict(answer == case.truth, said)


def _consumer_cases(rng: np.random.Generator) -> list[Case]:
    return [
        _case(offsets.consumer(rng, kind), place)
        for place, (kind, (_, many)) in enumerate(offsets.CONSUMERS.items())
        for _ in range(many)
    ]


def _consumer_verdict(case: Case, answer: Any) -> Verdict:
    samples = case.arguments["samples"]
    recent = samples[samples["seconds"] >= samples["seconds"].iloc[-1] - offsets.NOW]
    first, last = recent.iloc[0], recent.iloc[-1]
    moved = last - first
    lags = [int(each["end_offset"] - each["committed_offset"]) for each in (first, last)]
    return Verdict(
        answer == case.truth,
        f"in the last 5 minutes {int(moved['end_offset']):,} events arrived, "
        f"{int(moved['committed_offset']):,} were committed, and the lag went from "
        f"{lags[0]:,} to {lags[1]:,}",
    )


_small = partial(strategy_in, f"{__name__}.small")


ASSIGNMENT = Assignment(
    "cost_of_streaming",
    (
        Behaviour(
            "price",
            16,
            "Which hours are paid, those that are busy or those of the clock, and from which "
            "moment of a run? Which nodes are paid for state? How many batch pipelines' worth of "
            "people does this rhythm take?",
            _price_cases,
            _price_verdict,
            mapping(**dict.fromkeys(PARTS, NUMBER)),
            misconceptions=mistakes.PRICE,
            small=_small("price"),
            explanation=(
                "Three parts. Compute is nodes times paid hours times the price: 24 hours when "
                "always on, the runs with their start-up when a cluster is started for each, the "
                "runs alone on a warm pool. State is the nodes that stand by, around the clock, "
                "and gigabytes, whose price is a month's: divide by 30.4. Operations is the "
                "batch's people times 1, 1.25 or 2 by rhythm."
            ),
        ),
        Behaviour(
            "price_three_ways",
            14,
            "What does a run cost before its first event, and how often a day is that paid? What "
            "does the stream pay that no batch does?",
            _ways_cases,
            _ways_verdict,
            mapping(**dict.fromkeys(WAYS, NUMBER)),
            needs=("price",),
            misconceptions=mistakes.PRICE_THREE_WAYS,
            small=_small("price_three_ways"),
            explanation=(
                "Two trial runs fix a line: minutes per event are the difference of the minutes "
                "over the difference of the events, the rest is the fixed part. Nightly pays it "
                "once and hourly 24 times, each with a start-up; the work for the events of a day "
                "is the same in both. The stream pays its own nodes for 24 hours, its state, and "
                "people twice."
            ),
        ),
        Behaviour(
            "break_even",
            14,
            "Which part of the faster bill would you pay anyway? Which of the saved minutes cost "
            "something, and on how many days of the year?",
            _break_even_cases,
            _break_even_verdict,
            NUMBER_OR_NONE,
            misconceptions=mistakes.BREAK_EVEN,
            small=_small("break_even"),
            explanation=(
                "Hold like against like, both over a year. The premium is 365 times the difference "
                "of the two bills. The minutes that count are those of the slower design beyond "
                "the threshold less those of the faster one beyond it, times the occasions. Their "
                "quotient is the break-even: 0 where there is no premium, None where no minute is "
                "saved that costs anything."
            ),
        ),
        Behaviour(
            "decide",
            16,
            "For each design that is usable at all: what are its bill and what its lateness costs, "
            "together, in a year? And against which next slower design would the fastest have to "
            "earn its premium?",
            _decide_cases,
            _decide_verdict,
            DESIGN_OR_NONE,
            misconceptions=mistakes.DECIDE,
            small=_small("decide"),
            explanation=(
                "Strike what is beyond the limit; if nothing is left, the answer is None. For each "
                "of the rest add 365 bills and what its latency costs: minutes beyond the "
                "threshold, times dollars a minute, times occasions, at most what there is to "
                "lose. The smallest sum is the greatest value less premium. Where a minute costs "
                "nothing that is the cheapest, whatever anybody asks for."
            ),
        ),
        Behaviour(
            "slow_or_dead",
            10,
            "Does the committed offset still move while events wait? If it does: does the lag grow "
            "now, or is it only large?",
            _consumer_cases,
            _consumer_verdict,
            one_of("healthy", "slow", "dead"),
            misconceptions=mistakes.SLOW_OR_DEAD,
            small=_small("slow_or_dead"),
            explanation=(
                "Look at the last five minutes and at both offsets. Dead: the committed offset "
                "stands still while the newest is ahead of it. Slow: it moves, and the lag grew by "
                "more than a tenth of what arrived. Healthy: everything else, also a large lag "
                "that stands still or shrinks, and a consumer with nothing to read. Lag alone "
                "can't tell, since it grows in both emergencies."
            ),
        ),
    ),
    lesson=3,
    allows=("tradeoff.scenarios.premium",),
)
