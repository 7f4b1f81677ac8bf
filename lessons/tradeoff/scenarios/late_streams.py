"""Streams out of order to count in windows: drawn ones, and slices of the real flights.

Times are whole minutes. What is lost, kept and still held is computed for a whole stream at once,
from the newest event time seen so far; an operator that takes the events one by one must agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from tradeoff import data

AIRPORTS = ("EWR", "JFK", "LGA")
EVENTS, COUNTS = "events", "counts"
GRID = 5  # minutes; drawn times fall on it often, so a window's end is often met exactly

Entry = tuple[int, str, int]  # a window's start, a key, its count


@dataclass(frozen=True)
class Counted:
    """What a windowed count has put out, still holds and has dropped when the input stops."""

    emitted: list[Entry]
    held: int
    late: int

    def facts(self) -> dict[str, list[Entry] | int]:
        return {"emitted": self.emitted, "held": self.held, "late": self.late}


def drawn(rng: np.random.Generator, events: int, keys: int = 3, rate: float = 1.0) -> pd.DataFrame:
    """A stream as it is seen: columns event_time and seen (minutes) and key.

    `rate` events a minute happen; most are seen within minutes, some much later, and twice the
    source falls silent and hands over afterwards what happened meanwhile.
    """
    happened = np.sort(rng.uniform(0, events / rate, events))
    delay = rng.exponential(3, events) + (rng.random(events) < 0.3) * rng.exponential(60, events)
    seen = happened + delay
    for start in rng.uniform(0, events / rate, 2):
        end = start + rng.uniform(10, 40)
        seen = np.where((seen > start) & (seen < end), end, seen)
    times = np.round(happened)
    on_grid = rng.random(events) < 0.5
    times = np.where(on_grid, times // GRID * GRID, times)
    names = np.array(["cart", "home", "search", "terms"])[:keys]
    table = {
        "event_time": times.astype("int64"),
        "seen": np.maximum(np.ceil(seen), times).astype("int64"),
        "key": rng.choice(names, events),
    }
    return _as_seen(pd.DataFrame(table))


def flown(first_day: int, days: int, airports: Sequence[str]) -> pd.DataFrame:
    """Flights scheduled on some days of the week (0 to 6), in the order in which they left."""
    table = _flights()
    day = table["event_time"] // 1440
    chosen = table[day.between(first_day, first_day + days - 1) & table["key"].isin(airports)]
    shifted = chosen.assign(
        event_time=chosen["event_time"] - 1440 * first_day, seen=chosen["seen"] - 1440 * first_day
    )
    return _as_seen(shifted)


@lru_cache(maxsize=1)
def _flights() -> pd.DataFrame:
    """All that left, in order of schedule: minutes since the week's first midnight."""
    table = data.flights().dropna(subset=["departure"])
    start = table["scheduled_departure"].min().normalize()
    minute = pd.Timedelta(minutes=1)
    return pd.DataFrame(
        {
            "event_time": (table["scheduled_departure"] - start) // minute,
            "seen": (table["departure"] - start) // minute,
            "key": table["origin"],
        }
    )


