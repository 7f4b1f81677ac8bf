"""Plain cases for lesson 4's exercise: few facts, round numbers, a handful of events.

Each function is a Hypothesis strategy that shrinks to the plainest case. The truth of a stream is
found by taking its events one by one.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tradeoff.checks.assignment import Case
from tradeoff.scenarios.late_streams import COUNTS, EVENTS
from tradeoff.scenarios.transforms import STATEFUL, STATELESS

PLAIN = {
    "operation": "filter",
    "event": "row",
    "result_for": "row",
    "decided_by": "own fields",
    "table": None,
}
# What is exchanged in the plain filter, and what it is then.
KINDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, STATELESS),
    ({"decided_by": "earlier events"}, STATEFUL),
    ({"operation": "lookup", "table": "file"}, STATELESS),
    ({"operation": "lookup", "table": "change stream"}, STATEFUL),
    ({"operation": "join", "table": "file"}, STATELESS),
    ({"operation": "join", "decided_by": "earlier events"}, STATEFUL),
    ({"operation": "count", "event": "file", "result_for": "file"}, STATELESS),
    ({"operation": "count", "result_for": "file"}, STATEFUL),
    ({"operation": "count", "result_for": "key"}, STATEFUL),
    ({"operation": "count", "event": "file", "result_for": "window"}, STATEFUL),
    ({"operation": "projection", "event": "file"}, STATELESS),
)


def _transform(kind: tuple[dict[str, Any], str], memory: int, kept_in: str) -> Case:
    changed, verdict = kind
    store = {"memory_bytes": memory, "kept_in": kept_in if memory else "nothing"}
    if verdict == STATEFUL and not memory:
        store = {"memory_bytes": 8, "kept_in": "worker's memory"}
    return Case({"transform": PLAIN | changed | store}, verdict, "a plain transform")


def classify() -> SearchStrategy[Case]:
    return st.builds(
        _transform,
        kind=st.sampled_from(KINDS),
        memory=st.sampled_from([0, 1000, 1_000_000_000]),
        kept_in=st.sampled_from(["worker's memory", "RocksDB", "Redis"]),
    )


def _state(**changed: Any) -> dict[str, Any]:
    return {
        "per_window": True,
        "keys": 1000,
        "new_keys_per_day": 0,
        "events_per_day": 1_000_000,
        "window_hours": 1.0,
        "watermark_hours": 1.0,
        "values": 1,
        "bytes_each": 8,
        "index_overhead": 1.0,
        "copies": 3,
    } | changed


def _bytes(kind: str, copies: int, overhead: float, ten_days: int) -> Case:
    """Everything in 1,000 keys of 8 bytes, so that entries can be counted in the head."""
    days = 10.0 * ten_days
    kinds: dict[str, tuple[dict[str, Any], float]] = {
        "windows": ({}, 2000.0),
        "four windows": ({"watermark_hours": 3.0}, 4000.0),
        "half the keys in a window": (
            {"events_per_day": 24_000},
            2 * 1000 * (1 - math.exp(-1)),
        ),
        "windows without a watermark": ({"watermark_hours": None}, 1000 * days * 24),
        "windows, watermark of a year": ({"watermark_hours": 8760.0}, 1000 * days * 24),
        "users": ({"per_window": False, "watermark_hours": None}, 1000.0),
        "users, ten new a day": (
            {"per_window": False, "window_hours": 24.0, "new_keys_per_day": 10},
            1000 + 10 * days,
        ),
        "ids": (
            {
                "per_window": False,
                "keys": 1,
                "events_per_day": 1000,
                "new_keys_per_day": 1000,
                "window_hours": 24.0,
                "watermark_hours": 24.0,
            },
            2000.0,
        ),
    }
    changed, entries = kinds[kind]
    state = _state(copies=copies, index_overhead=overhead, **changed)
    truth = entries * 8 * (1 + overhead) * copies
    return Case({"state": state, "days": days}, truth, kind)


def state_bytes() -> SearchStrategy[Case]:
    kinds = (
        "windows",
        "users",
        "four windows",
        "half the keys in a window",
        "windows without a watermark",
        "windows, watermark of a year",
        "users, ten new a day",
        "ids",
    )
    return st.builds(
        _bytes,
        kind=st.sampled_from(kinds),
        copies=st.sampled_from([1, 3]),
        overhead=st.sampled_from([1.0, 0.5]),
        ten_days=st.integers(1, 9),
    )


def _ends(kind: str, copies: int, days: int) -> Case:
    """Entries of 16 bytes in one copy, 24,000 a day where they grow."""
    windows = days * 24 + 0.5  # memory for half a window more
    kinds: dict[str, tuple[dict[str, Any], float, float | None]] = {
        "windows that fit": ({}, 4000.0, None),
        "windows without a watermark": ({"watermark_hours": None}, 1000 * windows, windows / 24),
        "windows, watermark of a year": ({"watermark_hours": 8760.0}, 1000 * windows, windows / 24),
        "users who fit, no watermark": (
            {"per_window": False, "watermark_hours": None},
            2000.0,
            None,
        ),
        "users, ten new a day": (
            {"per_window": False, "window_hours": 24.0, "new_keys_per_day": 10},
            1000.0 + 10 * days,
            float(days),
        ),
    }
    changed, entries, truth = kinds[kind]
    state = _state(copies=copies, **changed)
    return Case({"state": state, "memory_bytes": entries * 16}, truth, kind)


def memory_ends() -> SearchStrategy[Case]:
    kinds = (
        "windows that fit",
        "windows without a watermark",
        "windows, watermark of a year",
        "users who fit, no watermark",
        "users, ten new a day",
    )
    return st.builds(
        _ends,
        kind=st.sampled_from(kinds),
        copies=st.sampled_from([1, 3]),
        days=st.integers(10, 100),
    )


Seen = list[tuple[int, int, str]]  # event time, minutes until it is seen, key


def _table(rows: Seen) -> pd.DataFrame:
    """In the order given: none is seen before the one above it."""
    seen, now = [], 0
    for time, delay, _ in rows:
        now = max(now, time + delay)
        seen.append(now)
    return pd.DataFrame(
        {
            "event_time": pd.Series([row[0] for row in rows], dtype="int64"),
            "seen": pd.Series(seen, dtype="int64"),
            "key": [row[2] for row in rows],
        }
    )


def _rows(most: int) -> SearchStrategy[Seen]:
    # The times are drawn in no order: what comes behind is late.
    row = st.tuples(st.integers(0, 30), st.integers(0, 20), st.sampled_from(["home", "cart"]))
    return st.lists(row, min_size=1, max_size=most)


def _late(times: list[int], window: int, watermark: float) -> list[bool]:
    late, newest = [], -math.inf
    for time in times:
        late.append(newest - (time // window * window + window) > watermark)
        newest = max(newest, time)
    return late


def _counted(rows: Seen, window: int, watermark: int | None) -> Case:
    times = [row[0] for row in rows]
    allowed = math.inf if watermark is None else watermark
    late = _late(times, window, allowed)
    counts: dict[tuple[int, str], int] = {}
    for (time, _, key), is_late in zip(rows, late, strict=True):
        if not is_late:
            entry = (time // window * window, key)
            counts[entry] = counts.get(entry, 0) + 1
    closed = {entry: max(times) - (entry[0] + window) > allowed for entry in counts}
    truth = {
        "emitted": [(*entry, count) for entry, count in counts.items() if closed[entry]],
        "held": sum(not is_closed for is_closed in closed.values()),
        "late": sum(late),
    }
    given = {"events": _table(rows), "window": window, "watermark": watermark}
    return Case(given, truth, "a few events")


def windowed_count() -> SearchStrategy[Case]:
    return st.builds(
        _counted,
        rows=_rows(8),
        window=st.sampled_from([5, 10]),
        watermark=st.sampled_from([5, 0, 10, None]),
    )


def _puzzle(rows: Seen, offered: list[int], most_lost: float, of: str) -> Case:
    window, times = 5, [row[0] for row in rows]
    pairs = [(time // window, key) for time, _, key in rows]
    best = None
    for watermark in sorted(offered, reverse=True):
        late = _late(times, window, watermark)
        spoilt = {pair for pair, is_late in zip(pairs, late, strict=True) if is_late}
        lost = sum(late) / len(rows) if of == EVENTS else len(spoilt) / len(set(pairs))
        if lost <= most_lost:
            best = watermark
    given = {
        "events": _table(rows),
        "window": window,
        "watermarks": offered,
        "most_lost": most_lost,
        "of": of,
    }
    return Case(given, best, f"a few events, the share of {of}")


def choose_watermark() -> SearchStrategy[Case]:
    return st.builds(
        _puzzle,
        rows=_rows(10),
        offered=st.sampled_from([[0, 5, 10], [5, 10], [10, 0], [0]]),
        most_lost=st.sampled_from([0.05, 0.22, 0.41]),
        of=st.sampled_from([EVENTS, COUNTS]),
    )
