"""The course's tables, and the order stream of its shop at any volume.

Two kinds of data: small CSV files, read by `products`, `consumers`, `order_runs` and `constants`;
and orders, drawn on demand by `orders`, `order_chunks` and `late_orders`. All of it is invented and
repeats exactly for the same arguments. `data/README.md` describes the columns.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Where the shop and its office keep their clocks. Timestamps of orders are UTC all the same.
SHOP_ZONE = "America/Los_Angeles"

# Orders an hour over the day's mean, by the hour of the shop's local clock: quiet before dawn, a
# plateau around noon, an evening peak at twice the mean. A shape chosen by us; its mean is 1.
DAY_CURVE: tuple[float, ...] = (
    *(0.60, 0.35, 0.25, 0.20, 0.20, 0.25),  # 00–05
    *(0.40, 0.65, 0.85, 1.00, 1.10, 1.20),  # 06–11
    *(1.25, 1.20, 1.10, 1.10, 1.15, 1.35),  # 12–17
    *(1.55, 1.85, 2.00, 1.90, 1.55, 0.95),  # 18–23
)

# Each region's share of the orders.
REGIONS: dict[str, float] = {
    "north": 0.31,
    "coast": 0.24,
    "south": 0.18,
    "valley": 0.13,
    "plains": 0.09,
    "islands": 0.05,
}

REGION_TYPE = pd.CategoricalDtype(list(REGIONS))

# Share of orders for 1, 2, 3, 4 and 5 pieces of a product.
QUANTITY_SHARES = (0.72, 0.17, 0.06, 0.03, 0.02)

# A product at popularity rank r sells in proportion to r ** -POPULARITY_EXPONENT (Zipf's law).
POPULARITY_EXPONENT = 0.9

SEED = 20_260_425
ORDER_COLUMNS = ("order_id", "order_timestamp", "product_id", "region", "amount_cents")

MINUTES_PER_DAY = 1440
MINUTE_MICROSECONDS = 60_000_000
# A day's order ids lie in one block of a billion; late orders take the upper half of the block.
IDS_PER_DAY = 1_000_000_000
MOST_EVENTS = IDS_PER_DAY // 2


class DataError(ValueError):
    """A table of the course is missing or is not what its README says."""


# --- the tables -----------------------------------------------------------------------------------


def folder() -> Path:
    """The folder of the CSV files: the course copy that `tradeoff open` works on, inside an
    installed wheel, or `data/` of the checkout."""
    here = Path(__file__).resolve()
    installed = here.parent / "_course" / "data"
    copy = os.environ.get("TRADEOFF_DATA")
    if copy and Path(copy).is_dir():
        return Path(copy)
    return installed if installed.is_dir() else here.parents[2] / "data"


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
    return _load(
        "products.csv", product_id="int32", category="str", name="str", price_cents="int32"
    )


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
    return _load(
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
    return _load(
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
    return _load(
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
    return _load(
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


def _load(filename: str, **kinds: str) -> pd.DataFrame:
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
    "time": _time,
}


# --- the product catalogue ------------------------------------------------------------------------

# Kinds of product by category; the number is the category's median price in US dollars.
CATALOGUE: dict[str, tuple[float, str]] = {
    "audio": (85, "Headphones, Speaker, Soundbar, Microphone, Turntable, Amplifier"),
    "bedding": (48, "Pillow, Duvet, Blanket, Sheet Set, Mattress Topper, Quilt"),
    "books": (17, "Atlas, Cookbook, Novel, Notebook, Field Guide, Puzzle Book"),
    "cycling": (60, "Helmet, Pump, Saddle, Bike Lock, Pannier, Light Set"),
    "garden": (34, "Planter, Hose, Trowel Set, Lantern, Bird Feeder, Rake"),
    "kitchen": (39, "Skillet, Kettle, Knife, Mixing Bowl, Grinder, Baking Tray"),
    "lighting": (55, "Floor Lamp, Desk Lamp, Pendant, Bulb Set, Wall Lamp, Light Strip"),
    "office": (29, "Desk Pad, Stapler, Monitor Arm, File Box, Whiteboard, Footrest"),
    "outdoor": (92, "Tent, Backpack, Camp Stove, Sleeping Bag, Water Filter, Hammock"),
    "pets": (24, "Leash, Pet Bed, Feeder, Carrier, Scratching Post, Toy Set"),
    "toys": (22, "Building Set, Board Game, Kite, Model Train, Plush Bear, Marble Run"),
    "tools": (66, "Drill, Tape Measure, Clamp Set, Sander, Toolbox, Level"),
}
LINES = (
    *("Alder", "Basalt", "Birch", "Cedar", "Cobalt", "Coral", "Delta", "Ember", "Fjord"),
    *("Flint", "Granite", "Harbor", "Indigo", "Juniper", "Larch", "Maple", "Meadow", "Nimbus"),
    *("Onyx", "Pebble", "Quartz", "Ridge", "Slate", "Summit", "Tundra", "Willow"),
)
PRICE_SPREAD = 0.6  # standard deviation of the logarithm of a price within its category


def make_products(seed: int = SEED, count: int = 1000) -> pd.DataFrame:
    """Draw the catalogue behind products.csv: the columns and dtypes of `products`.

    A category's share of the catalogue is its share of all possible names (line and kind). Prices
    are log-normal around the category's median and end in 49 or 99 cents.

    Raises ValueError unless 1 <= count <= 1872, the number of distinct names.
    """
    kinds = [
        (category, kind, median)
        for category, (median, names) in CATALOGUE.items()
        for kind in names.split(", ")
    ]
    possible = len(kinds) * len(LINES)
    _check_whole("count", count, 1, possible)
    rng = np.random.default_rng(_check_whole("seed", seed, 0))
    picked = np.sort(rng.choice(possible, size=count, replace=False))
    rows = [(*kinds[i // len(LINES)], LINES[i % len(LINES)]) for i in picked.tolist()]
    medians = np.array([median for _, _, median, _ in rows])
    half_dollars = np.rint(2 * medians * np.exp(PRICE_SPREAD * rng.standard_normal(count)))
    return pd.DataFrame(
        {
            "product_id": np.arange(1, count + 1, dtype=np.int32),
            "category": [category for category, _, _, _ in rows],
            "name": [f"{line} {kind}" for _, kind, _, line in rows],
            "price_cents": (50 * np.maximum(half_dollars, 2) - 1).astype(np.int32),
        }
    )


# --- the order stream -----------------------------------------------------------------------------


def orders(
    day: Any,
    events: int,
    *,
    seed: int = SEED,
    products: pd.DataFrame | None = None,
    start_hour: int = 0,
    hours: int = 24,
) -> pd.DataFrame:
    """The orders of one UTC day, or of some hours of it, in order of arrival.

    Parameters
    ----------
    day : date, Timestamp or text such as "2026-04-25"; a UTC day.
    events : orders in the whole day, whichever hours are asked for; up to 500 million.
    seed : the same arguments and seed give the same orders.
    products : the catalogue to sell from, as `products()` (the default) returns it.
    start_hour, hours : UTC hours [start_hour, start_hour + hours); those rows of the whole day.

    Returns
    -------
    One row an order:

    =============== ============== ===========================================================
    order_id        int64          distinct over all days, rising
    order_timestamp datetime64[us] UTC, without a zone; rising: an order arrives as it is placed
    product_id      int32          a few products sell most (Zipf, `POPULARITY_EXPONENT`)
    region          category       text, one of `REGIONS`
    amount_cents    int32          price of the product times 1 to 5 pieces
    =============== ============== ===========================================================

    Orders an hour follow `DAY_CURVE` by the shop's local clock, so the busiest hour is 03:00 UTC in
    summer and 04:00 in winter.

    Raises ValueError or TypeError naming the argument, what was given and what is allowed.
    """
    stream = _Stream.checked(day, events, seed, products)
    first, last = _check_hours(start_hour, hours)
    return next(stream.chunks(first, last, chunk_rows=MOST_EVENTS), stream.nothing())


def order_chunks(
    day: Any,
    events: int,
    *,
    seed: int = SEED,
    products: pd.DataFrame | None = None,
    start_hour: int = 0,
    hours: int = 24,
    chunk_rows: int = 1_000_000,
) -> Iterator[pd.DataFrame]:
    """The same rows as `orders`, in pieces, so that memory stays bounded at any volume.

    A piece ends with the minute that brings it to `chunk_rows`, so it can be larger by the orders
    of one minute (about `events` / 700 in the peak). Arguments are checked at the call.
    """
    stream = _Stream.checked(day, events, seed, products)
    first, last = _check_hours(start_hour, hours)
    return stream.chunks(first, last, _check_whole("chunk_rows", chunk_rows, 1))


def late_orders(
    day: Any,
    hours_late: float,
    events: int = 1,
    *,
    seed: int = SEED,
    products: pd.DataFrame | None = None,
    start_hour: int = 0,
    hours: int = 24,
) -> pd.DataFrame:
    """Orders placed on `day` that reach the source `hours_late` hours after they were placed.

    Parameters as in `orders`, but for

    hours_late : from 1 to 8760, so that an order always arrives in a later hour than it belongs to.
    events : the number of late orders; all of them are placed within the hours asked for.

    Returns
    -------
    The columns of `orders` and `arrival_timestamp` (datetime64[us], UTC), in order of arrival.
    Their order ids are no order's of the day's own stream.
    """
    delay = _check_hours_late(hours_late)
    stream = _Stream.checked(day, events, seed, products)
    first, last = _check_hours(start_hour, hours)
    weights = stream.minute_shares[first:last]
    rng = stream.rng(MINUTES_PER_DAY + 1)
    minutes = first + rng.choice(last - first, size=events, p=weights / weights.sum())
    offsets = np.sort(
        minutes * MINUTE_MICROSECONDS + rng.integers(0, MINUTE_MICROSECONDS, size=events)
    )
    frame = stream.frame(MOST_EVENTS, offsets, *stream.draw(rng, events))
    frame["arrival_timestamp"] = frame["order_timestamp"] + delay
    return frame


@dataclass(frozen=True, eq=False)
class _Stream:
    """One day's stream. Each minute has a generator of its own: any part can be drawn alone."""

    day: pd.Timestamp
    events: int
    seed: int
    price_cents: np.ndarray  # int32, by position in the catalogue
    product_id: np.ndarray  # int32, by position in the catalogue
    popularity: np.ndarray  # cumulative shares of the products, by position in the catalogue

    @classmethod
    def checked(cls, day: Any, events: int, seed: int, catalogue: pd.DataFrame | None) -> _Stream:
        catalogue = products() if catalogue is None else catalogue
        missing = {"product_id", "price_cents"} - set(catalogue.columns)
        if missing or catalogue.empty:
            raise ValueError(
                "products must be a table with at least one row and the columns product_id and "
                f"price_cents, got {len(catalogue)} rows of {', '.join(map(str, catalogue))}"
            )
        # Ranks are shuffled once and for all, so the best sellers are the same every day.
        rank = 1 + np.random.default_rng(SEED).permutation(len(catalogue))
        share = rank**-POPULARITY_EXPONENT
        return cls(
            day=as_day(day),
            events=_check_whole("events", events, 1, MOST_EVENTS),
            seed=_check_whole("seed", seed, 0),
            price_cents=catalogue["price_cents"].to_numpy(np.int32),
            product_id=catalogue["product_id"].to_numpy(np.int32),
            popularity=np.cumsum(share / share.sum()),
        )

    def rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.day_number, stream])

    @property
    def day_number(self) -> int:
        return (self.day - pd.Timestamp(0)).days

    @property
    def minute_shares(self) -> np.ndarray:
        """Share of the day's orders in each of its 1440 UTC minutes."""
        utc_hours = pd.date_range(self.day, periods=24, freq="h", tz="UTC")
        weights = np.array(DAY_CURVE)[utc_hours.tz_convert(SHOP_ZONE).hour]
        return np.repeat(weights / weights.sum() / 60, 60)

    def chunks(self, first: int, last: int, chunk_rows: int) -> Iterator[pd.DataFrame]:
        """Orders of the minutes [first, last); a piece ends when it holds `chunk_rows`."""
        counts = self.rng(MINUTES_PER_DAY).multinomial(self.events, self.minute_shares)
        done = int(counts[:first].sum())
        pieces: list[tuple[np.ndarray, ...]] = []
        held = 0
        for minute in range(first, last):
            count = int(counts[minute])
            if count:
                rng = self.rng(minute)
                offsets = rng.integers(0, MINUTE_MICROSECONDS, size=count)
                offsets.sort()
                pieces.append((offsets + minute * MINUTE_MICROSECONDS, *self.draw(rng, count)))
                held += count
            if held >= chunk_rows or (held and minute == last - 1):
                yield self.frame(done, *map(np.concatenate, zip(*pieces, strict=True)))
                done += held
                pieces, held = [], 0

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, ...]:
        """Position in the catalogue, region code and pieces of `count` orders."""
        return (
            _pick(rng, self.popularity, count, np.int32),
            _pick(rng, np.cumsum(list(REGIONS.values())), count, np.int8),
            _pick(rng, np.cumsum(QUANTITY_SHARES), count, np.int8) + np.int8(1),
        )

    def frame(
        self,
        first_id: int,
        offsets: np.ndarray,
        positions: np.ndarray,
        regions: np.ndarray,
        pieces: np.ndarray,
    ) -> pd.DataFrame:
        """Columns of `orders`; `offsets` are microseconds since the day's midnight."""
        start = self.day_number * IDS_PER_DAY + first_id
        return pd.DataFrame(
            {
                "order_id": np.arange(start, start + len(offsets), dtype=np.int64),
                "order_timestamp": self.day.to_datetime64().astype("datetime64[us]")
                + offsets.astype("timedelta64[us]"),
                "product_id": self.product_id[positions],
                "region": pd.Categorical.from_codes(regions, dtype=REGION_TYPE),
                "amount_cents": self.price_cents[positions] * pieces,
            }
        )

    def nothing(self) -> pd.DataFrame:
        none = np.zeros(0, dtype=np.int64)
        return self.frame(0, none, none, none.astype(np.int8), none.astype(np.int8))


