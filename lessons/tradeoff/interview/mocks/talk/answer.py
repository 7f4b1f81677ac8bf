"""The model answer to a case, written from its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from tradeoff.interview.mocks.talk.wording import plain
from tradeoff.interview.mocks.truth.board import TOUCHES, Sketch, described, evaluated
from tradeoff.interview.mocks.truth.case import Case
from tradeoff.interview.mocks.truth.changes import changes
from tradeoff.interview.mocks.truth.estimates import as_shown, usd
from tradeoff.interview.mocks.truth.facts import reader
from tradeoff.interview.mocks.truth.remedies import MARGIN, REMEDIES
from tradeoff.model.quantities import HOUR_SECONDS


@dataclass(frozen=True)
class Considered:
    """One kind of change as the model answer lists it."""

    name: str
    design: str
    bill: str
    verdict: str


def answer(case: Case) -> tuple[tuple[str, str], ...]:
    """Headings and paragraphs, in the order in which one would say them."""
    right, problem = case.right, case.problem
    numbers = "; ".join(
        f"{one.drawn.answer_in_words} ({one.drawn.because})" for one in case.estimates
    )
    touches = ", ".join(TOUCHES[name] for name in TOUCHES if name in right.option.touches)
    change = f"{REMEDIES[right.name][:1].upper()}{REMEDIES[right.name][1:]}"
    apart = as_shown(right.usd_per_day) - as_shown(case.now.usd_per_day)
    more = "more" if apart > 0 else "less"
    said = "the same as today" if abs(apart) < 1 else f"{usd(abs(apart))} {more} than today"
    return tuple(
        (heading, plain(text))
        for heading, text in (
            ("What fails", case.because),
            ("The numbers", f"{numbers}."),
            (
                "The change",
                f"{change}: {described(right.sketch)}. It changes {touches}; all else stays."
                if touches
                else f"{change}: {described(right.sketch)}. Nothing is changed.",
            ),
            (
                "The price",
                f"{usd(right.usd_per_day)} a day, {said}; the budget is "
                f"{usd(problem.budget_usd_per_day)}.{_hourly(case)}",
            ),
            (
                "The consumers",
                " ".join(f"Tier {one.tier}. {reader(one)}" for one in problem.consumers),
            ),
            (
                "What would change it",
                " ".join(
                    f"{one.moved[:1].upper()}{one.moved[1:]}: {one.says}" for one in changes(case)
                ),
            ),
        )
    )


def _hourly(case: Case) -> str:
    """What the common hourly run costs, where a longer interval does."""
    (*others, path) = case.right.sketch.paths
    if others or path.rhythm != "batch" or not (path.interval_seconds or 0) > HOUR_SECONDS:
        return ""
    if path.interval_seconds == case.problem.today.paths[0].interval_seconds:
        return ""
    board = evaluated(case.problem, Sketch((path.but(interval_seconds=HOUR_SECONDS),)))
    serves = "serves, too" if board.serves else "passes a limit"
    return f" Hourly {serves}, at {usd(board.usd_per_day)} a day: each run pays its start-up."


def considered(case: Case) -> tuple[Considered, ...]:
    """Every kind of change at its best, the right one first, and what is against each other one."""
    right = case.right
    rows = [right, *(one for one in case.remedies if one is not right)]
    found = []
    for one in rows:
        if one is right:
            verdict = "right: serves everyone, and nothing smaller does"
        elif one.option.missed:
            verdict = "; ".join(one.option.missed)
        elif set(one.option.touches) > set(right.option.touches) and right.option.touches:
            verdict = "serves, and changes more than need be"
        else:
            verdict = f"serves, at {one.usd_per_day / right.usd_per_day:.2g} times the bill"
        found.append(
            Considered(
                one.name, described(one.sketch), f"{usd(one.usd_per_day)} a day", plain(verdict)
            )
        )
    return tuple(found)


def by_margin() -> str:
    """What "right" means here, in a sentence."""
    return (
        "Each kind of change stands at its cheapest that serves everyone, the budget left aside; "
        "where none does, at the one that comes closest. The right one is the smallest that keeps "
        "every limit; each other one passes a limit, or costs more, by at least "
        f"{MARGIN:.0%}, or holds the right one and changes more."
    )
