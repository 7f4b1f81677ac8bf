"""fit_batches: on simulated engines whose truth is known, and on DuckDB as it runs here."""

import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from engines import CAPACITY, FAMILIES, SimulatedEngine, judge, summary
from tradeoff.fit import BatchFit, fit_batches

# --- engines whose truth is known --------------------------------------------------------------

ENGINES_EACH = 9


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    """Two to four rows each, the highest at 35 to 65 % of capacity, medians 0.5 to 3 % off."""
    cases = [
        judge(fit_batches, family, seed) for family in FAMILIES for seed in range(ENGINES_EACH)
    ]
    judged = pd.DataFrame(cases)
    print(summary(judged, "family").to_string())  # shown by `pytest -s`
    return judged


def kind(judged: pd.DataFrame, name: str) -> pd.DataFrame:
    return judged[judged["kind"] == name]


@pytest.mark.parametrize("name", ["contended", "held out"])
def test_contended_engines_are_predicted_beyond_the_loads_fitted(judged, name):
    errors = kind(judged, name).filter(like="error_").abs()
    assert (errors.median() < [0.07, 0.12, 0.25]).all()
    assert (errors.quantile(0.9) < [0.20, 0.35, 0.50]).all()


@pytest.mark.parametrize("name", ["contended", "held out"])
def test_bounds_hold_the_truth_of_contended_engines(judged, name):
    rows = kind(judged, name)
    assert rows["latency_inside"].mean() >= 0.75
    assert rows["capacity_inside"].mean() >= 0.75
    assert (rows["capacity"] - 1).abs().median() < 0.25


def test_bounds_hold_most_straight_engines_though_they_are_underrated(judged):
    """The price of expecting contention: an engine without any is taken to be smaller."""
    rows = kind(judged, "straight")
    assert rows["latency_inside"].mean() >= 0.70
    assert rows["capacity_inside"].mean() >= 0.55
    assert 0.75 < rows["capacity"].median() < 1
    assert (rows.filter(like="error_").abs().median() < [0.12, 0.20, 0.35]).all()


def test_capacity_bounds_are_a_quarter_wide(judged):
    """The aim, a quarter, is reached at the median; medians of few low loads say no more."""
    assert judged["capacity_width"].median() < 0.25
    assert judged["capacity_width"].quantile(0.9) < 0.42


# --- the law itself ----------------------------------------------------------------------------


def known(load: float, interval: float, variation: float) -> tuple[float, float]:
    """p50 by the fitted law with parameters known, and by simulation."""
    draws = pd.DataFrame(
        {
            "overhead_seconds": [1.0],
            "capacity_events_per_second": CAPACITY,
            "straight_line_share": 1.0,
            "contention_power": 1.0,
            "variation": variation,
            "floor_seconds": 0.0,
            "measurement_error": 0.01,
        }
    )
    law = BatchFit(pd.DataFrame(), draws).predict(load * CAPACITY, interval)
    engine = SimulatedEngine(1.0, variation=variation)
    simulated = engine.run(load, interval, np.random.default_rng(1))
    return law["latency_p50_seconds"][0], simulated["latency_p50_seconds"]


@pytest.mark.parametrize("interval", [0.0, 1.0, 2.0, 4.0])
@pytest.mark.parametrize(("load", "variation"), [(0.2, 0.05), (0.5, 0.3), (0.8, 0.15)])
def test_law_agrees_with_simulation(load, interval, variation):
    law, simulated = known(load, interval, variation)
    assert law == pytest.approx(simulated, rel=0.05)


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9])
def test_without_variation_the_median_is_one_and_a_half_cycles(load):
    law, _ = known(load, 0.0, 1e-4)
    assert law == pytest.approx(1.5 / (1 - load), rel=0.01)


# --- what a fit says ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    engine, rng = SimulatedEngine(1.0, variation=0.1, quadratic=0.3), np.random.default_rng(3)
    return pd.DataFrame([engine.run(load, 0.0, rng) for load in (0.2, 0.35, 0.5, 0.65, 0.8, 0.9)])


@pytest.fixture(scope="module")
def fitted(rows) -> BatchFit:
    return fit_batches(rows)


