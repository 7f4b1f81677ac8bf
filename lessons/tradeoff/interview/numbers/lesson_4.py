"""Numbers of lesson 4's questions: how much is held, for how long, and when memory ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tradeoff.interview.numbers.drawn import Drawn, number
from tradeoff.model import State, engine, state, words
from tradeoff.model.quantities import DAY_SECONDS
from tradeoff.scenarios import transforms

PLENTY = 1e12  # events a day: each key comes in each window
FULL = [30.0]  # days: any window and watermark asked for here are over


def held(kept: State, events_per_day: float = PLENTY, days: float = FULL[0]) -> float:
    """Entries held after so many days."""
    return float(state.over_time(kept, events_per_day, [days])[0])


def local(kept: State, events_per_day: float = PLENTY, days: float = FULL[0]) -> str:
    """Bytes held on the workers after so many days, key and index included."""
    return words.size(held(kept, events_per_day, days) * state.entry_bytes(kept, engine("flink")))


def premium(kind: str, events_per_day: float) -> str:
    """How many times its nightly batch a "stateless" or "stateful" stream costs, in the lesson."""
    row = transforms.premiums([events_per_day]).iloc[0]
    return f"{row[f'{kind}_premium']:.0f} times"


@number
def values_of_state(rng: np.random.Generator) -> Drawn:
    users, features = float(rng.choice([0.5, 2, 3, 5])) * 1e6, float(rng.choice([20, 50, 200]))
    kept = State(users, features, 8)
    return Drawn(
        {
            "users": words.count(users),
            "features": f"{features:g}",
            "hot": words.size(state.hot_bytes(kept, engine("flink"))),
        },
        state.values_bytes(kept) / 1e9,
        "GB",
        within=0.05,
        because=f"{words.count(users)} x {features:g} x 8 bytes",
    )


@number
def all_copies_of_state(rng: np.random.Generator) -> Drawn:
    keys, size = float(rng.choice([5, 10, 20, 40])) * 1e6, float(rng.choice([40, 100, 250]))
    flink = replace(engine("flink"), state_copies=float(rng.choice([3, 4, 5])))
    kept = State(keys, 1, size)
    hot, values = state.hot_bytes(kept, flink), state.values_bytes(kept)
    return Drawn(
        {
            "keys": words.count(keys),
            "size": f"{size:g} bytes",
            "copies": f"{flink.state_copies:g}",
            "values": words.size(values),
            "ratio": f"{hot / values:g} times",
        },
        hot / 1e9,
        "GB",
        within=0.05,
        because=f"{words.count(keys)} x {size:g} bytes, doubled by the index, "
        f"in {flink.state_copies:g} copies",
    )


@number
def windows_open_at_once(rng: np.random.Generator) -> Drawn:
    window = float(rng.choice([5, 10, 15, 30, 60])) * 60
    watermark = window * float(rng.choice([1, 2, 2.5, 3, 4, 5.5, 6]))
    kept = State(1, 1, 8, window, watermark, window)
    return Drawn(
        {"window": words.duration(window), "watermark": words.duration(watermark)},
        held(kept),
        "windows",
        within=0.02,
        because=f"({window / 60:g} + {watermark / 60:g}) / {window / 60:g} in minutes, rounded up",
    )


@number
def window_drops(rng: np.random.Generator) -> Drawn:
    window, watermark = float(rng.choice([5, 10, 15])), float(rng.choice([5, 10, 20, 30]))
    closes = state.closes_at(60 * window, 60 * watermark) / 60
    return Drawn(
        {
            "end": f"9:{window:02.0f}",
            "watermark": f"{watermark:g} minutes",
            "clock": f"9:{closes:02.0f}",
        },
        closes,
        "min",
        within=0.01,
        because=f"the window's end, {window:g}, and {watermark:g} minutes of watermark",
    )


@number
def entries_in_windows(rng: np.random.Generator) -> Drawn:
    pages = float(rng.choice([2, 5, 20, 50])) * 1e4
    window = float(rng.choice([5, 10, 15])) * 60
    watermark = window * int(rng.integers(1, 7))
    kept = State(pages, 1, 8, window, watermark, window)
    open_at_once = held(replace(kept, keys=1))
    return Drawn(
        {
            "pages": words.count(pages),
            "window": words.duration(window),
            "watermark": words.duration(watermark),
            "open": f"{open_at_once:.0f}",
            "bytes": local(kept),
            "tenfold": words.count(held(replace(kept, keys=10 * pages))),
        },
        held(kept),
        "entries",
        within=0.05,
        because=f"{words.count(pages)} pages x {open_at_once:.0f} windows open at once",
    )


@number
def keys_seen_in_a_window(rng: np.random.Generator) -> Drawn:
    keys, each = float(rng.choice([1, 2, 5, 8])) * 1e6, float(rng.choice([0.5, 1, 1.5, 2]))
    window = 3_600.0
    kept = State(keys, 1, 8, window, 0, window)
    events = keys * each * DAY_SECONDS / window
    seen = held(kept, events)
    return Drawn(
        {
            "keys": words.count(keys),
            "events": words.count(keys * each),
            "share": f"{seen / keys:.0%}",
            "twice": words.count(held(kept, 2 * events)),
        },
        seen,
        "devices",
        within=0.08,
        because=f"{words.count(keys)} x (1 - exp(-{each:g}))",
    )


@number
def a_join_waits(rng: np.random.Generator) -> Drawn:
    orders, size = float(rng.choice([6, 12, 18, 40])) * 1e6, float(rng.choice([100, 200, 300]))
    window = float(rng.choice([1, 2, 6])) * 3_600
    watermark = float(rng.choice([0.5, 1])) * 3_600
    kept = State(1, 1, size, window, watermark, new_keys_per_day=orders)
    entries = held(kept, orders)
    day = replace(kept, window_seconds=DAY_SECONDS)
    return Drawn(
        {
            "orders": words.count(orders),
            "size": f"{size:g} bytes",
            "window": words.duration(window),
            "watermark": words.duration(watermark),
            "entries": words.count(entries),
            "day": local(day, orders),
        },
        entries * state.entry_bytes(kept, engine("flink")) / 1e9,
        "GB",
        within=0.05,
        because=f"{words.count(orders)} a day for {(window + watermark) / 3600:g} h are "
        f"{words.count(entries)} entries, x {size:g} bytes x 2 with the index",
    )


@number
def ids_without_end(rng: np.random.Generator) -> Drawn:
    ids, memory = float(rng.choice([5, 10, 20, 40])) * 1e6, float(rng.choice([32, 64, 128])) * 1e9
    kept = State(1, 1, 16, new_keys_per_day=ids)
    flink = engine("flink")
    full = state.full_after_days(kept, ids, flink, memory, 10_000)
    assert full is not None  # at least some 300 MB a day
    a_day = ids * state.entry_bytes(kept, flink)
    return Drawn(
        {
            "ids": words.count(ids),
            "memory": words.size(memory),
            "entry": words.size(state.entry_bytes(kept, flink)),
            "a_day": words.size(a_day),
            "week": local(kept, ids, 7),
        },
        full,
        "days",
        within=0.05,
        because=f"{words.size(memory)} / {words.size(a_day)} a day",
    )


@number
def windows_never_closed(rng: np.random.Generator) -> Drawn:
    pages, window = float(rng.choice([5, 10, 20])) * 1e4, float(rng.choice([5, 10])) * 60
    first = int(rng.integers(2, 6))
    memory = float(rng.choice([32, 64])) * 1e9
    kept = State(pages, 1, 8, window, None, window)
    full = state.full_after_days(kept, PLENTY, engine("flink"), memory, 10_000)
    assert full is not None  # no window ever closes
    bounded = replace(kept, watermark_seconds=600)
    return Drawn(
        {
            "first": f"{first}",
            "then": f"{2 * first}",
            "size": local(kept, days=first),
            "size_then": local(kept, days=2 * first),
            "memory": words.size(memory),
            "bounded": local(bounded),
        },
        full,
        "days",
        within=0.05,
        because=f"{local(kept, days=first)} in {first} days, at that pace up to "
        f"{words.size(memory)}",
    )


@number
def a_longer_watermark(rng: np.random.Generator) -> Drawn:
    window = float(rng.choice([10, 15, 30, 60])) * 60
    short, longer = window, window * float(rng.choice([5, 7, 11, 15, 23]))
    kept = State(1, 1, 8, window, short, window)
    before, after = held(kept), held(replace(kept, watermark_seconds=longer))
    return Drawn(
        {
            "window": words.duration(window),
            "short": words.duration(short),
            "longer": words.duration(longer),
            "before": f"{before:.0f}",
            "after": f"{after:.0f}",
            "wrong": f"{longer / short:.0f} times",
        },
        after / before,
        "times",
        within=0.05,
        because=f"{after:.0f} windows open at once instead of {before:.0f}",
    )
