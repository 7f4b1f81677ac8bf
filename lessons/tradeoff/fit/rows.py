"""The measurements as numbers, or one sentence that says what is wrong with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

REQUIRED = ("events_per_second", "interval_seconds", "latency_p50_seconds")
OPTIONAL = ("latency_p99_seconds", "batch_seconds")
# A median that grows so much from one load to the next is that of a queue: to be a steady state
# the higher load would have to lie between 90 % of capacity and all of it.
GREATEST_JUMP = 10.0


def checked(measurements: pd.DataFrame) -> pd.DataFrame:
    """The known columns as floats and `keeps_up` as booleans, true where it was not given."""
    if not isinstance(measurements, pd.DataFrame):
        raise TypeError(f"measurements must be a DataFrame, got {type(measurements).__name__}")
    missing = [name for name in REQUIRED if name not in measurements]
    if missing:
        raise ValueError(f"measurements lack {', '.join(missing)}; needed: {', '.join(REQUIRED)}")
    if len(measurements) < 2:
        raise ValueError(f"measurements need at least two rows, got {len(measurements)}")
    keeps_up = np.ones(len(measurements), dtype=bool)
    if "keeps_up" in measurements:
        given = measurements["keeps_up"]
        if not pd.api.types.is_bool_dtype(given) or given.isna().any():
            raise TypeError(f"keeps_up must hold booleans without gaps, got {given.dtype}")
        keeps_up = given.to_numpy(dtype=bool)
    rows = pd.DataFrame({"keeps_up": keeps_up})
    for name in (*REQUIRED, *(name for name in OPTIONAL if name in measurements)):
        if name in REQUIRED[:2]:
            positive = name != "interval_seconds"
            rows[name] = numbers(name, measurements[name], positive=positive)
        else:  # the latency of an overload says how long it lasted, nothing of the engine
            kept = measurements[name].to_numpy()[keeps_up]
            rows.loc[keeps_up, name] = numbers(name, kept, positive=True, gaps=name not in REQUIRED)
    _compared(rows)
    if "keeps_up" not in measurements:
        _steady(rows)
    return rows


def _compared(rows: pd.DataFrame) -> None:
    kept = rows[rows["keeps_up"]]
    if len(kept[["events_per_second", "interval_seconds"]].drop_duplicates()) < 2:
        raise ValueError(
            "all rows have one load and one interval (runs that fall behind do not count), which "
            "cannot tell overhead from work per event: measure a second events_per_second"
        )
    above = rows.loc[~rows["keeps_up"], "events_per_second"].min()
    if above <= kept["events_per_second"].max():
        raise ValueError(
            f"keeps_up is False at {above:g} events_per_second, yet True at "
            f"{kept['events_per_second'].max():g}"
        )
    if "latency_p99_seconds" in rows:
        wrong = rows["latency_p99_seconds"] < rows["latency_p50_seconds"]
        if wrong.any():
            raise ValueError(f"latency_p99_seconds is below the median in row {wrong.idxmax()}")


def _steady(rows: pd.DataFrame) -> None:
    """Refuse a median that can hardly be a steady state unless it is said to be one."""
    for _, group in rows.sort_values("events_per_second").groupby("interval_seconds"):
        p50 = group["latency_p50_seconds"]
        jump = p50 / p50.shift()
        if jump.max() > GREATEST_JUMP:
            raise ValueError(
                f"latency_p50_seconds grows {jump.max():.0f}-fold to row {jump.idxmax()}, as in a "
                "run that falls behind: add a column keeps_up, False for such a row (it then "
                "bounds the capacity) or True if its queue did not grow"
            )


def numbers(name: str, values: npt.ArrayLike, positive: bool, gaps: bool = False) -> np.ndarray:
    """Values as finite floats above (or, unless `positive`, at) 0; with `gaps` also NaN."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold numbers, got {array.dtype}")
    numbers = array.astype(np.float64)
    good = np.isfinite(numbers) & ((numbers > 0) if positive else (numbers >= 0))
    good |= gaps & np.isnan(numbers)
    if not good.all():
        rule = "positive" if positive else "0 (as soon as possible) or more"
        raise ValueError(f"{name} must be {rule} and finite, got {numbers[~good].flat[0]:g}")
    return numbers