def test_rows_near_capacity_pin_it(rows, fitted):
    wide = fit_batches(rows.iloc[:2])
    assert fitted.capacity_events_per_second == pytest.approx(CAPACITY, rel=0.05)
    assert fitted.capacity_low <= CAPACITY <= fitted.capacity_high
    assert fitted.capacity_high - fitted.capacity_low < (wide.capacity_high - wide.capacity_low) / 2


def test_fit_gives_back_its_own_rows(rows, fitted):
    again = fitted.predict(rows["events_per_second"], 0.0)
    ratio = again["latency_p50_seconds"] / rows["latency_p50_seconds"]
    assert ratio.to_numpy() == pytest.approx(np.ones(len(rows)), rel=0.10)


def test_latency_and_load_rise_with_rate(fitted):
    row = fitted.predict(np.linspace(0.1, 0.9, 9) * CAPACITY, 0.0)
    assert row["latency_p50_seconds"].is_monotonic_increasing
    assert row["utilisation"].is_monotonic_increasing
    for name in ("latency_p50_seconds", "latency_p99_seconds", "utilisation"):
        assert (row[f"{name}_low"] <= row[name]).all()
        assert (row[name] <= row[f"{name}_high"]).all()
    assert (row["latency_p99_seconds"] > row["latency_p50_seconds"]).all()
    assert row["stable"].all()


def test_overload_says_how_fast_the_lag_grows(fitted):
    row = fitted.predict(2 * CAPACITY, [0.0, 5.0])
    assert not row["stable"].any()
    assert np.isinf(row["latency_p50_seconds"]).all()
    # 20,000 of 40,000 events a second are left over, so what comes out ages half a second a second
    assert row["backlog_events_per_second"].to_numpy() == pytest.approx(CAPACITY, rel=0.10)
    assert row["lag_seconds_per_second"].to_numpy() == pytest.approx(0.5, rel=0.10)


def test_a_fit_of_fixed_intervals_predicts_another_interval():
    engine, rng = SimulatedEngine(0.5, variation=0.1), np.random.default_rng(5)
    rows = [engine.run(load, 4.0, rng) for load in (0.2, 0.4, 0.6)]
    predicted = fit_batches(pd.DataFrame(rows)).predict(0.5 * CAPACITY, [0.0, 10.0])
    truth = [engine.run(0.5, interval, rng)["latency_p50_seconds"] for interval in (0.0, 10.0)]
    assert predicted["latency_p50_seconds"].to_numpy() == pytest.approx(truth, rel=0.15)


def test_same_rows_same_answer_in_any_unit_of_events(rows):
    first, again = fit_batches(rows.iloc[:3]), fit_batches(rows.iloc[:3])
    pd.testing.assert_frame_equal(first.draws, again.draws)
    thousands = rows.iloc[:3].assign(events_per_second=rows["events_per_second"] / 1_000)
    assert 1_000 * fit_batches(thousands).capacity_events_per_second == pytest.approx(
        first.capacity_events_per_second, rel=1e-6
    )


def test_gaps_in_optional_columns_are_allowed(rows):
    gaps = rows.iloc[:3].assign(latency_p99_seconds=[np.nan, 4.0, np.nan], batch_seconds=np.nan)
    assert np.isfinite(fit_batches(gaps).capacity_events_per_second)


def test_a_load_it_did_not_keep_up_with_bounds_the_capacity(rows):
    low = rows.iloc[:3].assign(keeps_up=True)
    overload = low.iloc[-1:].assign(
        events_per_second=1.1 * CAPACITY, latency_p50_seconds=300.0, keeps_up=False
    )
    fit, without = fit_batches(pd.concat([low, overload])), fit_batches(low)
    assert without.capacity_high > 1.15 * CAPACITY
    assert fit.capacity_low <= CAPACITY <= fit.capacity_high < 1.15 * CAPACITY
    # what its latency was does not matter: it says how long the run lasted
    again = fit_batches(pd.concat([low, overload.assign(latency_p50_seconds=np.nan)]))
    pd.testing.assert_frame_equal(fit.draws, again.draws)


