"""The course's tables, the order stream of its shop at any volume, and a week of real flights.

Small CSV files, read by `products`, `consumers`, `order_runs`, `constants`, `claims` and `flights`;
and orders, drawn on demand by `orders`, `order_chunks` and `late_orders`. All but the flights is
invented and repeats exactly for the same arguments. `data/README.md` describes the columns.
"""

from tradeoff.data.arguments import as_day
from tradeoff.data.catalogue import CATALOGUE, PRICE_SPREAD, SEED, make_products
from tradeoff.data.flown import flights
from tradeoff.data.shop import (
    DAY_CURVE,
    MOST_EVENTS,
    ORDER_COLUMNS,
    POPULARITY_EXPONENT,
    QUANTITY_SHARES,
    REGION_TYPE,
    REGIONS,
    late_orders,
    order_chunks,
    orders,
)
from tradeoff.data.tables import (
    SHOP_ZONE,
    DataError,
    claims,
    constants,
    consumers,
    folder,
    lab_run,
    order_runs,
    products,
)

__all__ = [
    "CATALOGUE",
    "DAY_CURVE",
    "MOST_EVENTS",
    "ORDER_COLUMNS",
    "POPULARITY_EXPONENT",
    "PRICE_SPREAD",
    "QUANTITY_SHARES",
    "REGIONS",
    "REGION_TYPE",
    "SEED",
    "SHOP_ZONE",
    "DataError",
    "as_day",
    "claims",
    "constants",
    "consumers",
    "flights",
    "folder",
    "lab_run",
    "late_orders",
    "make_products",
    "order_chunks",
    "order_runs",
    "orders",
    "products",
]