def _pick(rng: np.random.Generator, cumulative: np.ndarray, count: int, dtype: Any) -> np.ndarray:
    """`count` positions drawn with the given cumulative shares."""
    picked = np.searchsorted(cumulative, rng.random(count), side="right")
    # The last share may sum to a hair below 1.
    return np.minimum(picked, len(cumulative) - 1).astype(dtype)


# --- arguments ------------------------------------------------------------------------------------


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


def _check_hours(start_hour: int, hours: int) -> tuple[int, int]:
    """The minutes [first, last) of the day's hours asked for."""
    first = _check_whole("start_hour", start_hour, 0, 23)
    return 60 * first, 60 * (first + _check_whole("hours", hours, 1, 24 - first))


def _check_hours_late(hours_late: Any) -> pd.Timedelta:
    allowed = "hours_late must be a number of at least 1 and at most 8760, a year"
    if isinstance(hours_late, bool) or not isinstance(hours_late, int | float | np.number):
        raise TypeError(f"{allowed}, got {hours_late!r}")
    if not 1 <= hours_late <= 8760:
        raise ValueError(f"{allowed}, got {hours_late!r}")
    return pd.Timedelta(hours=float(hours_late))


def _check_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    allowed = f"from {least} to {most}" if most is not None else f"of at least {least}"
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number {allowed}, got {value!r}")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")
    return int(value)
