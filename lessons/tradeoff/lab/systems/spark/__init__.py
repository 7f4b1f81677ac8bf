"""Batch on Spark: the nightly and the hourly run, on this machine or on a cluster.

    with open_source() as source:
        source.load(data.orders("2026-04-25", 100_000))
        nightly, hourly = spark.batch(source, "2026-04-25")

PySpark runs in an environment of its own (`programs/on_spark.py`), which uv makes the first
time; the JDBC driver comes by Maven. Without more it is Spark's local mode: two cores, a gigabyte,
loopback. TRADEOFF_SPARK_REMOTE or SPARK_REMOTE, "sc://host:port", names a Spark Connect server
instead, and the same program counts there: the server needs PostgreSQL's JDBC driver, and must
reach the source. `connect_server` runs such a server on this machine.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pandas as pd

from tradeoff import data
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.contract import Measured
from tradeoff.lab.systems.postgres import Source
from tradeoff.lab.systems.processes import Program, free_port, listens, running, scratch

REMOTE = ("TRADEOFF_SPARK_REMOTE", "SPARK_REMOTE")  # environment variables, the first one wins
DRIVER = ["org.postgresql:postgresql:42.7.8"]
NEEDS = ("java", "maven", "uv")
CORES = 2
# The first start makes the environment: 450 MB of PySpark alone.
START_SECONDS, RUN_SECONDS = 600.0, 600.0


@dataclass(frozen=True)
class Plan:
    """How a day is cut into runs: `step` long each, counted by `window`.

    filtered : "date" asks for the date of the time stamp, as the old query does, "range" for
    [start, end). Both come to the same: Spark makes a range of a date, which PostgreSQL then sees.
    """

    system: str
    path: str
    step: str
    window: str
    filtered: str


PLANS = {
    "nightly": Plan("nightly batch", "spark nightly", "1D", "1D", "date"),
    "hourly": Plan("hourly batch", "spark hourly", "1h", "1h", "range"),
}


def batch(
    source: Source,
    day: Any,
    how: Sequence[str] = ("nightly", "hourly"),
    *,
    hours: Sequence[int] = range(24),
    tell_apart: bool = True,
    parts: int = CORES,
    remote: str | None = None,
) -> list[Measured]:
    """Count a UTC day on Spark, once for each of `how`, all in one session.

    A run overwrites the windows it covers of its own partition of mart.fact_orders, in one
    transaction; a second run changes nothing unless orders came in between. Each task writes its
    part of the result into a staging table; the transaction moves it.

    Parameters
    ----------
    how : keys of `PLANS`: "nightly" counts the day as a whole, "hourly" in 24 runs.
    hours : which of the 24 the hourly runs are.
    tell_apart : time read, transform and write one by one. Orders and counts are then kept between
        the stages, in memory and on disk, which Spark by itself does not do: it takes longer.
    parts : in how many pieces, by order_id, the orders are read at the same time.
    remote : address of a Spark Connect server; by default the environment's (see `REMOTE`).

    Returns a `Measured` for each of `how`; "start" is the session's start, which they share.

    Raises Missing without Java, Maven or uv; LabError when another run has one of the windows,
    Spark fails, or the source is gone. Runs that were done stay.
    """
    counts = [(source, each) for each in how]
    return one_session(counts, day, hours=hours, tell_apart=tell_apart, parts=parts, remote=remote)


def one_session(
    counts: Sequence[tuple[Source, str]],
    day: Any,
    *,
    hours: Sequence[int] = range(24),
    tell_apart: bool = False,
    parts: int = CORES,
    remote: str | None = None,
) -> list[Measured]:
    """Count a day of one source after the other, each (source, how), all in one session.

    The first counts of a session load and compile Java's classes and take longer. Parameters,
    results and errors as `batch` has them.
    """
    unknown = [each for _, each in counts if each not in PLANS]
    if unknown or not counts:
        raise ValueError(f"how must be some of {list(PLANS)}, got {[each for _, each in counts]}")
    start = data.as_day(day)
    sources = list(dict.fromkeys(source for source, _ in counts))
    planned = [_runs(PLANS[each], start, hours) for _, each in counts]
    job = {
        "runs": [
            {"source": sources.index(source), **run}
            for (source, _), runs in zip(counts, planned, strict=True)
            for run in runs
        ],
        "sources": [{"database": each.url, "jdbc": jdbc(each.url)} for each in sources],
        "parts": parts,
        "tell_apart": tell_apart,
        "remote": remote or address(),
        **settings(sources[0], DRIVER),
    }
    with ExitStack() as stack:
        for source, how in dict.fromkeys(counts):
            path = PLANS[how].path
            ensure_partition(source, path)
            windows = [run["start"] for run in _runs(PLANS[how], start, hours)]
            stack.enter_context(source.claimed(path, windows))
        for each, told_of in zip(sources, job["sources"], strict=True):
            [(told_of["started"],)] = each.execute("SELECT pg_postmaster_start_time()::text")
        folder = stack.enter_context(scratch())
        told = folder / "runs.jsonl"
        with started("spark_batch", job, told) as program:
            program.finish(START_SECONDS + RUN_SECONDS)
        *done, last = [json.loads(line) for line in told.read_text("utf-8").splitlines()]
    measured = []
    for (source, how), runs in zip(counts, planned, strict=True):
        own, done = done[: len(runs)], done[len(runs) :]
        measured.append(_measured(source, PLANS[how], own, last["start"], tell_apart))
    return measured


def _runs(plan: Plan, day: pd.Timestamp, hours: Sequence[int]) -> list[dict[str, str]]:
    starts = [day] if plan.step == "1D" else [day + pd.Timedelta(hours=hour) for hour in hours]
    window = {"1D": "1 day", "1h": "1 hour"}[plan.window]
    return [
        {
            "path": plan.path,
            "start": str(start),
            "end": str(start + pd.Timedelta(plan.step)),
            "window": window,
            "filtered": plan.filtered,
        }
        for start in starts
    ]


def _measured(
    source: Source, plan: Plan, own: list[dict[str, Any]], start: float, tell_apart: bool
) -> Measured:
    table = source.read_facts(plan.path)
    starts = pd.to_datetime([run["start"] for run in own])
    table = table[table["window_start"].isin(starts)].reset_index(drop=True)
    clocks = [sum(run["clock"][at] for run in own) for at in range(3)]
    stages = dict(zip(("read", "transform", "write"), clocks, strict=True))
    return Measured(
        system=plan.system,
        engine=own[0]["engine"],
        orders=sum(run["rows_read"] - run["rejected"] for run in own),
        table=table,
        rows_read=sum(run["rows_read"] for run in own),
        seconds=sum(clocks),
        stages={"start": start} | (stages if tell_apart else {}),
    )


# --- a Spark to count on --------------------------------------------------------------------------


def address() -> str | None:
    """The Spark Connect server of the environment, None where it names none."""
    return next((os.environ[name] for name in REMOTE if os.environ.get(name)), None)


@contextmanager
def connect_server() -> Iterator[str]:
    """A Spark Connect server on this machine's loopback while the block runs: its address."""
    needs.demand("Spark Connect", *NEEDS)
    port = free_port()
    job = {"port": port, "jars": jars(DRIVER), "cores": CORES}
    with scratch() as folder, started("spark_connect", job, folder / "unused") as program:
        program.wait_for(lambda: listens(port), START_SECONDS)
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def started(name: str, job: dict[str, Any], results: Path) -> Iterator[Program]:
    """One of the lab's Spark programs, while the block runs, with its job beside its results."""
    beside = results.parent / f"job-{time.time_ns()}.json"
    beside.write_text(json.dumps(job), "utf-8")
    command = needs.script("on_spark.py", name, str(beside), str(results))
    log = results.parent / "spark.txt"
    with running("Spark", command, log, temporary=results.parent) as program:
        yield program


