"""How quick the model is: a sweep beside a loop of single calls, the import beside pandas'."""

import statistics
import subprocess
import sys
import time

import numpy as np
import pytest
from tradeoff.model import Cadence, Design, engine, evaluate, sweep, workload

LOOPED = 400  # single calls timed in a round; the loop's time is theirs, scaled to the sweep's rows


@pytest.fixture
def size(benchmark) -> int:
    """100 x 100 nodes and volumes at so many intervals: a million designs, fewer in a smoke run."""
    return 2 if benchmark.disabled else 100


def test_a_million_designs_in_one_sweep_beside_a_loop(benchmark, size):
    design = Design(
        workload("orders"), engine("spark_ephemeral"), "batch", Cadence.every("1 h"), nodes=8
    )
    axes = {
        "nodes": list(range(1, 101)),
        "events_per_day": np.geomspace(1e5, 1e9, 100).tolist(),
        "interval_seconds": np.geomspace(10, 3600, size).tolist(),
    }
    table = benchmark.pedantic(sweep, args=(design,), kwargs=axes, rounds=3)
    rng = np.random.default_rng(0)
    rows = table.iloc[rng.choice(len(table), LOOPED, replace=False)]
    records = rows.to_dict("records")
    started = time.perf_counter()
    found = [
        evaluate(
            design.but(
                nodes=row["nodes"],
                events_per_day=row["events_per_day"],
                cadence=Cadence.every(row["interval_seconds"]),
            )
        )
        for row in records
    ]
    looped = (time.perf_counter() - started) / LOOPED * len(table)
    for (_, row), one in zip(rows.iterrows(), found, strict=True):
        for name, value in one.figures.items():
            assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    if not benchmark.disabled:
        benchmark.extra_info["designs"] = len(table)
        benchmark.extra_info["table_mb"] = round(table.memory_usage().sum() / 1e6)
        benchmark.extra_info["times_quicker_than_a_loop"] = round(
            looped / benchmark.stats.stats.median
        )


def test_import_beside_pandas(benchmark):
    def seconds(module: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        return time.perf_counter() - started

    rounds = 1 if benchmark.disabled else 9
    pairs = [(seconds("pandas"), seconds("tradeoff")) for _ in range(rounds)]
    benchmark.pedantic(lambda: None)
    ours, theirs = (
        statistics.median(times) for times in ([b for _, b in pairs], [a for a, _ in pairs])
    )
    benchmark.extra_info["seconds"] = round(ours, 3)
    benchmark.extra_info["times_import_pandas"] = round(ours / theirs, 2)
    assert ours > 0
