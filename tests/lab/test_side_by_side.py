"""Systems side by side: one row each, a wrong table refused, one that fails stops no other."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tradeoff import cli, data
from tradeoff.cli.console import UNREADABLE
from tradeoff.lab.systems import needs, side_by_side
from tradeoff.lab.systems.processes import LabError

QUICK = ["nightly, DuckDB", "C++, in memory"]
lacking = needs.lacks(*side_by_side.POSTGRES, "c++")
quick = pytest.mark.skipif(lacking is not None, reason=str(lacking))


@pytest.fixture(autouse=True)
def one_round(monkeypatch):
    monkeypatch.setattr(side_by_side, "ROUNDS", 1)


def measured(names, **more):
    return side_by_side.run(names, orders=12_000, orders_per_second=500, seconds=1, **more)


def patched(monkeypatch, name, **changes):
    """SYSTEMS with one of them changed."""
    changed = [
        replace(system, **changes) if system.name == name else system
        for system in side_by_side.SYSTEMS
    ]
    monkeypatch.setattr(side_by_side, "SYSTEMS", changed)


@quick
def test_a_row_a_system_with_the_prediction_beside_it():
    said = []
    rows = measured(QUICK, progress=said.append)
    assert list(rows["system"]) == QUICK
    assert list(rows.columns) == list(data.lab_run().columns)
    assert said == ["1 of 2: nightly, DuckDB", "2 of 2: C++, in memory"]
    assert (rows["orders"] == 12_000).all()
    assert (rows["rows_read"] == 500).all()
    assert rows["events_per_second"].tolist() == pytest.approx(12_000 / rows["seconds"])
    expected = rows["overhead_seconds"] + 12_000 * rows["seconds_per_event"]
    assert rows["predicted_seconds"].tolist() == pytest.approx(expected)
    error = 100 * (rows["predicted_seconds"] / rows["seconds"] - 1)
    assert rows["error_percent"].tolist() == pytest.approx(error)
    night, memory = rows.to_dict("records")
    assert 43_200 < night["latency_p50_seconds"] < 43_260  # half a day, and the run
    assert memory["latency_p50_seconds"] < 1
    assert len(side_by_side.shown(rows)) == 2


def test_a_busy_run_counts_with_the_median_of_its_rounds(monkeypatch):
    monkeypatch.setattr(side_by_side, "ROUNDS", 3)
    monkeypatch.setattr(side_by_side, "_right", lambda measured, orders, window: measured)
    took = iter([1.0, 10.0, 7.0, 30.0, 2.0, 20.0])  # three rounds of two tables
    busy = side_by_side._each(lambda orders, broker: SimpleNamespace(seconds=next(took)))
    assert busy(["small", "large"], None) == [2.0, 20.0]


@quick
def test_one_that_fails_is_said_and_stops_no_other(monkeypatch):
    def fails(tables, broker):
        raise LabError("no such disk")

    patched(monkeypatch, "nightly, DuckDB", busy=fails)
    said = []
    assert list(measured(QUICK, progress=said.append)["system"]) == ["C++, in memory"]
    assert any("no such disk" in sentence for sentence in said)
    with pytest.raises(LabError, match="no such disk"):
        measured(QUICK[:1])


@quick
def test_a_wrong_table_is_no_measurement(monkeypatch):
    right = next(each for each in side_by_side.SYSTEMS if each.name == "C++, in memory")

    def half(orders, seconds, broker):
        return right.paced(orders.head(len(orders) // 2), seconds, broker)

    patched(monkeypatch, right.name, paced=half)
    with pytest.raises(LabError, match="wrong table"):
        measured([right.name])


def fitted(every, overhead, each, rhythm="batch", engine="DuckDB"):
    return {
        "engine": engine,
        "rhythm": rhythm,
        "every_seconds": every,
        "orders": 240_000,
        "paced_per_second": 300.0,
        "overhead_seconds": overhead,
        "seconds_per_event": each,
    }


def test_a_curve_takes_each_constant_from_where_it_weighs_most():
    rows = pd.DataFrame([fitted(86_400.0, 0.09, 2e-6), fitted(3_600.0, 24 * 0.02, 9e-6)])
    curve = side_by_side.curves(rows)
    fresh, night = curve.iloc[0], curve.iloc[-1]
    assert night["events_per_second"] == pytest.approx(240_000 / (0.02 + 0.48))
    assert night["latency_seconds"] == pytest.approx(0.99 * 86_400 + 0.02 + 0.48)
    assert fresh["events_per_second"] == pytest.approx(240_000 / (96 * 0.02 + 0.48))  # 15 minutes
    for column in ("latency_seconds", "events_per_second"):
        assert (np.diff(curve[column]) > 0).all()


def test_a_loop_cannot_be_fresher_than_two_of_its_runs():
    rows = pd.DataFrame([fitted(every, 0.01, 4e-6, "micro-batch") for every in (5.0, 0.0)])
    curve = side_by_side.curves(rows)
    run = 0.01 / (1 - 300 * 4e-6)
    assert curve["latency_seconds"].min() == pytest.approx(2 * run, rel=0.01)
    assert curve["events_per_second"].unique() == pytest.approx([240_000 / 0.97])


def test_an_engine_measured_at_one_interval_has_no_curve():
    rows = pd.DataFrame([fitted(3_600.0, 1.0, 0.0), fitted(0.0, 0.1, 1e-5, "streaming", "Flink")])
    curve = side_by_side.curves(rows)
    assert len(curve) == 0
    assert list(curve) == ["engine", "rhythm", "latency_seconds", "events_per_second"]


def test_the_texts_ranges_are_its_claims_in_seconds():
    stated = side_by_side.stated().set_index("workload")
    assert stated.loc["nightly Spark", "rate_low"] == pytest.approx(3e6 / 60)
    assert stated.loc["nightly Spark", "latency_high"] == 25 * 3_600
    assert stated.loc["a slot of Flink", "latency_low"] == 0.1
    assert np.isnan(stated.loc["custom C++", "rate_high"])
    ends = stated.drop("custom C++")
    assert (ends["latency_low"] < ends["latency_high"]).all()
    assert (ends["rate_low"] < ends["rate_high"]).all()


def test_the_recorded_run_has_every_system():
    recorded = data.lab_run()
    assert list(recorded["system"]) == [system.name for system in side_by_side.SYSTEMS]
    assert list(recorded["rhythm"]) == [system.rhythm for system in side_by_side.SYSTEMS]
    assert list(recorded["every_seconds"]) == [each.every_seconds for each in side_by_side.SYSTEMS]


def test_the_command_says_what_can_run_here(capsys, monkeypatch):
    patched(monkeypatch, "Flink", needs=("a_package_nobody_has",))
    assert cli.main(["lab"]) == 0
    said = capsys.readouterr().out
    assert all(system.name in said for system in side_by_side.SYSTEMS)
    assert "no a_package_nobody_has: " in said


def test_a_name_that_is_none_is_an_error(capsys):
    assert cli.main(["lab", "--run", "abacus"]) == UNREADABLE
    assert "no system 'abacus': there are nightly, DuckDB" in capsys.readouterr().err
