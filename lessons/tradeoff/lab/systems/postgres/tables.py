"""The tables of the source and of the results, and how rows are put into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tradeoff import data

# raw.orders takes what comes: only an order without a number or a time has no place in it. The
# index lets an hour be read without the rest of the day.
SCHEMA = """
CREATE SCHEMA raw; CREATE SCHEMA dim; CREATE SCHEMA mart;

CREATE TABLE raw.orders (
    order_id bigint PRIMARY KEY, order_timestamp timestamp NOT NULL, product_id int, region text,
    amount_cents int);
CREATE INDEX ON raw.orders (order_timestamp);

CREATE TABLE raw.rejected (
    path text NOT NULL, window_start timestamp, order_id bigint, order_timestamp timestamp,
    product_id int, region text, amount_cents int, reason text NOT NULL);

CREATE TABLE dim.product (
    product_id int PRIMARY KEY, category text NOT NULL, name text NOT NULL,
    price_cents int NOT NULL);

CREATE TABLE mart.fact_orders (
    path text, window_start timestamp, category text, region text, orders bigint NOT NULL,
    revenue_cents bigint NOT NULL, PRIMARY KEY (path, window_start, category, region))
    PARTITION BY LIST (path);
"""
ORDER_TYPES = ("bigint", "timestamp", "int", "text", "int")
FACT_TYPES = ("timestamp", "text", "text", "bigint", "bigint")
REJECTED = ["window_start", *data.ORDER_COLUMNS, "reason"]
REJECTED_TYPES = ("timestamp", *ORDER_TYPES, "text")


def order_columns(orders: pd.DataFrame) -> pd.DataFrame:
    """The columns of raw.orders; raises ValueError when one is missing."""
    missing = [name for name in data.ORDER_COLUMNS if name not in orders.columns]
    if missing:
        raise ValueError(f"orders must have the columns {data.ORDER_COLUMNS}, lacks {missing}")
    return orders[list(data.ORDER_COLUMNS)]


def insert_into(table: str, types: Sequence[str], more: str = "", *, path: bool = False) -> str:
    """One statement for any number of rows: a list a column, in `types`, after the path if any."""
    first = "%s, " if path else ""
    lists = ", ".join(f"%s::{kind}[]" for kind in types)
    return f"INSERT INTO {table} SELECT {first}each.* FROM unnest({lists}) AS each {more}"


def lists(frame: pd.DataFrame) -> list[list[Any]]:
    """A frame's columns as lists of what psycopg2 takes, None where a value is missing."""
    return [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame]
