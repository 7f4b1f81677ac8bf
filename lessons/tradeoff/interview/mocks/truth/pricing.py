"""What is asked about the price of a design: numbers, judged by the model."""

from __future__ import annotations

from tradeoff.interview.mocks.truth.board import Board
from tradeoff.interview.mocks.truth.case import Case, Estimate
from tradeoff.interview.mocks.truth.estimates import WITHIN, as_shown, usd, usd_parts
from tradeoff.interview.numbers import Drawn
from tradeoff.scenarios.worth import DAYS_PER_YEAR

SMALL = 1.0  # USD a day: as near to today's bill, the bill itself is asked for


def prices(case: Case, board: Board) -> tuple[Estimate, ...]:
    """Two numbers: what the design costs a year, and how a stream for everything compares."""
    return (_a_year(case, board), _stream(case) or _budget(case))


def _a_year(case: Case, board: Board) -> Estimate:
    bill, today = board.usd_per_day, case.now.usd_per_day
    if abs(bill - today) < SMALL:
        return Estimate(
            f"Your board costs {usd(bill)} a day, as today. What is that in a year?",
            Drawn({}, bill * DAYS_PER_YEAR, "USD", WITHIN, f"{usd(bill)} x {DAYS_PER_YEAR:g} days"),
            "premium",
        )
    apart = abs(as_shown(bill) - as_shown(today))
    more = "more" if bill > today else "less"
    return Estimate(
        f"Your board costs {usd(bill)} a day, {more} than today's {usd(today)}. "
        f"How much {more} is that in a year?",
        Drawn({}, apart * DAYS_PER_YEAR, "USD", WITHIN, f"{usd(apart)} x {DAYS_PER_YEAR:g} days"),
        "premium",
    )


def _stream(case: Case) -> Estimate | None:
    stream = case.remedy("streaming")
    if stream is None:
        return None
    (one,) = stream.board.found
    engine, today = one.design.engine, case.now.usd_per_day
    nodes = int(one.design.nodes)
    whole, compute = one.cost_usd_per_day, one.compute_usd_per_day
    _, beside = usd_parts(whole, compute, whole - compute)
    for_state = ", its state included" if one.state_usd_per_day else ""
    return Estimate(
        f"Somebody will ask for everything on Flink: {nodes} nodes around the clock at "
        f"{engine.node_usd_per_hour:.3g} USD a node-hour, and {beside} a day beside the "
        f"nodes{for_state}. How many times today's {usd(today)} a day is that?",
        Drawn(
            {},
            one.cost_usd_per_day / today,
            "times",
            WITHIN,
            f"{nodes} x 24 h x {engine.node_usd_per_hour:.3g} USD + {beside} = "
            f"{usd(one.cost_usd_per_day)} a day, over {usd(today)}",
        ),
        "premium",
    )


def _budget(case: Case) -> Estimate:
    today, budget = case.now.usd_per_day, case.problem.budget_usd_per_day
    return Estimate(
        f"Today's bill is {usd(today)} a day, the budget {usd(budget)}. How many times the budget "
        "is it?",
        Drawn({}, today / budget, "times", WITHIN, f"{usd(today)} / {usd(budget)}"),
        "premium",
    )
