"""The small CSV files of the data folder, each read into the columns its README states."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

# Where the shop and its office keep their clocks. Timestamps of orders are UTC all the same.
SHOP_ZONE = "America/Los_Angeles"


class DataError(ValueError):
    """A table of the course is missing or is not what its README says."""


def folder() -> Path:
    """The folder of the CSV files: the course copy that `tradeoff open` works on, inside an
    installed wheel, or `data/` of the checkout."""
    here = Path(__file__).resolve()
    installed = here.parents[1] / "_course" / "data"
    copy = os.environ.get("TRADEOFF_DATA")
    if copy and Path(copy).is_dir():
        return Path(copy)
    return installed if installed.is_dir() else here.parents[3] / "data"


def products() -> pd.DataFrame:
    """The product catalogue, one row a product, in order of `product_id`.

    =========== ======= ================================================
    product_id  int32   1, 2, … without gaps
    category    str     one of 12
    name        str     distinct
    price_cents int32   price of one piece, US cents, above 0
    =========== ======= ================================================

    Raises DataError when products.csv is missing or damaged.
    """
    return load("products.csv", product_id="int32", category="str", name="str", price_cents="int32")


def consumers() -> pd.DataFrame:
    """Who reads the orders pipeline's result, and how fresh they need it.

    ================= ======= ==========================================================
    name              str     distinct
    tier              int64   1 seconds, 2 under 15 minutes, 3 hourly, 4 daily
    freshness_seconds int64   the oldest an order may be when it becomes visible
    deadline_hour     float64 shop-local hour by which yesterday is complete; NaN: none
    share             float64 part of the orders that its view is built from, at most 1
    use               str     what the consumer does with it
    ================= ======= ==========================================================

    Raises DataError when consumers.csv is missing or damaged.
    """
    return load(
        "consumers.csv",
        name="str",
        tier="int64",
        freshness_seconds="int64",
        deadline_hour="float64 or empty",
        share="float64",
        use="str",
    )


def order_runs() -> pd.DataFrame:
    """Two years of nightly runs of the orders pipeline, one row a run, oldest first.

    ================= =================== ============================================
    run_date          datetime64[us]      the day whose orders the run reads
    start, end        datetime64[us, tz]  in the shop's zone, `SHOP_ZONE`
    rows_new          int64               orders that arrived since the run before
    rows_read         int64               orders the run read
    rows_written      int64               rows it wrote to the fact table
    read_seconds      float64             time spent in each stage
    transform_seconds float64
    write_seconds     float64
    cost_usd          float64             compute of the run, US dollars
    pages             int64               on-call pages that night
    ================= =================== ============================================

    Raises DataError when order_runs.csv is missing or damaged.
    """
    return load(
        "order_runs.csv",
        run_date="date",
        start="time",
        end="time",
        rows_new="int64",
        rows_read="int64",
        rows_written="int64",
        read_seconds="float64",
        transform_seconds="float64",
        write_seconds="float64",
        cost_usd="float64",
        pages="int64",
    )


def lab_run() -> pd.DataFrame:
    """The lab's systems as they were measured once, on the machine named: a row a system.

    For those who lack the engines; `tradeoff lab --run` measures yours, in the same columns.

    =================== ======= ===================================================================
    system              str     what it is and what ran it
    rhythm              str     batch, micro-batch, streaming, or one by one
    engine              str     with its version
    every_seconds       float64 from one run to the next; 0 where nothing is timed
    orders              int64   of the largest busy run: all there before it began
    rows_read           int64   of the paced run: orders came one by one
    seconds             float64 the largest busy run, without the engine's start; the median where
                                there was time for several
    events_per_second   float64 orders / seconds
    start_seconds       float64 the engine's start
    paced_per_second    float64 orders a second in the paced run
    latency_p50_seconds float64 from an order's commit to its being visible, paced; of a batch: the
    latency_p99_seconds float64 wait for its run by the clock, and the run
    state_bytes         float64 kept between batches or events; empty where it cannot be read
    overhead_seconds    float64 fitted to three smaller busy runs: what a run takes whatever its
                                orders, of a batch all runs of a day,
    seconds_per_event   float64 and what an order adds
    predicted_seconds   float64 the largest busy run by those two
    error_percent       float64 of that prediction, by the measured
    machine             str     where
    measured_on         str     when, ISO 8601
    =================== ======= ===================================================================

    Raises DataError when lab_run.csv is missing or damaged.
    """
    return load(
        "lab_run.csv",
        system="str",
        rhythm="str",
        engine="str",
        every_seconds="float64",
        orders="int64",
        rows_read="int64",
        seconds="float64",
        events_per_second="float64",
        start_seconds="float64",
        paced_per_second="float64",
        latency_p50_seconds="float64",
        latency_p99_seconds="float64",
        state_bytes="float64 or empty",
        overhead_seconds="float64",
        seconds_per_event="float64",
        predicted_seconds="float64",
        error_percent="float64",
        machine="str",
        measured_on="str",
    )


def constants() -> pd.DataFrame:
    """The constants of the trade-off model: a value, the range around it, and where it is from.

    =============== ======= ==================================================
    subject         str     what the constant belongs to: an engine, a workload
    field           str     its name in the model
    low, mid, high  float64 the range it may lie in and the value used
    unit            str
    constrained_by  str     claims that fail when it moves by 30 %; empty: the text leaves it open
    source          str     where it comes from, or what it was chosen to meet
    =============== ======= ==================================================

    Raises DataError when constants.csv is missing or damaged.
    """
    return load(
        "constants.csv",
        subject="str",
        field="str",
        low="float64",
        mid="float64",
        high="float64",
        unit="str",
        constrained_by="str or empty",
        source="str",
    )


def claims() -> pd.DataFrame:
    """The figures of the course's text: the range each must fall in, and the reading it needs.

    ============ ======= ==========================================================
    id           str     C1a, C1b, …
    lesson       int64   0 for the opening story
    claim        str     what the figure says
    low, high    float64 closed range, in `unit`
    unit         str
    kind         str     output, conditional, calibration or identity
    reading      str     under which it is true; may be empty
    ============ ======= ==========================================================

    Raises DataError when claims.csv is missing or damaged.
    """
    return load(
        "claims.csv",
        id="str",
        lesson="int64",
        claim="str",
        low="float64",
        high="float64",
        unit="str",
        kind="str",
        reading="str or empty",
    )


def load(filename: str, **kinds: str) -> pd.DataFrame:
    """Read one CSV of the data folder; `CONVERTERS` turns each column into its kind."""
    path = folder() / filename
    wanted = f"{filename} must be a CSV file with the columns {', '.join(kinds)}"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise DataError(f"{path} is missing: {wanted}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}): {wanted}") from error
    header = ",".join(rows[0]) if rows else ""
    if header != ",".join(kinds):
        raise DataError(f"{path} starts with {header!r}: {wanted}")
    if len(rows) == 1:
        raise DataError(f"{path} has no rows: {wanted}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(kinds):
            raise DataError(f"{path}, row {number} has {len(row)} fields: {wanted}")
    table = pd.DataFrame(rows[1:], columns=list(kinds), dtype="str")
    for column, kind in kinds.items():
        try:
            table[column] = CONVERTERS[kind](table[column])
        except (ValueError, OverflowError) as error:
            raise DataError(f"{path}, column {column} must be {kind}: {error}") from error
    return table


def _int64(text: pd.Series) -> pd.Series:
    return text.astype("int64")


def _int32(text: pd.Series) -> pd.Series:
    numbers = _int64(text)  # since int32 wraps a number that is too large for it
    if not numbers.between(-(2**31), 2**31 - 1).all():
        raise ValueError("a number is out of range")
    return numbers.astype("int32")


def _number(text: pd.Series) -> pd.Series:
    numbers = text.astype("float64")
    if not np.isfinite(numbers).all():
        raise ValueError("every value must be a finite number")
    return numbers


def _number_or_empty(text: pd.Series) -> pd.Series:
    given = text != ""
    return _number(text[given]).reindex(text.index)


def _label(text: pd.Series) -> pd.Series:
    if (text.str.strip() == "").any():
        raise ValueError("a value is empty")
    return text


def _date(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="%Y-%m-%d").astype("datetime64[us]")


def _local_time(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text, format="%Y-%m-%dT%H:%M").astype("datetime64[us]")


def _time(text: pd.Series) -> pd.Series:
    # Offsets change with summer time, so the column goes through UTC.
    times = pd.to_datetime(text, format="ISO8601", utc=True)
    return times.dt.tz_convert(SHOP_ZONE).dt.as_unit("us")


CONVERTERS: dict[str, Callable[[pd.Series], pd.Series]] = {
    "int32": _int32,
    "int64": _int64,
    "float64": _number,
    "float64 or empty": _number_or_empty,
    "str": _label,
    "str or empty": lambda text: text,
    "date": _date,
    "local time": _local_time,
    "time": _time,
}