def test_rows_far_below_capacity_give_wide_bounds_that_hold_it():
    engine, rng = SimulatedEngine(1.0, variation=0.1, quadratic=0.5), np.random.default_rng(3)
    rows = pd.DataFrame([engine.run(load, 0.0, rng) for load in (0.04, 0.08, 0.12)])
    fit = fit_batches(rows[["events_per_second", "interval_seconds", "latency_p50_seconds"]])
    assert fit.capacity_low <= CAPACITY <= fit.capacity_high
    assert fit.capacity_high / fit.capacity_low > 2


@pytest.mark.parametrize("column", ["batch_seconds", "latency_p99_seconds"])
def test_optional_columns_do_not_mislead(rows, column):
    known = ["events_per_second", "interval_seconds", "latency_p50_seconds"]
    plain, more = (fit_batches(rows.iloc[:3][names]) for names in (known, [*known, column]))
    assert more.capacity_low <= CAPACITY <= more.capacity_high
    assert more.capacity_high / more.capacity_low < 1.1 * plain.capacity_high / plain.capacity_low


# --- what it refuses ---------------------------------------------------------------------------

GOOD = {
    "events_per_second": [1_000.0, 2_000.0],
    "interval_seconds": [0.0, 0.0],
    "latency_p50_seconds": [1.0, 1.2],
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"events_per_second": [0.0, 1.0]}, "events_per_second must be positive and finite, got 0"),
        ({"latency_p50_seconds": [1.0, np.nan]}, "latency_p50_seconds must be positive"),
        ({"interval_seconds": [0.0, -1.0]}, "interval_seconds must be 0 .* or more"),
        ({"events_per_second": [5.0, 5.0]}, "all rows have one load and one interval"),
        ({"latency_p99_seconds": [2.0, 1.0]}, "latency_p99_seconds is below the median in row 1"),
        ({"batch_seconds": [0.0, 1.0]}, "batch_seconds must be positive"),
    ],
)
def test_bad_numbers_get_one_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit_batches(pd.DataFrame(GOOD | change))


def test_overload_rows_are_refused_unless_marked():
    grown = pd.DataFrame(GOOD | {"latency_p50_seconds": [1.0, 40.0]})
    with pytest.raises(ValueError, match="grows 40-fold to row 1, as in a run that falls behind"):
        fit_batches(grown)
    assert fit_batches(grown.assign(keeps_up=True)).capacity_events_per_second > 2_000
    with pytest.raises(ValueError, match="all rows have one load .* fall behind do not count"):
        fit_batches(grown.assign(keeps_up=[True, False]))
    with pytest.raises(ValueError, match="keeps_up is False at 500 .* yet True at 2000"):
        fit_batches(
            pd.concat(
                [pd.DataFrame(GOOD), pd.DataFrame(GOOD)[:1].assign(events_per_second=500.0)]
            ).assign(keeps_up=[True, True, False])
        )
    with pytest.raises(TypeError, match="keeps_up must hold booleans without gaps, got int64"):
        fit_batches(grown.assign(keeps_up=np.array([1, 0], np.int64)))


def test_missing_columns_and_rows_and_types_are_named():
    frame = pd.DataFrame(GOOD)
    with pytest.raises(ValueError, match="lack interval_seconds, latency_p50_seconds"):
        fit_batches(frame[["events_per_second"]])
    with pytest.raises(ValueError, match="at least two rows, got 1"):
        fit_batches(frame.iloc[:1])
    with pytest.raises(TypeError, match="must be a DataFrame, got dict"):
        fit_batches(GOOD)
    with pytest.raises(TypeError, match="events_per_second must hold numbers"):
        fit_batches(frame.astype({"events_per_second": str}))


def test_predict_refuses_what_no_pipeline_has(fitted):
    with pytest.raises(ValueError, match="events_per_second must be positive"):
        fitted.predict([1_000, -1], 0.0)
    with pytest.raises(ValueError, match="interval_seconds must be 0"):
        fitted.predict(1_000, -1.0)


# --- a real engine -----------------------------------------------------------------------------

