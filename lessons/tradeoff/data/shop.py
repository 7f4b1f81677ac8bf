"""The order stream of the shop at any volume, drawn when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.data.arguments import as_day, check_hours, check_hours_late, check_whole
from tradeoff.data.catalogue import SEED
from tradeoff.data.tables import SHOP_ZONE, products

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

ORDER_COLUMNS = ("order_id", "order_timestamp", "product_id", "region", "amount_cents")

MINUTES_PER_DAY = 1440
MINUTE_MICROSECONDS = 60_000_000
# A day's order ids lie in one block of a billion; late orders take the upper half of the block.
IDS_PER_DAY = 1_000_000_000
MOST_EVENTS = IDS_PER_DAY // 2


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
    first, last = check_hours(start_hour, hours)
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
    first, last = check_hours(start_hour, hours)
    return stream.chunks(first, last, check_whole("chunk_rows", chunk_rows, 1))


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
    delay = check_hours_late(hours_late)
    stream = _Stream.checked(day, events, seed, products)
    first, last = check_hours(start_hour, hours)
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
            events=check_whole("events", events, 1, MOST_EVENTS),
            seed=check_whole("seed", seed, 0),
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
