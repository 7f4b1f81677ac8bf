"""Plain cases for lesson 2's exercise: round numbers, few batches, one death.

Each function is a Hypothesis strategy that shrinks to the plainest case.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tradeoff.checks.assignment import Case
from tradeoff.checks.micro_batch import bill_case, log_case, loop_case, situation_case
from tradeoff.scenarios import micro_batches
from tradeoff.scenarios.micro_batches import (
    ALWAYS_ON,
    ASAP,
    BEHIND,
    BUSY,
    COMMITS,
    EFFECTS,
    FITS,
    HOUR,
    HOURS,
    LOOPS,
    OVERRUNS,
    REACHED,
    SNAPSHOT,
    TWO_RUNS,
    WISHES,
    BatchLog,
    Loop,
)

SHARES = st.sampled_from([0.5, 0.2])
RATES = st.sampled_from([100.0, 1_000.0])


def _loop(kind: str, tens: int, share: float, rate: float) -> Loop:
    share = 2.0 if kind == BEHIND else share
    return micro_batches.loop_of(kind, 10.0 * tens, share, 0.5, rate)


def _loops(kinds: tuple[str, ...] = LOOPS) -> SearchStrategy[Loop]:
    return st.builds(
        _loop, kind=st.sampled_from(kinds), tens=st.integers(1, 30), share=SHARES, rate=RATES
    )


def latencies() -> SearchStrategy[Case]:
    return st.builds(loop_case, _loops())


def cost_per_day() -> SearchStrategy[Case]:
    return st.builds(
        bill_case,
        _loops((FITS, OVERRUNS, ASAP)),
        nodes=st.sampled_from([1, 4]),
        price=st.sampled_from([1.0, 12.0]),
        billing=st.sampled_from([ALWAYS_ON, BUSY]),
    )


def _choice(
    tolerance: int, share: float, overhead: int, offered: list[int], ratio: int
) -> Case | None:
    """Every hour is alike but the last, the busiest; each interval is tried in turn.

    None where a worst age lies so near the tolerance that rounding could decide.
    """
    worst = {}
    for interval in (10.0 * tens for tens in offered):
        period = max(interval, overhead / (1 - share))
        worst[interval] = period + share * period + overhead
    if any(abs(age / tolerance - 1) < 0.02 for age in worst.values()):
        return None
    given: dict[str, Any] = {
        "tolerance_seconds": float(tolerance),
        "intervals": list(worst),
        "overhead_seconds": float(overhead),
        "seconds_per_event": share / 1_000,
        "events_per_hour": [3_600_000 // ratio] * 23 + [3_600_000],
    }
    truth = max((each for each, age in worst.items() if age < tolerance), default=None)
    return Case(given, truth, "a plain day, its last hour the busiest")


def choose_trigger() -> SearchStrategy[Case]:
    made = st.builds(
        _choice,
        tolerance=st.integers(10, 400),
        share=SHARES,
        overhead=st.sampled_from([4, 8, 16]),
        offered=st.lists(st.integers(1, 30), min_size=1, max_size=3, unique=True),
        ratio=st.sampled_from([1, 4]),
    )
    return made.filter(lambda case: case is not None)  # type: ignore[return-value]


def _situation(
    kind: str, overhead: int, snapshot: int, share: float, wish: str, effect: str, knows: str
) -> Case:
    snapshot = max(overhead, snapshot) if kind == SNAPSHOT else snapshot
    fixed, written = float(overhead + snapshot), 1e8
    period, hourly = fixed / (1 - share), HOUR * (1 + share) + fixed
    need = {
        TWO_RUNS: 1.5 * period,
        SNAPSHOT: (2 * overhead / (1 - share) + 2 * period) / 2,
        REACHED: 3 * period,
        HOURS: 2 * hourly,
    }.get(kind, (HOUR + hourly) / 2)
    facts = {
        "overhead_seconds": float(overhead),
        "events_per_second": 1_000.0,
        "state_bytes": snapshot * written,
        "snapshot_bytes_per_second": written,
        "asks_for": wish,
        "side_effects": effect,
        "team_knows": knows,
    }
    rhythm = micro_batches.SITUATIONS[kind]
    return situation_case(micro_batches.situation_of(kind, rhythm, need, facts, share))


def right_rhythm() -> SearchStrategy[Case]:
    return st.builds(
        _situation,
        kind=st.sampled_from([HOURS, REACHED, TWO_RUNS, SNAPSHOT, micro_batches.HOUR_AND_RUN]),
        overhead=st.integers(1, 20),
        snapshot=st.sampled_from([0, 10, 100]),
        share=SHARES,
        wish=st.sampled_from(list(WISHES)),
        effect=st.sampled_from(EFFECTS),
        knows=st.sampled_from(["Spark", "Flink", "SQL"]),
    )


def _log(commit: str, orders: int, mails: int | None, before: bool, keyed: bool) -> Case:
    log = BatchLog(commit, first=1)
    if before:
        log.attempt(2)
    log.attempt(orders, mails=mails, commits=1)
    log.attempt(orders)
    return log_case(log, keyed)


def replayed() -> SearchStrategy[Case]:
    return st.builds(
        _log,
        commit=st.sampled_from(COMMITS),
        orders=st.integers(2, 4),
        mails=st.none() | st.integers(0, 3),
        before=st.booleans(),
        keyed=st.booleans(),
    )
