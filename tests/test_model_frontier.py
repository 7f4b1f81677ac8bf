"""The Pareto frontier of designs, and an overhead shared by the events of a batch."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff.model import ENGINES, State, claims, engine, evaluate, sized, workload
from tradeoff.model.amortise import Overhead, at_arrival_rate, fit_overhead
from tradeoff.model.frontier import design_of, efficient, offers

INTERVALS = (86_400, 43_200, 3_600, 900, 60, 10, 1)
SOLD = [engine(name) for name in ENGINES if name != "low_latency"]  # that one is built, not sold
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


# --- the frontier ---------------------------------------------------------------------------------


@given(pairs)
def test_a_design_is_on_the_frontier_unless_another_beats_it(points):
    latency, gain = zip(*points, strict=True)
    kept = efficient(latency, gain)
    for i, (slow, much) in enumerate(points):
        better = any(
            other_slow <= slow and other_much >= much and (other_slow, other_much) != (slow, much)
            for other_slow, other_much in points
        )
        first = points.index((slow, much)) == i
        assert kept[i] == (first and not better)


def test_a_frontier_of_odd_columns_is_refused():
    with pytest.raises(ValueError, match="one length"):
        efficient([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="without NaN"):
        efficient([1.0, math.nan], [1.0, 2.0])
    assert efficient([], []).tolist() == []


@pytest.mark.parametrize("name", ["billion", "clicks", "relay", "low_volume", "orders"])
@pytest.mark.parametrize("least", [1, 4])
def test_an_offer_is_what_the_model_says_of_that_design(name, least):
    work = workload(name)
    table = offers(work, SOLD, INTERVALS, least)
    assert len(table) > 10
    for row in table.itertuples():
        design = design_of(work, engine(row.engine), row.interval_seconds, row.nodes)
        found = evaluate(design)
        assert found.latency_worst_seconds == pytest.approx(row.latency_worst_seconds)
        assert found.cost_usd_per_day == pytest.approx(row.cost_usd_per_day)
        assert design.rhythm == row.rhythm
        assert row.nodes == max(least, sized(design).nodes)
        assert found.keeps_up
    assert table["efficient"].equals(
        pd.Series(efficient(table["latency_worst_seconds"], table["events_per_usd"]))
    )


def test_an_hour_and_more_is_a_batch_without_kept_state():
    table = offers(workload("billion"), [engine("spark_warm")], INTERVALS, 4)
    assert table.groupby("rhythm")["interval_seconds"].agg(["min", "max"]).to_dict("index") == {
        "batch": {"min": 3_600, "max": 86_400},
        "micro-batch": {"min": 60, "max": 900},
    }


def test_what_no_number_of_nodes_keeps_up_is_not_on_offer():
    table = offers(workload("clicks"), [engine("spark_ephemeral")], INTERVALS)
    assert table["interval_seconds"].min() == 900  # its start-up alone takes eight minutes
    slow = workload("orders").at(18e6)  # its source gives less than a stream's peak asks for
    none = offers(slow.at(1e9), [engine("flink")], [])
    assert none.empty
    assert "efficient" in none


def test_bad_offers_are_refused():
    with pytest.raises(ValueError, match="interval_seconds must be at most an hour or one of"):
        offers(workload("clicks"), SOLD, [5_000])
    with pytest.raises(ValueError, match="nodes must be"):
        offers(workload("clicks"), SOLD, INTERVALS, 0)


def test_a_claims_nightly_and_stream_are_on_offer():
    text = claims.Scenarios()
    table = offers(text.workload("billion"), SOLD, INTERVALS, 4).set_index(["engine", "says"])
    bills = table["cost_usd_per_day"]
    assert bills["spark_ephemeral", "24 h"] == pytest.approx(text.billion_nightly.cost_usd_per_day)
    assert bills["flink", "per event"] == pytest.approx(text.billion_streaming.cost_usd_per_day)


@settings(deadline=None)
@given(st.floats(1e5, 3e9), st.sampled_from([1, 2, 4, 16]), st.booleans(), st.floats(1.0, 300.0))
def test_along_the_frontier_less_latency_gives_fewer_events_per_dollar(
    volume, least, stateful, work
):
    kept = State(1e6, 100, window_seconds=604_800, watermark_seconds=600) if stateful else None
    clicks = workload("clicks").at(volume, state=kept, work_per_event=work)
    table = offers(clicks, SOLD, INTERVALS, least)
    best = table[table["efficient"]].sort_values("latency_worst_seconds")
    assert len(best) >= 2
    assert (best["latency_worst_seconds"].diff().dropna() > 0).all()
    assert (best["events_per_usd"].diff().dropna() > 0).all()


# --- overhead, amortised --------------------------------------------------------------------------

SIZES = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]


@given(st.floats(1e-6, 10), st.floats(1e-9, 1e-3))
def test_the_fit_finds_what_made_the_points(overhead, each):
    made = Overhead(overhead, each)
    fitted = fit_overhead(SIZES, made.seconds(SIZES))
    assert fitted.seconds(SIZES) == pytest.approx(made.seconds(SIZES), rel=1e-6)
    if overhead > 1e-2 * each * SIZES[0]:
        assert fitted.overhead_seconds == pytest.approx(overhead, rel=1e-4)


@given(st.lists(st.floats(0.8, 1.25), min_size=7, max_size=7))
def test_the_fit_stands_noise_at_both_ends(noise):
    made = Overhead(3e-3, 2e-6)
    fitted = fit_overhead(SIZES, made.seconds(SIZES) * np.array(noise))
    assert fitted.overhead_seconds == pytest.approx(3e-3, rel=0.3)
    assert fitted.seconds_per_event == pytest.approx(2e-6, rel=0.3)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(1e-6, 1e3)), min_size=2, max_size=8))
def test_the_fit_is_the_best_that_is_not_negative(points):
    sizes, took = (np.array(values, dtype=float) for values in zip(*points, strict=True))
    if len(set(sizes)) < 2:
        return
    fitted = fit_overhead(sizes, took)

    def miss(overhead, each):
        return (((overhead + each * sizes) / took - 1) ** 2).sum()

    found = miss(fitted.overhead_seconds, fitted.seconds_per_event)
    assert min(fitted.overhead_seconds, fitted.seconds_per_event) >= 0
    for a, b in ((0.9, 1), (1.1, 1), (1, 0.9), (1, 1.1), (1.1, 0.9), (0.9, 1.1)):
        moved = miss(fitted.overhead_seconds * a, fitted.seconds_per_event * b)
        assert found <= moved + 1e-7 * (1 + moved)


def test_half_speed_and_the_batch_that_keeps_up():
    disk = Overhead(4e-3, 2e-6)
    assert disk.half_speed_events == pytest.approx(2_000)
    assert disk.events_per_second(2_000) == pytest.approx(disk.events_per_second(1e12) / 2)
    least = disk.least_events(100_000)
    assert disk.events_per_second(least) == pytest.approx(100_000)
    assert disk.least_events(10) == 1
    assert disk.least_events(500_000) == math.inf
    assert Overhead(1.0, 0.0).half_speed_events == math.inf


def test_at_an_arrival_rate_the_first_event_waits_for_the_last():
    table = at_arrival_rate(pd.DataFrame({"events": [1, 101], "seconds": [0.02, 0.5]}), 100.0)
    assert table["wait_seconds"].tolist() == [0.0, 1.0]
    assert table["latency_seconds"].tolist() == [0.02, 1.5]
    assert table["throughput_per_second"].tolist() == [50.0, 202.0]
    assert table["keeps_up"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("sizes", "took", "said"),
    [
        ([1, 1], [1, 2], "two sizes"),
        ([1, 2], [1], "two sizes"),
        ([0, 2], [1, 1], "events must be positive"),
        ([1, 2], [1, math.nan], "seconds must be positive"),
    ],
)
def test_points_that_fit_nothing_are_refused(sizes, took, said):
    with pytest.raises(ValueError, match=said):
        fit_overhead(sizes, took)


def test_bad_constants_and_rates_are_refused():
    with pytest.raises(ValueError, match="overhead_seconds must be"):
        Overhead(-1.0, 1.0)
    with pytest.raises(ValueError, match="some time"):
        Overhead(0.0, 0.0)
    with pytest.raises(ValueError, match="events_per_second must be"):
        Overhead(1.0, 1.0).least_events(0)
    with pytest.raises(ValueError, match="events must be"):
        at_arrival_rate(pd.DataFrame({"events": [0], "seconds": [1.0]}), 1.0)
