"""Transforms described by facts, and states to size, whose truth is known by construction.

A transform is given its class first and then facts that fit it: each of three causes makes it
stateful on its own, while its name in SQL, its memory and where that is kept are drawn alike for
both classes. A state is given what bounds it first, and its entries are counted by the exact
distribution of drawn keys, not by the model's formula.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tradeoff.scenarios.transforms import STATELESS

Facts = dict[str, Any]

OPERATIONS = ("filter", "projection", "lookup", "join", "count", "distinct", "top-n")
STORES = ("worker's memory", "RocksDB", "Redis")
CAUSES = ("result of several events", "earlier events decide", "table fed by a stream")
MANY = ("key", "window", "session")
# Watermarks in windows: those for which ceil((window + watermark) / window) is the same in hours,
# days and seconds of floating point.
MULTIPLES = (1, 2, 3, 8, 12)

# What is asked of a state's size, and when memory ends.
SIZES = (
    "windows, each key in each",
    "windows, not each key in each",
    "windows without a watermark",
    "windows before the first one closes",
    "keys with a time to live, some silent",
    "users who keep coming, new ones too",
    "ids, each one new",
)
ENDS = (
    "windows without a watermark",
    "windows that fit",
    "windows kept too long",
    "users who fit, no watermark",
    "users who do not fit, no watermark",
    "users who keep coming, new ones too",
    "ids that fit",
    "ids without a watermark",
    "ids kept too long",
)


def transform(rng: np.random.Generator, verdict: str, number: int) -> tuple[Facts, str]:
    """Facts of a transform of that class and what kind it is; `number` spreads the kinds evenly."""
    if verdict == STATELESS:
        operation = OPERATIONS[number % len(OPERATIONS)]
        facts, label = _stateless(rng, operation), "one event is enough"
        some = rng.random() > 0.2
    else:
        cause = CAUSES[number % len(CAUSES)]
        facts, label = _stateful(rng, cause, number // len(CAUSES)), cause
        some = True
    memory = int(10 ** rng.uniform(2, 9.5)) if some else 0
    kept_in = STORES[number // len(OPERATIONS) % len(STORES)] if memory else "nothing"
    return facts | {"memory_bytes": memory, "kept_in": kept_in}, label


def _facts(operation: str, event: str, result_for: str, **others: Any) -> Facts:
    own = {"decided_by": "own fields", "table": None} | others
    return {"operation": operation, "event": event, "result_for": result_for, **own}


def _stateless(rng: np.random.Generator, operation: str) -> Facts:
    event = str(rng.choice(["row", "file"]))
    if operation in ("count", "distinct", "top-n"):
        return _facts(operation, "file", "file")
    table = "file" if operation in ("lookup", "join") else None
    return _facts(operation, event, "row", table=table)


def _stateful(rng: np.random.Generator, cause: str, turn: int) -> Facts:
    event = str(rng.choice(["row", "file"]))
    if cause == CAUSES[0]:
        operation = str(rng.choice(["count", "distinct", "top-n"]))
        if turn % 2:  # files in turn for a key, a window and a session
            return _facts(operation, "file", MANY[turn // 2 % len(MANY)])
        # A result for a file is no sign: as often as it can be, it is one of many rows.
        return _facts(operation, "row", str(rng.choice([*MANY, *["file"] * 4])))
    if cause == CAUSES[1]:
        operation = str(rng.choice(["filter", "projection", "distinct", "join"]))
        return _facts(operation, event, "row", decided_by="earlier events")
    return _facts(str(rng.choice(["lookup", "join"])), event, "row", table="change stream")


# --- how much is held -----------------------------------------------------------------------------


def sized(rng: np.random.Generator, kind: str) -> tuple[Facts, float]:
    """A state of one of `SIZES`, and the days after which its size is asked for."""
    if kind.startswith("windows"):
        window = float(rng.choice([0.25, 0.5, 1, 2, 6]))
        keys = _round(10 ** rng.uniform(3, 5.5))
        views = rng.uniform(0.3, 1.5) if kind == SIZES[1] else rng.uniform(6, 40)
        state = _windows(rng, keys, window, views)
        state["watermark_hours"] = float(window * rng.choice(MULTIPLES))
        open_at_most = int(_open(state))
        if kind == SIZES[2]:
            state["watermark_hours"] = None
            return state, int(rng.integers(40, 4000)) * window / 24
        if kind == SIZES[3]:
            state["watermark_hours"] = window * int(rng.integers(120, 300))
            begun = 1 if rng.random() < 0.3 else int(rng.integers(40, 90))
            return state, begun * window / 24
        return state, int(rng.integers(2 * open_at_most, 50 * open_at_most)) * window / 24
    if kind == SIZES[4]:
        window, watermark = float(rng.choice([6, 24, 72, 168])), float(rng.choice([1, 6, 24]))
        keys = _round(10 ** rng.uniform(5, 7))
        events = _round(keys * rng.uniform(0.3, 1.6) * 24 / (window + watermark))
        return _keyed(rng, keys, 0, events, window, watermark), float(rng.integers(60, 400))
    if kind == SIZES[5]:
        state = _users(rng)
        return state, float(rng.integers(60, 900))
    state = _ids(rng)
    if rng.random() < 0.4:
        state["watermark_hours"] = None
    return state, float(rng.integers(40, 400))


def ending(rng: np.random.Generator, kind: str) -> tuple[Facts, float, float | None]:
    """A state of one of `ENDS`, a memory in bytes, and the day on which the memory ends.

    The day is drawn first and the memory follows from it; None where it never ends.
    """
    days: float | None = None
    if kind.startswith("windows"):
        window = float(rng.choice([0.25, 0.5, 1, 2]))
        state = _windows(rng, _round(10 ** rng.uniform(3, 5.5)), window, rng.uniform(0.5, 2.2))
        held = int(rng.integers(60, 3000))  # windows that fit
        if kind == ENDS[1]:
            state["watermark_hours"] = float(window * rng.choice(MULTIPLES))
            full = _open(state) * rng.uniform(1.3, 8)
        else:
            full, days = held + 0.5, (held + 0.5) * window / 24
            if kind == ENDS[2]:
                state["watermark_hours"] = window * int(held * rng.uniform(1.3, 3))
            else:
                state["watermark_hours"] = None
        entries = full * _seen(state["keys"], state["events_per_day"] * window / 24)
        return state, entries * local_bytes(state), days
    if kind in (ENDS[3], ENDS[4]):
        keys = _round(10 ** rng.uniform(5, 7.5))
        state = _keyed(rng, keys, 0, _round(keys * rng.uniform(0.02, 0.2)), 24.0, None)
        share = rng.uniform(1.2, 6) if kind == ENDS[3] else rng.uniform(0.4, 0.85)
        if kind == ENDS[4]:
            days = -math.log(1 - share) * keys / state["events_per_day"]
        return state, keys * share * local_bytes(state), days
    if kind == ENDS[5]:
        state = _users(rng)
        days = float(rng.integers(60, 900))
        return state, entries_after(state, days) * local_bytes(state), days
    state = _ids(rng)
    if kind == ENDS[6]:
        full = _kept_days(state) * rng.uniform(1.3, 6)
    else:
        days = full = float(10 ** rng.uniform(-0.6, 2.5))  # from six hours on
        longer = days * rng.uniform(1.5, 4)
        state["window_hours"] = float(math.ceil(24 * longer))
        if kind == ENDS[7]:
            state["window_hours"], state["watermark_hours"] = 24.0, None
    return state, state["events_per_day"] * full * local_bytes(state), days


def local_bytes(state: Facts) -> float:
    """Bytes of one entry in one copy, with its key and index."""
    return float(state["values"] * state["bytes_each"] * (1 + state["index_overhead"]))


def entries_after(state: Facts, days: float) -> float:
    """Entries held that many days after an empty start, for the kinds drawn here.

    Keys that share n events evenly are seen with probability 1 - (1 - 1 / keys) ** n. Where new
    keys come, either each event brings one or all that live keep coming.
    """
    keys, events = state["keys"], state["events_per_day"]
    if state["per_window"]:
        window = state["window_hours"] / 24
        started = max(1, math.ceil(days / window - 1e-9))
        return min(_open(state), started) * _seen(keys, events * min(window, days))
    kept = min(_kept_days(state), days)
    if state["new_keys_per_day"] == events:
        return float(events * kept)
    if state["new_keys_per_day"]:
        return float(keys + state["new_keys_per_day"] * days)
    return _seen(keys, events * kept)


def _seen(keys: float, events: float) -> float:
    return float(keys * -np.expm1(events * np.log1p(-1 / keys)))


def _kept_days(state: Facts) -> float:
    if state["watermark_hours"] is None:
        return math.inf
    return float(state["window_hours"] + state["watermark_hours"]) / 24


def _open(state: Facts) -> float:
    """Windows open at most; exact, since windows and watermarks are binary fractions of hours."""
    if state["watermark_hours"] is None:
        return math.inf
    return math.ceil(_kept_days(state) * 24 / state["window_hours"])


def _windows(rng: np.random.Generator, keys: float, window: float, views: float) -> Facts:
    """Tumbling counts in which a key has `views` events a window at the mean."""
    events = _round(keys * views * 24 / window)
    return _state(rng, True, keys, 0, events, window, None)


def _users(rng: np.random.Generator) -> Facts:
    """Users of whom nobody falls silent for as long as the state is kept."""
    keys, window = _round(10 ** rng.uniform(4, 6.5)), float(rng.choice([24, 72, 168, 720]))
    new = _round(keys * rng.uniform(0.002, 0.03))
    # Twenty events a user in the shortest time kept, when there are ten times as many users.
    events = _round((keys + 900 * new) * 20 * 24 / window)
    return _keyed(rng, keys, new, events, window, float(rng.choice([1, 6, 24])))


def _ids(rng: np.random.Generator) -> Facts:
    """A deduplication: each event brings an id of its own."""
    events = _round(10 ** rng.uniform(5, 9))
    window, watermark = float(rng.choice([6, 24, 168])), float(rng.choice([1, 6, 24]))
    return _keyed(rng, 1, events, events, window, watermark)


def _keyed(
    rng: np.random.Generator,
    keys: float,
    new: float,
    events: float,
    window: float,
    watermark: float | None,
) -> Facts:
    return _state(rng, False, keys, new, events, window, watermark)


def _state(
    rng: np.random.Generator,
    per_window: bool,
    keys: float,
    new: float,
    events: float,
    window: float,
    watermark: float | None,
) -> Facts:
    return {
        "per_window": per_window,
        "keys": int(keys),
        "new_keys_per_day": int(new),
        "events_per_day": int(events),
        "window_hours": window,
        "watermark_hours": watermark,
        "values": int(rng.choice([2, 5, 10, 40, 100])),
        "bytes_each": int(rng.choice([4, 8, 16, 50])),
        "index_overhead": float(rng.choice([0.5, 0.75, 1.0, 1.5])),
        "copies": int(rng.choice([2, 3, 4])),
    }


def _round(number: float) -> float:
    """To two digits, as one would write it into a design."""
    return float(f"{number:.2g}")
