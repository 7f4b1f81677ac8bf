"""How far off `fit_batches` is, by family of engines, loads measured, rows and columns given.

    pytest tests/benchmarks/test_bench_fit.py --benchmark-enable -n 0 -s

Prints the tables (some minutes); they stand in `extra_info` too. Without --benchmark-enable one
engine a family is fitted, to see that it runs.
"""

import json

import numpy as np
import pandas as pd
import pytest
from engines import FAMILIES, judge, summary
from tradeoff.fit import fit_batches

TOPS = (0.35, 0.45, 0.55, 0.6)  # highest load fitted, as a share of capacity
ROWS = (2, 3, 4, 6)
JUDGED = (0.65, 0.75, 0.85, 0.92)
COLUMNS = {
    "p50": (),
    "p50 and batch": ("batch_seconds",),
    "p50, p99 and batch": ("latency_p99_seconds", "batch_seconds"),
}


def fitted(columns, engines_each: int) -> pd.DataFrame:
    cases = []
    for family in FAMILIES:
        for seed in range(engines_each):
            loads = np.linspace(0.18, TOPS[seed // 4 % 4], ROWS[seed % 4])
            # seeds of their own: none of these engines is one of tests/test_fit.py
            cases.append(judge(fit_batches, family, 1_000 + seed, loads, columns, JUDGED))
    return pd.DataFrame(cases)


@pytest.mark.parametrize("known", COLUMNS)
def test_errors_and_bounds(benchmark, known):
    each = 32 if benchmark.enabled else 1
    judged = benchmark.pedantic(fitted, (COLUMNS[known], each), rounds=1)
    for by in ("family", ["kind", "top"], ["kind", "rows"]):
        table = summary(judged, by)
        print(f"\n{known}, by {by}\n{table.to_string()}")
        benchmark.extra_info[f"by {by}"] = json.loads(table.to_json(orient="split"))
    assert judged.filter(like="error_").notna().to_numpy().all()
    assert (judged["capacity_low"] < judged["capacity_high"]).all()
    if benchmark.enabled:
        assert judged["capacity_inside"].mean() > 0.7
        assert judged["error_75%"].abs().median() < 0.12
