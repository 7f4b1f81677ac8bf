"""Lesson 4's calculator: how much a transform holds over time, and when that ends the memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tradeoff import charts
from tradeoff.calculators.calculator import Calculator, Steps, choice
from tradeoff.model import Engine, State, engine, words
from tradeoff.model.quantities import DAY_SECONDS, Quantity, check
from tradeoff.model.state import entry_bytes, full_after_days, over_time

KINDS = {
    "a key and window: tumbling counts": "window",
    "a key: rolling, dedup, sessions": "key",
}
TEN_YEARS_DAYS = 3650.0
DAYS = np.geomspace(1 / 1440, TEN_YEARS_DAYS, 25)
MEMORY = Quantity("bytes", above=0)


def _decades(first: int, last: int, numbers: tuple[int, ...] = (1, 2, 5)) -> tuple[int, ...]:
    steps = (number * 10**power for power in range(first, last) for number in numbers)
    return (*steps, 10**last)


BYTES = (1, 2, 4, 8, 16, 32, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
MINUTE, HOUR, DAY = 60, 3600, 86_400
WINDOWS = (
    *(10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY),
)


@dataclass(frozen=True)
class Settings:
    """One stateful transform and the memory it has; the defaults are counts per page.

    Attributes
    ----------
    entry : "window" keeps one entry a key and tumbling window, "key" one entry a key.
    window_seconds : the window, the gap of a session, or the time to live of a key.
    copies : the local one, and its snapshots and replicas.
    memory_bytes : what all nodes together have for the local copy.
    """

    entry: str = "window"
    keys: float = 100_000
    new_keys_per_day: float = 0
    events_per_day: float = 1_000_000_000
    values_per_key: float = 1
    bytes_per_value: float = 8
    window_seconds: float = 5 * MINUTE
    watermark_seconds: float = 10 * MINUTE
    copies: float = 3
    memory_bytes: float = 64_000_000_000

    def __post_init__(self) -> None:
        if self.entry not in KINDS.values():
            raise ValueError(f"entry must be one of {list(KINDS.values())}, got {self.entry!r}")
        check("memory_bytes", self.memory_bytes, MEMORY)
        for name in ("events_per_day", "window_seconds", "watermark_seconds"):
            check(name, getattr(self, name))
        self.state()
        self.engine()

    def state(self) -> State:
        return State(
            keys=self.keys,
            values_per_key=self.values_per_key,
            bytes_per_value=self.bytes_per_value,
            window_seconds=self.window_seconds,
            watermark_seconds=self.watermark_seconds,
            pane_seconds=self.window_seconds if self.entry == "window" else None,
            new_keys_per_day=self.new_keys_per_day,
        )

    def engine(self) -> Engine:
        return replace(engine("flink"), state_copies=self.copies)


@dataclass(frozen=True)
class Outcome:
    """What the model says of a setting.

    Attributes
    ----------
    settings : the setting itself.
    kept_bytes, endless_bytes : the local copy at `DAYS`, with and without the watermark.
    ends_days, endless_ends_days : when each fills the memory; None: not in ten years.
    """

    settings: Settings
    kept_bytes: np.ndarray
    endless_bytes: np.ndarray
    ends_days: float | None
    endless_ends_days: float | None

    @property
    def plateau_bytes(self) -> float:
        """The local copy with the watermark, at the end of the ten years."""
        return float(self.kept_bytes[-1])

    @property
    def levels_off(self) -> bool:
        """False where added keys still raise it at the end of the ten years."""
        return bool(self.kept_bytes[-1] <= 1.01 * self.kept_bytes[-2])

    @property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        lines = {
            "with the watermark": self.kept_bytes,
            "the same, all copies": self.kept_bytes * self.settings.copies,
            "without a watermark": self.endless_bytes,
        }
        memory = self.settings.memory_bytes
        marks: list[dict[str, Any]] = [
            {"kind": "memory", "days": 1, "bytes": memory, "says": f"memory, {words.size(memory)}"}
        ]
        # Where the watermark itself does not save the memory, its own end is the one to see.
        end = self.ends_days or self.endless_ends_days
        if end is not None:
            says = f"memory runs out after {words.duration(end * DAY_SECONDS)}"
            if self.ends_days is not None:
                says += ", watermark or not"
            marks.append({"kind": "end", "days": _short(end), "bytes": memory, "says": says})
        return {
            "lines": [
                {"days": _short(day), "bytes": _short(size), "line": name}
                for name, sizes in lines.items()
                for day, size in zip(DAYS, sizes, strict=True)
            ],
            "marks": marks,
        }

    @property
    def meaning(self) -> str:
        memory = words.size(self.settings.memory_bytes)
        copies = words.size(self.plateau_bytes * self.settings.copies)
        where = (
            "is where state levels off with this watermark"
            if self.levels_off
            else "is held after ten years, for keys are added that the watermark does not drop"
        )
        kept = (
            f"<b>{words.size(self.plateau_bytes)}</b> {where}, {copies} with all "
            f"{self.settings.copies:g} copies"
        )
        if self.ends_days is not None:
            kept += (
                f". That is more than the memory of {memory}, which <b>runs out after "
                f"{words.duration(self.ends_days * DAY_SECONDS)}</b>: fewer keys, a shorter "
                "window, or more nodes"
            )
        ten_years = words.size(float(self.endless_bytes[-1]))
        if self.endless_ends_days is None:
            endless = (
                f"Without a watermark it is {ten_years} after ten years, and <b>{memory} of "
                "memory do not run out</b>"
            )
        else:
            after = words.duration(self.endless_ends_days * DAY_SECONDS)
            endless = f"Without a watermark <b>{memory} of memory run out after {after}</b>"
        return f'<div role="status">{kept}. {endless}.</div>'

    @property
    def idle(self) -> tuple[str, ...]:
        return ()


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def solve(settings: Settings) -> Outcome:
    """Follow a setting for ten years. Raises ValueError, a sentence, for more new keys a day than
    events."""
    kept, node = settings.state(), settings.engine()
    endless = replace(kept, watermark_seconds=None)
    if settings.entry == "key":
        endless = replace(endless, window_seconds=None)
    each = entry_bytes(kept, node)
    events, memory = settings.events_per_day, settings.memory_bytes
    ends = [full_after_days(one, events, node, memory, TEN_YEARS_DAYS) for one in (kept, endless)]
    return Outcome(
        settings,
        over_time(kept, events, DAYS) * each,
        over_time(endless, events, DAYS) * each,
        *ends,
    )


PRESETS = {
    "Page counts": Settings(),
    "1 M users × 100 features": Settings(
        entry="key", keys=1e6, values_per_key=100, window_seconds=7 * DAY
    ),
    "Deduplication": Settings(
        entry="key",
        keys=1_000_000,
        new_keys_per_day=100_000_000,
        events_per_day=100_000_000,
        bytes_per_value=16,
        window_seconds=DAY,
    ),
    "Sessions": Settings(
        entry="key",
        keys=10_000_000,
        new_keys_per_day=1_000_000,
        events_per_day=500_000_000,
        values_per_key=5,
        bytes_per_value=50,
        window_seconds=30 * MINUTE,
    ),
}


def state(**settings: Any) -> Calculator:
    """The state calculator, with the settings (fields of `Settings`) as given.

    Raises ValueError or TypeError for a setting that it does not have or that no control has.
    """
    return Calculator(
        "calculators.state",
        Settings(**settings),
        PRESETS,
        {
            "entry": choice("One entry for", KINDS),
            "keys": Steps("Keys at the start", _decades(2, 10), words.count),
            "new_keys_per_day": Steps("New keys a day", (0, *_decades(3, 9)), words.count),
            "events_per_day": Steps("Events a day", _decades(5, 11), words.count),
            "values_per_key": Steps("Values an entry", _decades(0, 4), words.count),
            "bytes_per_value": Steps("Bytes a value", BYTES, words.count),
            "window_seconds": Steps("Window, gap or TTL", WINDOWS, words.duration),
            "watermark_seconds": Steps("Watermark", (0, *WINDOWS[:-1]), words.duration),
            "copies": Steps("Copies", (1, 2, 3, 4, 5, 6), str),
            "memory_bytes": Steps("Memory, all nodes", _decades(9, 14), words.size),
        },
        solve,
        charts.state_over_time("lines", "marks"),
    )
