"""The C++ path: the same table as every system, and times that are what they say."""

import numpy as np
import pandas as pd
import pytest
from tradeoff import data
from tradeoff.lab.systems import low_latency as module
from tradeoff.lab.systems import needs
from tradeoff.lab.systems.low_latency import compiled, low_latency
from tradeoff.lab.systems.processes import LabError

lacking = needs.lacks("c++")
compiling = pytest.mark.skipif(lacking is not None, reason=str(lacking))

DAY = "2026-04-25"


@pytest.fixture(scope="module")
def orders():
    return data.orders(DAY, 20_000)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("program"))


@pytest.fixture
def once_compiled(program, monkeypatch):
    monkeypatch.setattr(module, "compiled", lambda _: program)


@compiling
def test_it_compiles_and_makes_the_table(orders):
    measured = low_latency(orders)
    assert measured.wrong_rows(orders).empty
    assert measured.engine.startswith("C++ by ")
    assert measured.stages["start"] > 0
    assert measured.setting == "as fast as possible"


@compiling
@pytest.mark.usefixtures("once_compiled")
@pytest.mark.parametrize("window", ["5min", "1D"])
def test_any_window_will_do(orders, window):
    late = data.late_orders(DAY, 2, 200)[list(orders.columns)]
    shuffled = pd.concat([orders, late]).sample(frac=1, random_state=7)
    assert low_latency(shuffled, window=window).wrong_rows(shuffled, window).empty


@compiling
@pytest.mark.usefixtures("once_compiled")
def test_an_order_counts_once_whatever_its_number(orders):
    few = orders.head(4_000).copy()
    # Numbers that only the hash keeps apart, and two negative ones.
    few["order_id"] = np.arange(4_000, dtype=np.int64) << 40
    few.iloc[:2, 0] = [-1, np.iinfo(np.int64).max]
    measured = low_latency(pd.concat([few, few.head(700), few]))
    assert measured.repeated == 4_700
    assert measured.wrong_rows(few).empty


@compiling
@pytest.mark.usefixtures("once_compiled")
def test_what_cannot_be_counted_is_told_and_left_out(orders):
    wrong = orders.head(1_000).astype({"region": "str", "product_id": "Int32"})
    columns = list(wrong.columns)
    for row, (column, value) in enumerate(
        [
            ("product_id", 999_999),
            ("product_id", pd.NA),
            ("product_id", -5),
            ("region", None),
            ("amount_cents", -1),
        ]  # fmt: skip
    ):
        wrong.iloc[row, columns.index(column)] = value
    measured = low_latency(wrong)
    assert measured.rejected == 5
    assert measured.wrong_rows(wrong.iloc[5:]).empty


@compiling
@pytest.mark.usefixtures("once_compiled")
def test_times_are_of_every_order_and_hold_together(orders):
    measured = low_latency(orders)
    for each in (measured.ages, measured.counting_seconds):
        assert len(each) == len(orders)
        assert (each >= 0).all()  # 0 where the clock ticks slower than an order takes
    assert (measured.ages >= measured.counting_seconds).all()
    assert measured.counting_seconds.sum() < measured.seconds
    assert 0 <= measured.clock_seconds < 1e-5
    assert measured.clock_seconds <= measured.counting_seconds.min()
    # Below a tenth of a millisecond on any machine; a few hundred nanoseconds on most.
    assert np.median(measured.counting_seconds) < 1e-4
    figures = measured.nanoseconds()
    assert figures["counting"].is_monotonic_increasing
    assert figures.loc["p99", "age"] == pytest.approx(measured.age(99) * 1e9)
    # The numbers seen alone, 8 bytes each in a table at most half full.
    assert 2 * 8 * len(orders) <= measured.state_bytes < 1e7


@compiling
@pytest.mark.usefixtures("once_compiled")
def test_paced_orders_come_no_sooner_than_they_are_due(orders):
    paced = low_latency(orders.head(5_000), orders_per_second=20_000)
    assert paced.seconds >= 4_999 / 20_000
    assert paced.wrong_rows(orders.head(5_000)).empty
    assert paced.setting == "20,000 orders/s"
    # An order is older than its counting took, held up or not: ages start when it was due.
    assert (paced.ages >= paced.counting_seconds).all()


@pytest.mark.parametrize("pace", [0, -1, float("nan")])
def test_a_pace_must_be_positive(orders, pace):
    with pytest.raises(ValueError, match="orders_per_second must be positive"):
        low_latency(orders, pace)
    with pytest.raises(ValueError, match="at least one order"):
        low_latency(orders.head(0))


def test_without_a_compiler_it_says_what_to_install(orders, monkeypatch):
    monkeypatch.setitem(needs.FINDERS, "c++", (lambda: None, needs.FINDERS["c++"][1]))
    with pytest.raises(needs.Missing, match="ziglang"):
        low_latency(orders)


@compiling
def test_a_program_that_does_not_compile_says_why(tmp_path, monkeypatch):
    broken = tmp_path / "low_latency.cpp"
    broken.write_text("int main() { return nothing; }", "utf-8")
    monkeypatch.setattr(module, "SOURCE", broken)
    with pytest.raises(LabError, match="nothing"):
        compiled(tmp_path)