def _as_seen(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("seen", kind="stable", ignore_index=True)


def overdue(events: pd.DataFrame, window: int) -> np.ndarray:
    """For each event, minutes from its window's end to the newest event time when it is seen.

    One above the watermark is late.
    """
    times = events["event_time"].to_numpy()
    return np.maximum.accumulate(times) - (times // window + 1) * window


def counted(events: pd.DataFrame, window: int, watermark: int | None) -> Counted:
    """Counts by window and key; a window closes once its end is more than the watermark behind."""
    times = events["event_time"].to_numpy()
    kept = np.ones(len(times), bool)
    if watermark is not None:
        kept = overdue(events, window) <= watermark
    starts = times[kept] // window * window
    named = list(zip(starts.tolist(), events["key"][kept], strict=True))
    entries = [(start, key, count) for (start, key), count in Counter(named).items()]
    if watermark is None:
        return Counted([], len(entries), 0)
    closed = [entry for entry in entries if times.max() - (entry[0] + window) > watermark]
    return Counted(sorted(closed), len(entries) - len(closed), int((~kept).sum()))


def lost_share(events: pd.DataFrame, window: int, late: np.ndarray, of: str) -> float:
    """The share of the events that are late, or of the counts that lose one. In [0, 1]."""
    if of == EVENTS:
        return float(np.mean(late))
    counts = list(zip(events["event_time"] // window, events["key"], strict=True))
    spoilt = {count for count, is_late in zip(counts, late.tolist(), strict=True) if is_late}
    return len(spoilt) / len(set(counts))


def shares(events: pd.DataFrame, window: int, watermarks: Sequence[int], of: str) -> list[float]:
    """What each watermark loses."""
    behind = overdue(events, window)
    return [lost_share(events, window, behind > watermark, of) for watermark in watermarks]


# --- which watermark ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Puzzle:
    """A stream, the watermarks on offer, and the smallest of them that loses few enough.

    `of` says whose share `most_lost` limits: `EVENTS` or `COUNTS`. `best` is None where none does.
    """

    events: pd.DataFrame
    window: int
    watermarks: list[int]
    most_lost: float
    of: str
    best: int | None


def late_by(rule: str, events: pd.DataFrame, window: int, watermark: int) -> np.ndarray:
    """Which events are late by a rule of `RULES`; only the first is right."""
    times, seen = events["event_time"].to_numpy(), events["seen"].to_numpy()
    ends = (times // window + 1) * window
    newest = np.maximum.accumulate(times)
    late = {
        "newest past the end": newest - ends > watermark,
        "newest at the end": newest - ends >= watermark,
        "newest past the event": newest - times > watermark,
        "clock past the end": seen - ends > watermark,
        "clock past the event": seen - times > watermark,
    }
    return np.asarray(late[rule])


RULES = (
    "newest past the end",
    "newest at the end",
    "newest past the event",
    "clock past the end",
    "clock past the event",
)


def smallest(puzzle: Puzzle, rule: str = RULES[0], of: str | None = None) -> int | None:
    """The smallest watermark that loses few enough by a rule, of events or of counts."""
    for watermark in sorted(puzzle.watermarks):
        late = late_by(rule, puzzle.events, puzzle.window, watermark)
        if lost_share(puzzle.events, puzzle.window, late, of or puzzle.of) <= puzzle.most_lost:
            return watermark
    return None


OFFERED = (0, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
TRIES = 40


def puzzle(rng: np.random.Generator, of: str, place: str, trap: str, real: bool) -> Puzzle:
    """Draw a puzzle whose answer is among the watermarks (`place` "middle"), the smallest of them
    ("first") or none ("none").

    `trap` is another of `RULES`, or the other of `EVENTS` and `COUNTS`: a mistake that gives
    another answer here. (Should ten streams not show it, one stands without.)
    """
    for number in range(TRIES):
        found = _puzzle(rng, of, place, real)
        if found is None:
            continue
        mistaken = smallest(found, of=trap) if trap in (EVENTS, COUNTS) else smallest(found, trap)
        if mistaken != found.best or number >= TRIES // 4:
            return found
    raise ValueError(f"no stream in {TRIES} has an answer that is {place!r}")


def _puzzle(rng: np.random.Generator, of: str, place: str, real: bool) -> Puzzle | None:
    if real:
        chosen = sorted(map(str, rng.choice(AIRPORTS, int(rng.integers(1, 3)), replace=False)))
        events, window = flown(int(rng.integers(7)), 1, chosen), int(rng.choice([30, 60]))
    else:
        events = drawn(rng, int(rng.integers(80, 300)), rate=float(rng.choice([0.5, 1, 2])))
        window = int(rng.choice([5, 10, 15, 30]))
    offered = np.sort(rng.choice(OFFERED, int(rng.integers(5, 8)), replace=False)).tolist()
    lost = shares(events, window, offered, of)
    index, most = _target(rng, place, lost)
    if index is None:
        return None
    best = offered[index] if index < len(offered) else None
    if rng.random() < 0.5:
        rng.shuffle(offered)
    return Puzzle(events, window, offered, most, of, best)


def _target(rng: np.random.Generator, place: str, lost: list[float]) -> tuple[int | None, float]:
    """An index and a limit between that watermark's share and the one before it, never on one."""
    steps = [1.0, *lost, 0.0]
    last = len(lost)
    wanted = {"first": [0], "middle": list(range(1, last)), "none": [last]}[place]
    # Far enough apart that the limit is a plain number which no rounding can reach.
    possible = [i for i in wanted if steps[i] - steps[i + 1] > 0.004]
    if not possible:
        return None, 0.0
    index = int(rng.choice(possible))
    high, low = steps[index], steps[index + 1]
    most = round(low + (high - low) * float(rng.uniform(0.3, 0.7)), 3)
    return (index, most) if low + 1e-6 < most < high - 1e-6 else (None, 0.0)