def settings(source: Source, coordinates: Sequence[str]) -> dict[str, Any]:
    """What every job says: the source, the jars, the cores."""
    needs.demand("Spark", *NEEDS)
    return {"database": source.url, "jars": jars(coordinates), "cores": CORES}


def jars(coordinates: Sequence[str]) -> list[str]:
    """The jars of these coordinates, without those that PySpark brings in its own versions."""
    if not coordinates:
        return []
    brought = ("hadoop-", "scala-", "slf4j-", "lz4-", "snappy-", "jsr305-", "spark-tags")
    found = needs.classpath(coordinates).split(os.pathsep)
    return [jar for jar in found if not Path(jar).name.startswith(brought)]


def jdbc(url: str) -> dict[str, str]:
    """A libpq address, "postgresql://user:password@host:port/database", as options of JDBC."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    place = parts.netloc.rpartition("@")[2]
    options = {"url": f"jdbc:postgresql://{place}{parts.path}"}
    if query:
        options["url"] += "?" + urlencode(query)
    named = {"user": parts.username, "password": parts.password}
    return options | {name: unquote(value) for name, value in named.items() if value}


def ensure_partition(source: Source, path: str) -> None:
    """The path's partition of mart.fact_orders, made where it is missing."""
    source.write_facts(path, source.read_facts(path).head(0), [])
