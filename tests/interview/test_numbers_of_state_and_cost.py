"""What a candidate reads in a question of lesson 3 or 4 is enough to find its answer by hand.

Each answer is computed again from the texts shown, by counting or plain arithmetic, not by the
model.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from by_hand import (
    ByHand,
    Shown,
    follows_from_what_is_shown,
    numbers_of,
    weak_answer_is_judged_wrong,
    with_weak_answer,
)
from tradeoff.simulate.windows import TumblingCount


def bills(shown: Shown) -> tuple[float, float]:
    """Nightly and stream, USD a day, summed hour by hour for the stream."""
    nodes, price, people = shown.number("nodes"), shown.usd("price"), shown.usd("people")
    night = nodes * shown.seconds("run") / 3600 * price + people
    stream = sum((nodes + 1) * price for _ in range(24)) + 2 * people
    return night, stream


def ratio_at_list_price(shown: Shown) -> float:
    night, stream = bills(shown)
    return stream / night


def premium_over_nightly(shown: Shown) -> float:
    night, stream = bills(shown)
    return stream - night


def catching_up(shown: Shown) -> float:
    """Second by second: what waits, what arrives, what is done."""
    arrivals, most = shown.number("arrivals"), shown.number("most")
    lag, seconds = arrivals * shown.seconds("down"), 0
    while lag > 0:
        lag, seconds = lag + arrivals - most, seconds + 1
    return seconds


def most_open(window: float, watermark: float) -> int:
    """The most windows an operator holds; events fall between the boundaries, never on one."""
    operator, most = TumblingCount(window, watermark), 0
    step = 0.5
    for tick in range(int(4 * (window + watermark) / step)):
        operator.update((tick + 0.5) * step, "page")
        most = max(most, len(operator.open_windows))
    return most


def windows_open_at_once(shown: Shown) -> float:
    return most_open(shown.seconds("window") / 60, shown.seconds("watermark") / 60)


def entries_in_windows(shown: Shown) -> float:
    return shown.number("pages") * windows_open_at_once(shown)


def a_longer_watermark(shown: Shown) -> float:
    window = shown.seconds("window") / 60
    short, longer = (most_open(window, shown.seconds(name) / 60) for name in ("short", "longer"))
    return longer / short


def window_drops(shown: Shown) -> float:
    """The last whole minute at which the operator still holds the window."""
    window = float(shown.given["end"].partition(":")[2])
    watermark = shown.seconds("watermark") / 60
    operator, minute = TumblingCount(window, watermark), 0
    operator.update(0, "page")
    while 0 in operator.open_windows:
        minute += 1
        operator.update(minute, "page")
    return minute - 1


def keys_seen_in_a_window(shown: Shown) -> float:
    """Devices drawn at random, a hundredth of them, and counted."""
    keys, events = shown.number("keys") / 100, shown.number("events") / 100
    drawn = np.random.default_rng(7).integers(0, int(keys), int(events))
    return 100 * len(np.unique(drawn))


def a_join_waits(shown: Shown) -> float:
    span = shown.seconds("window") + shown.seconds("watermark")
    return shown.number("orders") * span / 86_400 * shown.size("size") * 2 / 1e9


def windows_never_closed(shown: Shown) -> float:
    return shown.size("memory") / shown.size("size") * float(shown.given["first"])


def a_day(rate: float, slow: float, fast: float, threshold: float = 0.0) -> float:
    """USD, minute by minute of lateness above the threshold, in steps of a second or less."""
    edges = np.linspace(fast, slow, 100_001)
    return float(rate * (slow - fast) / 60 * np.mean(edges[1:] > threshold))


BY_HAND: ByHand = {
    "raw_compute_ratio": lambda q: (
        q.number("stream_nodes") * 86_400 / (q.number("nodes") * q.seconds("run"))
    ),
    "premium_over_nightly": premium_over_nightly,
    "ratio_at_list_price": ratio_at_list_price,
    "value_of_being_faster": lambda q: (
        365 * a_day(q.usd("rate"), q.seconds("slow"), q.seconds("fast"))
    ),
    "value_above_a_threshold": lambda q: a_day(
        q.usd("rate"), q.seconds("slow"), q.seconds("fast"), q.seconds("threshold")
    ),
    "break_even_minute": lambda q: (
        q.usd("extra") / a_day(1.0, q.seconds("slow"), q.seconds("fast"))
    ),
    "the_last_step": lambda q: 365 * a_day(q.usd("rate"), q.seconds("late"), q.seconds("soon")),
    "outages_that_pay": lambda q: math.ceil(
        q.usd("extra") / (q.usd("rate") * q.seconds("sooner") / 60)
    ),
    "lag_of_a_slow_consumer": lambda q: (
        (
            (q.number("end_later") - q.number("committed_later"))
            - (q.number("end") - q.number("committed"))
        )
        / 600
    ),
    "catching_up": catching_up,
    "values_of_state": lambda q: q.number("users") * q.number("features") * 8 / 1e9,
    "all_copies_of_state": lambda q: (
        q.number("keys") * q.size("size") * 2 * q.number("copies") / 1e9
    ),
    "windows_open_at_once": windows_open_at_once,
    "window_drops": window_drops,
    "entries_in_windows": entries_in_windows,
    "keys_seen_in_a_window": keys_seen_in_a_window,
    "a_join_waits": a_join_waits,
    "ids_without_end": lambda q: q.size("memory") / (q.number("ids") * q.size("entry")),
    "windows_never_closed": windows_never_closed,
    "a_longer_watermark": a_longer_watermark,
}


def test_every_number_of_the_two_lessons_is_done_by_hand() -> None:
    assert numbers_of("lesson_3", "lesson_4") == set(BY_HAND)


@pytest.mark.parametrize("name", BY_HAND)
def test_answers_follow_from_what_is_shown(name: str) -> None:
    follows_from_what_is_shown(name, BY_HAND[name])


@pytest.mark.parametrize("name", with_weak_answer(BY_HAND))
def test_the_weak_answer_is_judged_wrong(name: str) -> None:
    weak_answer_is_judged_wrong(name)
