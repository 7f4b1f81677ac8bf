"""The five workloads that the course's text names, each at its own operating point (C4)."""

from __future__ import annotations

import pandas as pd

from tradeoff.model import Evaluation, claims


def named(scenarios: claims.Scenarios | None = None) -> pd.DataFrame:
    """Throughput, latency and price of the five, by the model; one row each.

    They are five pipelines, not five designs of one: work, volume and cluster differ.

    Columns: workload, rhythm, claims (the ids of its figures), throughput_per_second, counted (what
    that figure is: while a run lasts, sustained, one slot), latency_seconds (worst),
    events_per_day, nodes, cost_usd_per_day, events_per_usd.
    """
    text = scenarios or claims.Scenarios()
    minute = text.triggered(text.clicks, "1 min")
    path = text.streaming(text.workload("relay"), "low_latency")

    def slot(found: Evaluation) -> float:
        slots = found.design.nodes * found.design.engine.slots_per_node
        return float(found.sustainable_events_per_second / slots)

    nightly, hourly = text.nightly("nightly_100gb"), text.hourly("hourly_4gb")
    rows = [
        ("nightly Spark, 100 GB", "C4a C4b", nightly, nightly.running_events_per_second, "run"),
        ("hourly batch, 4 GB", "C4c C4d", hourly, hourly.running_events_per_second, "run"),
        (
            "Spark, 1-min trigger",
            "C4e C4f",
            text.triggered(text.billion_stateless, "1 min"),
            minute.sustainable_events_per_second,
            "sustained",
        ),
        ("Flink on Kafka", "C4g C4h", text.relay, slot(text.relay), "one slot"),
        ("custom C++ path", "C4i", path, slot(path), "one core"),
    ]
    return pd.DataFrame(
        {
            "workload": name,
            "rhythm": found.design.rhythm.value,
            "claims": ids,
            "throughput_per_second": throughput,
            "counted": counted,
            "latency_seconds": found.latency_worst_seconds,
            "events_per_day": found.design.workload.events_per_day,
            "nodes": found.design.nodes,
            "cost_usd_per_day": found.cost_usd_per_day,
            "events_per_usd": found.design.workload.events_per_day / found.cost_usd_per_day,
        }
        for name, ids, found, throughput, counted in rows
    )
