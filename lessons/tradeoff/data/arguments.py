"""What an argument may be: one error message for all of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd


def as_day(day: Any) -> pd.Timestamp:
    """A UTC day as a Timestamp at its midnight, without a zone.

    Raises ValueError when it is no date from 1970 to 2199, has a zone, or is not at midnight.
    """
    error = ValueError(
        f'day must be a date from 1970 to 2199, such as "2026-04-25" (UTC, no zone), got {day!r}'
    )
    if not isinstance(day, str | date | np.datetime64):
        raise error
    try:
        stamp = pd.Timestamp(day)
    except ValueError:
        raise error from None
    if pd.isna(stamp) or stamp.tz is not None or stamp != stamp.normalize():
        raise error
    if not 1970 <= stamp.year <= 2199:
        raise error
    return stamp.as_unit("us")


def check_hours(start_hour: int, hours: int) -> tuple[int, int]:
    """The minutes [first, last) of the day's hours asked for."""
    first = check_whole("start_hour", start_hour, 0, 23)
    return 60 * first, 60 * (first + check_whole("hours", hours, 1, 24 - first))


def check_hours_late(hours_late: Any) -> pd.Timedelta:
    allowed = "hours_late must be a number of at least 1 and at most 8760, a year"
    if isinstance(hours_late, bool) or not isinstance(hours_late, int | float | np.number):
        raise TypeError(f"{allowed}, got {hours_late!r}")
    if not 1 <= hours_late <= 8760:
        raise ValueError(f"{allowed}, got {hours_late!r}")
    return pd.Timedelta(hours=float(hours_late))


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    allowed = f"from {least} to {most}" if most is not None else f"of at least {least}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number {allowed}, got {value!r}")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")
    return int(value)
