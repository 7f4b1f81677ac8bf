"""Spark's Real-time Mode: what the open-source version runs, how fast, and what it refuses.

A micro-batch plans, runs and commits before anything of it can be seen. In Real-time Mode a batch
lasts as long as the trigger says (5 s at least), takes orders while it runs, and gives each out at
once: the interval is how often it commits, not how long an order waits.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.lab.systems import kafka, needs, spark
from tradeoff.lab.systems.kafka import Broker
from tradeoff.lab.systems.processes import scratch
from tradeoff.lab.systems.spark.streaming import KAFKA

INTERVAL = {"realTime": "5 seconds"}
RUN_SECONDS = 300.0
# Work, output mode and trigger of what runs, and is timed; then what differs in what may not run.
TIMED: dict[str, tuple[str, str, dict[str, str]]] = {
    "each order": ("none", "update", INTERVAL),
    "the 5-minute count": ("window", "update", INTERVAL),
    "each order, micro-batch": ("none", "update", {"processingTime": "0 seconds"}),
}
TRIED: dict[str, dict[str, Any]] = {
    "append mode": {"mode": "append"},
    "an interval of 1 s": {"trigger": {"realTime": "1 second"}},
    "from files": {"orders_from": None},
    "into foreachBatch": {"output": "foreachBatch"},
    "a stream joined with itself": {"work": "join"},
}


def real_time_mode(broker: Broker, orders: pd.DataFrame, seconds: float = 10.0) -> pd.DataFrame:
    """Try Real-time Mode from Kafka to Kafka, and time what runs.

    Parameters
    ----------
    broker : a Kafka. orders : sent at an even pace over so many `seconds` to each of `TIMED`.

    Returns
    -------
    A row an attempt: attempt, engine, ran, results (messages that came out), p50_seconds and
    p99_seconds from sending an order until the broker has the message that tells of it, and said
    (Spark's words where it refused).

    Raises Missing without Java, Maven or uv.
    """
    needs.demand("Spark", *spark.NEEDS)
    queries, latencies = [], {}
    for name, (work, mode, trigger) in TIMED.items():
        queries.append(_query(broker, name, work=work, mode=mode, trigger=trigger))
    for name, different in TRIED.items():
        queries.append(_query(broker, name, **different))
    # A task for each partition of the source and of the state, all at the same time.
    job = {
        "address": broker.address,
        "queries": queries,
        "jars": spark.jars(KAFKA),
        "cores": 3,
        "settings": {
            "spark.sql.shuffle.partitions": "1",
            # Told soon that a query without orders runs.
            "spark.sql.streaming.noDataProgressEventInterval": "500",
        },
    }
    with scratch() as folder:
        results = folder / "results"
        results.mkdir()
        with spark.started("spark_realtime", job, results) as program:
            for query in queries[: len(TIMED)]:
                name = query["name"]
                running = results / f"{name}.running"
                program.wait_for(running.exists, spark.START_SECONDS)
                kafka.play(broker, query["orders_from"], orders, seconds)
                latencies[name] = _latencies(broker, query["to"], len(orders))
                (results / f"{name}.finish").touch()
            program.finish(RUN_SECONDS)
        lines = (results / "results.jsonl").read_text("utf-8").splitlines()
    told = pd.DataFrame([json.loads(line) for line in lines])
    measured = [latencies.get(name, np.empty(0)) for name in told["name"]]
    return pd.DataFrame(
        {
            "attempt": told["name"],
            "engine": told["engine"],
            "ran": told["ran"],
            "results": [len(each) for each in measured],
            "p50_seconds": [_percentile(each, 50) for each in measured],
            "p99_seconds": [_percentile(each, 99) for each in measured],
            "said": told["said"],
        }
    )


def _query(broker: Broker, name: str, **different: Any) -> dict[str, Any]:
    topic = name.replace(" ", "-").replace(",", "")
    usual = {
        "name": name,
        "orders_from": broker.create_topic(f"{topic}-in"),
        # The broker stamps a message when it has it, not when Spark made it.
        "to": broker.create_topic(f"{topic}-out", message_timestamp_type="LogAppendTime"),
        "work": "none",
        "mode": "update",
        "trigger": INTERVAL,
        "output": "kafka",
    }
    return usual | different


def _latencies(broker: Broker, topic: str, orders: int, patience_seconds: float = 60.0) -> Any:
    """Seconds from the newest order a message tells of to the message, one a message.

    Reads until a message tells of the last order, or nothing has come for so long.
    """
    from confluent_kafka import Consumer

    reader = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": broker.named(f"{topic}-read"),
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    reader.subscribe([topic])
    found: list[float] = []
    last = time.monotonic()
    try:
        while len(found) < orders and time.monotonic() < last + patience_seconds:
            got = reader.poll(0.2)
            value = None if got is None or got.error() else got.value()
            if got is None or value is None:
                continue
            found.append(got.timestamp()[1] / 1000 - json.loads(value)["committed"])
            last = time.monotonic()
    finally:
        reader.close()
    return np.array(found)


def _percentile(values: np.ndarray, percentile: float) -> float:
    return float(np.percentile(values, percentile)) if len(values) else float("nan")