# Eighty hashes an event: enough work that one core takes some hundred thousand events a second.
BATCH = """
INSERT INTO events
SELECT i % 16, sum(hash(i * j) % 1000)::BIGINT FROM range(?, ?) AS e(i), range(80) AS w(j)
GROUP BY i % 16
"""
REPEATS = 3
# Processor time of this process, so that other work on the machine does not count; where that clock
# is coarse (Windows), wall time.
PROCESSOR = time.get_clock_info("process_time").resolution <= 1e-4
clock = time.process_time if PROCESSOR else time.perf_counter


def micro_batches(database: Path, rate: float, interval: float, seconds: float) -> dict[str, float]:
    """Event i arrives at i / rate; each batch takes those due, works, commits to the file.

    The engine works for real; while it would idle, `now` moves on without waiting.
    """
    spans, now, taken = [], 0.0, 0
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET threads = 1")
        connection.execute("CREATE OR REPLACE TABLE events (k BIGINT, h BIGINT)")
        while now < seconds:
            due, began = int(now * rate + 1e-6), now
            if due > taken:
                start = clock()
                connection.execute(BATCH, [taken, due])
                connection.execute("CHECKPOINT")
                now += clock() - start
                spans.append((taken, due, began, now))
                taken = due
            if interval:
                now = max(now, (began // interval + 1) * interval)
            now = max(now, (taken + 1) / rate)
    first, last, began, ended = np.array(spans[len(spans) // 5 :]).T
    arrival = np.linspace(first[0], last[-1], 20_000, endpoint=False)
    batch = np.searchsorted(last, arrival, side="right")
    p50, p99 = np.quantile(ended[batch] - arrival / rate, [0.5, 0.99])
    return {
        "events_per_second": rate,
        "interval_seconds": interval,
        "latency_p50_seconds": p50,
        "latency_p99_seconds": p99,
        "batch_seconds": (ended - began).mean(),
    }


def full_speed(database: Path) -> float:
    """Events a second of one large batch after a small one to warm up."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET threads = 1")
        connection.execute("CREATE OR REPLACE TABLE events (k BIGINT, h BIGINT)")
        connection.execute(BATCH, [0, 1_000])
        start = clock()
        connection.execute(BATCH, [0, 50_000])
        return 50_000 / (clock() - start)


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> pd.DataFrame:
    """Median of three runs of each load and interval, taken in turn, some 10 s in all."""
    database = tmp_path_factory.mktemp("engine") / "events.duckdb"
    speed = float(np.median([full_speed(database) for _ in range(REPEATS)]))
    cases = [(load, 0.0) for load in (0.2, 0.35, 0.5, 0.65)] + [(load, 0.15) for load in (0.3, 0.6)]
    runs = [
        {"load": load, **micro_batches(database, load * speed, interval, 0.8)}
        for _ in range(REPEATS)
        for load, interval in cases
    ]
    groups = pd.DataFrame(runs).groupby(["load", "interval_seconds"])
    p50 = groups["latency_p50_seconds"]
    medians = groups.median().assign(spread=p50.max() / p50.min() - 1, speed=speed)
    return medians.reset_index()


def test_duckdb_is_predicted_at_a_higher_load_and_at_another_interval(real):
    """Fitted on three low loads as soon as possible.

    DuckDB keeps its straight line, so it is underrated like the straight engines above: errors of
    0 to 80 % are seen where the aim is 10; repeats of a run differ twofold on busy cores.
    """
    low = (real["load"] <= 0.5) & (real["interval_seconds"] == 0)
    fit = fit_batches(real[low].drop(columns=["load", "speed", "spread"]))
    predicted = fit.predict(real["events_per_second"], real["interval_seconds"])
    real = real.assign(error=predicted["latency_p50_seconds"] / real["latency_p50_seconds"] - 1)
    print(real.round(3).T.to_string())
    capacity = fit.capacity_events_per_second / real["speed"][0]
    print(f"capacity fitted over measured: {capacity:.2f}")
    assert real.loc[low, "error"].abs().median() < 0.30
    assert real.loc[~low, "error"].abs().median() < 0.75
    assert 0.5 < capacity < 2
