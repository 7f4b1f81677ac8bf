"""Ways into PostgreSQL: psycopg2 for statements, ADBC for Arrow; errors say what to do."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from tradeoff.lab.systems.processes import LabError

GONE = (
    "The source is gone or cannot be reached. What was not committed is lost, what was is kept: "
    "start it, or correct its address, and run this again."
)
REFUSED = "The server refused it; nothing of it was kept."
# By SQLSTATE, as PostgreSQL's manual lists them.
ADVICE = {
    "23505": "One of the rows is there already: another run, or an earlier delivery, wrote it. "
    "This one changed nothing; run it again once the other has ended.",
    "53100": "The source's disk is full; nothing of it was kept. Make room, and run it again.",
    "42501": "The user may not do this: give the role CREATEDB, or let the lab start its own.",
}


class Connections:
    """Ways into one database; threads may share them.

    Attributes
    ----------
    url : the address, as libpq, psycopg2 and ADBC take it; with its password.
    place : the same without user and password, for messages.
    """

    def __init__(self, url: str) -> None:
        self.url, self.place = url, place_of(url)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Any]:
        """A psycopg2 cursor in a transaction that commits at the end, or never was."""
        with self.connected(doing) as connection, connection.cursor() as cursor:
            yield cursor
            connection.commit()

    def close(self) -> None:
        """Let go of the idle connections."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    @contextmanager
    def connected(self, doing: str) -> Iterator[Any]:
        import psycopg2  # type: ignore[import-untyped]

        with told(doing, self.place):
            connection = psycopg2.connect(self.url)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def adbc(self, doing: str) -> Iterator[Any]:
        """An ADBC connection, kept for the next one: opening costs it 50 ms, for all the types."""
        import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]

        with told(doing, self.place):
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = adbc_driver_postgresql.dbapi.connect(self.url, autocommit=True)
            try:
                yield connection
            except BaseException:
                with suppress(Exception):
                    connection.close()
                raise
            self._idle.put(connection)


def place_of(url: str) -> str:
    """The address without user and password."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2] or 'local'}{parts.path}"


@contextmanager
def told(doing: str, place: str) -> Iterator[None]:
    """The drivers' errors as LabError, with what to do about it."""
    import adbc_driver_manager
    import psycopg2  # type: ignore[import-untyped]

    try:
        yield
    except (psycopg2.Error, adbc_driver_manager.Error) as error:
        # ADBC's word for a connection that broke has no SQLSTATE either.
        state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)
        gone = state is None and not isinstance(
            error, psycopg2.ProgrammingError | adbc_driver_manager.ProgrammingError
        )
        if gone or (state and state.startswith(("08", "57P"))):
            advice = GONE
        else:
            advice = ADVICE.get(state or "", REFUSED)
        raise LabError(f"{doing} at {place} failed: {str(error).strip()}\n{advice}") from error
