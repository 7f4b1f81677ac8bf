"""A day of 18 M and of 80 M orders on four engines side by side, nightly and hourly.

    pytest -n0 tests/benchmarks/test_bench_volume.py --benchmark-enable -s

Engines in turn within each round, so that a busy machine slows all of them alike; the median of the
rounds counts. DuckDB also counts a night of 200 M: the slope of its three nights says what a
billion rows would take. Without timing, a small day is counted, and the tables alone are compared.
"""

import json
from itertools import product

import pandas as pd
from tradeoff.lab.systems import needs, volume
from tradeoff.lab.systems.contract import differing
from tradeoff.model.amortise import fit_overhead

SIZES, LARGEST, ROUNDS = (18_000_000, 80_000_000), 200_000_000, 3
SHORT = 50_000
MEMORY_MB = 4_000


def test_a_day_at_volume_on_four_engines(benchmark):
    timed = benchmark.enabled
    # All four are held to one table by tests/lab/test_volume.py.
    engines = ["DuckDB", "pandas"]
    if timed:
        engines = [name for name, (_, needed) in volume.ENGINES.items() if not needs.lacks(*needed)]
    runs = []

    def count(day, engine, how):
        counted = volume.count(day, engine, how, memory_mb=MEMORY_MB)
        runs.append({
            "orders": day.orders,
            "how": how,
            "engine": counted.engine,
            "seconds": counted.seconds,
            "peak_mb": counted.peak_bytes / 1e6,
        })  # fmt: skip
        print(runs[-1], flush=True)
        return counted.table

    def measure():
        for size in SIZES if timed else (SHORT,):
            with volume.a_day(size) as day:
                for _ in range(ROUNDS if timed else 1):
                    tables = [count(day, *each) for each in product(engines, volume.HOW)]
                    for table in tables[1:]:
                        assert differing(table, tables[0]).empty
        if timed:
            with volume.a_day(LARGEST) as day:
                for _ in range(ROUNDS):
                    count(day, "DuckDB", "nightly")

    benchmark.pedantic(measure, rounds=1)
    table = pd.DataFrame(runs).groupby(["orders", "how", "engine"], as_index=False).median()
    fastest = table.groupby(["orders", "how"])["seconds"].transform("min")
    table["to_fastest"] = table["seconds"] / fastest
    table["orders_per_second"] = table["orders"] / table["seconds"]
    print(f"\n{table.round(2).to_string(index=False)}")
    benchmark.extra_info["table"] = json.loads(table.to_json(orient="split"))
    assert len(table) == (len(engines) * 2 * len(SIZES) + 1 if timed else len(engines) * 2)
    duck = table["engine"].str.startswith("DuckDB")
    assert (table.loc[duck, "peak_mb"] < MEMORY_MB).all()
    if timed:
        nights = table[duck & (table["how"] == "nightly")]
        slope = fit_overhead(nights["orders"].to_numpy(), nights["seconds"].to_numpy())
        benchmark.extra_info["seconds_for_a_billion"] = float(slope.seconds(1e9))
        print(f"{slope}: a billion rows take {slope.seconds(1e9):.0f} s")
