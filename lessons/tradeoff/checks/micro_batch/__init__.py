"""Lesson 2's exercise: predict, price and choose a trigger; see when micro-batch is wrong."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tradeoff.checks.assignment import Assignment, Behaviour, Case, Verdict, strategy_in
from tradeoff.checks.forms import NUMBER, Form, list_of, mapping, one_of
from tradeoff.checks.micro_batch import mistakes
from tradeoff.scenarios import micro_batches
from tradeoff.scenarios.micro_batches import (
    ALWAYS_ON,
    ASAP,
    BEHIND,
    BUSY,
    COMMITS,
    FITS,
    HOUR,
    LOOPS,
    OVERRUNS,
    RHYTHMS,
    SITUATIONS,
    TRIGGERS,
)

TOLERANCE = 0.02  # of each latency and of a day's cost; the tasks say so
AGES = mapping(p50_seconds=NUMBER, worst_seconds=NUMBER)
ORDERS = list_of(NUMBER)


def or_none(form: Form) -> Form:
    return Form(f"{form.words}, or None", lambda answer: answer is None or form.accepts(answer))


def _near(answer: float, truth: float) -> bool:
    return abs(answer - truth) <= TOLERANCE * abs(truth)


def _said(seconds: float) -> str:
    return f"{seconds:,.4g} s"


def _work(given: dict[str, Any]) -> str:
    share = given["seconds_per_event"] * given["events_per_second"]
    return f"in each second {share:.2f} s of event work arrive"


def loop_case(drawn: micro_batches.Loop) -> Case:
    truth = None
    if drawn.period is not None and drawn.run is not None:
        truth = {
            "p50_seconds": drawn.period / 2 + drawn.run,
            "worst_seconds": drawn.period + drawn.run,
        }
    size = LOOPS.index(drawn.kind) * 1e6 + (drawn.period or 0.0)
    return Case(drawn.arguments, truth, _loop_label(drawn.kind), size)


def _loop_label(kind: str) -> str:
    return {
        FITS: "batches end before the next is due",
        OVERRUNS: "batches outlast their interval",
        ASAP: "no trigger is set",
        BEHIND: "work arrives faster than it is done",
    }[kind]


def _latencies_cases(rng: np.random.Generator) -> list[Case]:
    kinds = [FITS] * 16 + [OVERRUNS] * 10 + [ASAP] * 6 + [BEHIND] * 6
    return [loop_case(micro_batches.loop(rng, kind)) for kind in kinds]


def _latencies_verdict(case: Case, answer: Any) -> Verdict:
    truth, work = case.truth, _work(case.arguments)
    if truth is None:
        return Verdict(answer is None, f"{work}: it falls further behind with every batch")
    period = 2 * (truth["worst_seconds"] - truth["p50_seconds"])
    run = truth["worst_seconds"] - period
    why = f"{work}; a batch starts every {_said(period)} and runs {_said(run)}"
    if answer is None:
        return Verdict(False, f"{why}: it keeps up")
    right = all(_near(answer[name], value) for name, value in truth.items())
    ages = f"median {_said(truth['p50_seconds'])}, worst {_said(truth['worst_seconds'])}"
    return Verdict(right, f"{why}: {ages} (within {TOLERANCE:.0%} is right)")


def bill_case(drawn: micro_batches.Loop, nodes: int, price: float, billing: str) -> Case:
    assert drawn.period is not None
    assert drawn.run is not None
    hours = 24.0 if billing == ALWAYS_ON else 24 * drawn.run / drawn.period
    given = {
        **drawn.arguments,
        "nodes": nodes,
        "usd_per_node_hour": price,
        "billing": billing,
    }
    label = f"{billing}, {_loop_label(drawn.kind)}"
    return Case(given, hours * nodes * price, label, LOOPS.index(drawn.kind) * 1e6 + drawn.period)


def _cost_cases(rng: np.random.Generator) -> list[Case]:
    kinds = [(ALWAYS_ON, FITS)] * 9 + [(ALWAYS_ON, OVERRUNS)] * 2 + [(ALWAYS_ON, ASAP)] * 2
    kinds += [(BUSY, FITS)] * 16 + [(BUSY, OVERRUNS)] * 6 + [(BUSY, ASAP)] * 3
    return [
        bill_case(
            micro_batches.loop(rng, kind),
            int(rng.integers(2, 12)),
            float(np.round(rng.uniform(0.5, 20), 2)),
            billing,
        )
        for billing, kind in kinds
    ]


def _cost_verdict(case: Case, answer: Any) -> Verdict:
    given = case.arguments
    hours = case.truth / given["nodes"] / given["usd_per_node_hour"]
    return Verdict(
        _near(answer, case.truth),
        f"billing is {given['billing']!r}: a node is paid {hours:.2f} h a day at "
        f"{given['usd_per_node_hour']:g} dollars, nodes: {given['nodes']}, in all "
        f"{case.truth:,.2f} dollars "
        f"(within {TOLERANCE:.0%} is right)",
    )


def _choose_cases(rng: np.random.Generator) -> list[Case]:
    drawn = [
        micro_batches.choice(rng, kind)
        for kind, number in zip(TRIGGERS, (11, 9, 6, 7, 5), strict=True)
        for _ in range(number)
    ]
    return [
        Case(
            each.arguments,
            each.truth,
            each.kind,
            TRIGGERS.index(each.kind) * 100.0 + len(each.arguments["intervals"]),
        )
        for each in drawn
    ]


def _choose_verdict(case: Case, answer: Any) -> Verdict:
    given = case.arguments
    busiest = max(given["events_per_hour"]) / HOUR
    share = busiest * given["seconds_per_event"]
    tolerance = f"an event may be {_said(given['tolerance_seconds'])} old"
    peak = f"the busiest hour has {busiest:,.4g} events a second"
    right = answer == case.truth
    if share >= 1:
        return Verdict(right, f"{peak}, {share:.2f} s of work each second: no trigger keeps up")
    settled = given["overhead_seconds"] / (1 - share)
    looked_at = case.truth if answer is None else answer
    if looked_at is None:
        return Verdict(right, f"{tolerance}; {peak}: no interval on offer serves")
    period = max(settled, float(looked_at))
    worst = period + given["overhead_seconds"] + share * period
    said = f"{tolerance}; {peak}, and with a trigger of {_said(float(looked_at))} the worst is "
    said += _said(worst)
    if looked_at not in given["intervals"]:
        said += "; and it is not on offer"
    elif period > looked_at:
        said += ", since its batches outlast it"
    elif not right and answer is not None and worst <= given["tolerance_seconds"]:
        said += "; it serves, and so does a larger one"
    return Verdict(right, said)


def situation_case(drawn: micro_batches.Situation) -> Case:
    return Case(
        {"situation": drawn.facts},
        drawn.rhythm,
        drawn.kind,
        list(SITUATIONS).index(drawn.kind) + (drawn.facts["state_bytes"] > 0) * 0.5,
    )


def _rhythm_cases(rng: np.random.Generator) -> list[Case]:
    # Mostly micro-batch: hardly a stream needs an hour, so the need alone tells the others apart.
    numbers = zip(SITUATIONS, (4, 4, 5, 11, 12, 11), strict=True)
    return [
        situation_case(micro_batches.situation(rng, kind))
        for kind, number in numbers
        for _ in range(number)
    ]


def _rhythm_verdict(case: Case, answer: Any) -> Verdict:
    facts = case.arguments["situation"]
    fixed = facts["overhead_seconds"] + facts["state_bytes"] / facts["snapshot_bytes_per_second"]
    share = facts["events_per_second"] * facts["seconds_per_event"]
    return Verdict(
        answer == case.truth,
        f"the need is {_said(facts['freshness_seconds'])}; an hourly batch gives "
        f"{_said(HOUR + fixed + share * HOUR)} at worst, a micro-batch without a pause "
        f"{_said(2 * fixed / (1 - share))} (a batch's fixed part is {_said(fixed)})",
    )


def log_case(drawn: micro_batches.BatchLog, keyed: bool) -> Case:
    sink = "keyed" if keyed else "appends"
    label = f"{drawn.commit}, the mail sink {'is keyed' if keyed else 'appends'}"
    return Case(
        {"log": drawn.table, "mail_sink": sink}, drawn.truth(keyed), label, len(drawn.attempts)
    )


def _replayed_cases(rng: np.random.Generator) -> list[Case]:
    return [
        log_case(micro_batches.batch_log(rng, COMMITS[number % 3]), number % 4 == 3)
        for number in range(36)
    ]


def _replayed_verdict(case: Case, answer: Any) -> Verdict:
    for name, truth in case.truth.items():
        if sorted(answer[name]) != truth:
            what = name.replace("_", " ")
            return Verdict(
                False,
                f"{what}: {_listed(truth)}, you have {_listed(sorted(answer[name]))}; the mail "
                f"sink: {case.arguments['mail_sink']}",
            )
    return Verdict(True, "every order is where it belongs")


def _listed(orders: list[int]) -> str:
    shown = ", ".join(f"{order:g}" for order in orders[:12])
    noun = "order" if len(orders) == 1 else "orders"
    return f"{noun} {shown}{' …' if len(orders) > 12 else ''}" if orders else "none"


_small = partial(strategy_in, f"{__name__}.small")


ASSIGNMENT = Assignment(
    "micro_batch",
    (
        Behaviour(
            "latencies",
            18,
            "How long does an event wait for the next batch, at worst and in the middle, and how "
            "long does its own batch then run? Does a batch end before the next one is due, and if "
            "not, at what period do the batches settle?",
            _latencies_cases,
            _latencies_verdict,
            or_none(AGES),
            misconceptions=mistakes.LATENCIES,
            small=_small("latencies"),
            explanation=(
                "The work that arrives in a second, rate times seconds per event, is the share of "
                "time that events take. At 1 or more nothing keeps up. Otherwise a batch of period "
                "P runs overhead + share x P, so batches without a pause settle where P is that "
                "run: overhead / (1 - share). The period is the interval or that, whichever is "
                "longer. Worst is period + run, the median half a period + run."
            ),
        ),
        Behaviour(
            "cost_per_day",
            12,
            "Who is paid while nothing runs? On a pool, how many seconds of a day are batches "
            "busy, overhead and events together, and can that be more than the day has?",
            _cost_cases,
            _cost_verdict,
            NUMBER,
            misconceptions=mistakes.COST_PER_DAY,
            small=_small("cost_per_day"),
            explanation=(
                "Always on, nodes are paid for 24 hours whatever the trigger. By the busy second, "
                "a day has 86,400 / interval batches, each with its overhead, and all of the day's "
                "events; where that is more than the day, or no trigger is set, nodes are busy all "
                "day. Busy hours times nodes times price."
            ),
        ),
        Behaviour(
            "choose_trigger",
            15,
            "In the busiest hour of the day, is an event that just missed a batch young enough "
            "when its own batch has ended? Which is the largest interval of which that is true, "
            "if there is one?",
            _choose_cases,
            _choose_verdict,
            or_none(NUMBER),
            needs=("latencies",),
            misconceptions=mistakes.CHOOSE_TRIGGER,
            small=_small("choose_trigger"),
            explanation=(
                "Take the events of the busiest hour over 3,600 as the rate. For each interval on "
                "offer ask for its worst latency: the wait, the run, and the stretched period "
                "where batches outlast it. Keep those within the tolerance and return the largest; "
                "None when none is left. The list is in no order."
            ),
        ),
        Behaviour(
            "right_rhythm",
            15,
            "How old is an event at worst with an hourly batch, and with a micro-batch that never "
            "pauses, snapshots of its state included? Which is the slowest rhythm that is still "
            "fresh enough? Words, side effects and skills change none of these numbers.",
            _rhythm_cases,
            _rhythm_verdict,
            one_of(*RHYTHMS),
            needs=("latencies",),
            misconceptions=mistakes.RIGHT_RHYTHM,
            small=_small("right_rhythm"),
            explanation=(
                "A batch's fixed part is its overhead and writing its state. With it, `latencies` "
                "at 3,600 s gives the worst of an hourly batch, and without a trigger the best "
                "worst that micro-batch can do. Hourly if the first is within the need, else "
                "micro-batch if the second is, else streaming. Side effects need a keyed sink in "
                "every rhythm, and a wish is no need."
            ),
        ),
        Behaviour(
            "replayed",
            15,
            "From where does the batch after a crash start? For each order: how often did a batch "
            "that held it write its result, and how often was its mail sent, if the sink does not "
            "drop what it knows?",
            _replayed_cases,
            _replayed_verdict,
            mapping(lost=ORDERS, counted_twice=ORDERS, mailed_twice=ORDERS),
            misconceptions=mistakes.REPLAYED,
            small=_small("replayed"),
            explanation=(
                "Go through the attempts and keep two counts for each order: results, raised for "
                "all orders of an attempt whose result was written; and mails, raised for the "
                "first `mailed` of an attempt. No result: lost. More than one: counted twice. More "
                "than one mail: mailed twice, unless the sink is keyed. Offset before result "
                "loses, result before offset doubles, one transaction does neither, and none of "
                "them covers the mail."
            ),
        ),
    ),
    lesson=2,
)
