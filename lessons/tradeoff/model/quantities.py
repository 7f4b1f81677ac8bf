"""What each number of the model may be: one rule a field, one error message for all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

DAY_SECONDS = 86_400.0
HOUR_SECONDS = 3_600.0
# Above this the arithmetic of a day loses whole units (2**53), and no pipeline is that large.
LARGEST = 1e15


@dataclass(frozen=True)
class Quantity:
    """The unit and the closed or half-open range of one field.

    `above` excludes its bound, `least` and `most` include theirs; `whole` asks for an integer.
    """

    unit: str
    least: float | None = None
    above: float | None = None
    most: float = LARGEST
    whole: bool = False

    @property
    def allowed(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = f"above {self.above:g}" if self.above is not None else f"of at least {self.least:g}"
        return f"{kind} {low} and at most {self.most:g} ({self.unit})"


QUANTITIES: Mapping[str, Quantity] = {
    # workload
    "events_per_day": Quantity("events a day", above=0),
    "bytes_per_event": Quantity("bytes", above=0),
    "work_per_event": Quantity("multiples of relaying one event", above=0),
    "fixed_seconds": Quantity("seconds a run", least=0),
    "fixed_seconds_incremental": Quantity("seconds a run", least=0),
    "full_read_days": Quantity("days of events a run reads", above=0),
    "source_events_per_second": Quantity("events a second", above=0),
    "sink_events_per_second": Quantity("events a second", above=0),
    # state
    "keys": Quantity("keys", above=0),
    "new_keys_per_day": Quantity("keys a day", least=0),
    "values_per_key": Quantity("values", above=0),
    "bytes_per_value": Quantity("bytes", above=0),
    "window_seconds": Quantity("seconds", above=0),
    "watermark_seconds": Quantity("seconds", least=0),
    "pane_seconds": Quantity("seconds", above=0),
    # engine
    "start_up_seconds": Quantity("seconds a run", least=0),
    "overhead_seconds": Quantity("seconds a batch", least=0),
    "latency_floor_seconds": Quantity("seconds", least=0),
    "events_per_second_per_slot": Quantity("events a second at work 1", above=0),
    "slots_per_node": Quantity("slots", above=0),
    "node_usd_per_hour": Quantity("USD per node-hour", least=0),
    "minimum_billed_seconds": Quantity("seconds a run", least=0),
    "minimum_nodes": Quantity("nodes", least=1, whole=True),
    "standby_nodes": Quantity("nodes", least=0, whole=True),
    "stateful_slowdown": Quantity("ratio", least=1),
    "state_index_overhead": Quantity("ratio of the values' bytes", least=0),
    "state_copies": Quantity("copies", least=1),
    "state_bytes_per_node": Quantity("bytes", above=0),
    "state_usd_per_gb_month": Quantity("USD per GB-month", least=0),
    "operations_usd_per_day": Quantity("USD a day", least=0),
    # design
    "nodes": Quantity("nodes", least=1, most=1e6, whole=True),
    "interval_seconds": Quantity("seconds, at most one day", above=0, most=DAY_SECONDS),
    "start_hour": Quantity("o'clock", least=0, most=23, whole=True),
    "run_window_hours": Quantity("hours", above=0, most=24),
    "horizon_days": Quantity("days", least=1, most=366, whole=True),
    "target_utilisation": Quantity("share", above=0, most=1),
    # consumers and money
    "freshness_seconds": Quantity("seconds", above=0),
    "share": Quantity("share of the events", above=0, most=1),
    "deadline_hour": Quantity("o'clock", above=0, most=24),
    "budget_usd_per_day": Quantity("USD a day", above=0),
    "usd_per_minute": Quantity("USD", least=0),
    "threshold_seconds": Quantity("seconds", least=0),
    "latency_seconds": Quantity("seconds", least=0),
}


def check(name: str, value: Any, quantity: Quantity | None = None) -> float:
    """Return `value` as a float, or raise one error that names field, value and what is allowed.

    Raises
    ------
    TypeError
        when it is no number (a Timedelta, a string such as "5 min", a bool, None).
    ValueError
        when it is NaN, infinite or outside the field's range.
    """
    quantity = quantity or QUANTITIES[name]
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {quantity.allowed}, got {value!r}")
    number = float(value)
    if (
        not math.isfinite(number)
        or (quantity.least is not None and number < quantity.least)
        or (quantity.above is not None and number <= quantity.above)
        or number > quantity.most
        or (quantity.whole and number != int(number))
    ):
        raise ValueError(f"{name} must be {quantity.allowed}, got {value!r}")
    return number


# Fields where None has a meaning of its own: no limit, no window, no watermark, no deadline.
OPTIONAL = frozenset(
    {
        "source_events_per_second",
        "sink_events_per_second",
        "window_seconds",
        "watermark_seconds",
        "pane_seconds",
        "deadline_hour",
        "run_window_hours",
        "budget_usd_per_day",
    }
)


def check_fields(thing: Any, *names: str) -> None:
    """Check the named fields of a frozen dataclass; None passes for those in `OPTIONAL`.

    A whole number becomes an int, so that it can count (`range(engine.minimum_nodes, 33)`).
    """
    for name in names:
        value = getattr(thing, name)
        if value is not None or name not in OPTIONAL:
            number = check(name, value)
            if QUANTITIES[name].whole:
                object.__setattr__(thing, name, int(number))


def check_array(name: str, values: Any) -> np.ndarray:
    """The same rule for a whole column: float64 array, the first bad value named.

    Raises as `check` does.
    """
    array = np.asarray(values)
    if array.dtype == object or array.dtype.kind not in "iuf":
        for value in array.ravel():
            check(name, value)
    numbers = array.astype(np.float64)
    quantity = QUANTITIES[name]
    good = np.isfinite(numbers) & (numbers <= quantity.most)
    if quantity.least is not None:
        good &= numbers >= quantity.least
    if quantity.above is not None:
        good &= numbers > quantity.above
    if quantity.whole:
        good &= numbers == np.floor(numbers)
    if not good.all():
        check(name, numbers[~good].flat[0].item())
    return numbers


def seconds(name: str, value: Any) -> float:
    """A duration as seconds: a number of seconds, a Timedelta, or text such as "4 min"."""
    if isinstance(value, str):
        try:
            value = pd.Timedelta(value)
        except ValueError:
            raise ValueError(
                f'{name} must be seconds, a Timedelta or text such as "4 min", got {value!r}'
            ) from None
    if hasattr(value, "total_seconds"):
        value = value.total_seconds()
    return check(name, value)
