"""fit_batches: on simulated engines whose truth is known, and on DuckDB as it runs here."""

import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from tradeoff.fit import BatchFit, fit_batches

# --- engines whose truth is known --------------------------------------------------------------

CAPACITY = 20_000.0  # events a second, of every simulated engine
JUDGED = (0.65, 0.75, 0.85)  # shares of capacity; the rows fitted are at 0.65 of it at most
ENGINES_EACH = 10


@dataclass(frozen=True)
class SimulatedEngine:
    """A micro-batch engine: seconds of work per second of arrivals grow to 1 at its capacity."""

    overhead_seconds: float
    variation: float = 0.02  # cv of a whole batch's time
    pauses: float = 0.0  # share of a batch's time that is spent in pauses of random length
    quadratic: float = 0.0  # extra work per event at capacity, growing with the square of load
    knee: float = 0.0  # extra work per event at capacity, growing from 85 % of load on
    floor: float = 0.0  # latency outside the batch, as a share of the overhead

    def busy(self, load: float) -> float:
        knee = max(0.0, (load - 0.85) / 0.15)
        extra = (1 + self.quadratic * load**2) * (1 + self.knee * knee)
        return load * extra / ((1 + self.quadratic) * (1 + self.knee))

    def run(
        self, load: float, interval: float, rng: np.random.Generator, error: float = 0.0
    ) -> dict[str, float]:
        """Run 1,200 batches over Poisson arrivals; `error` is the relative error of the report."""
        rate, start, before = load * CAPACITY, 0.0, -max(interval, self.overhead_seconds)
        variance = np.log1p(self.variation**2)
        cycles, batches = [], []
        for _ in range(1_200):
            cycle = start - before
            arrived = rng.poisson(rate * cycle) / (cycle * CAPACITY)
            seconds = self.overhead_seconds + cycle * self.busy(arrived)
            if self.pauses:
                mean = self.overhead_seconds / 2
                pauses = rng.exponential(mean, rng.poisson(seconds * self.pauses / mean))
                seconds = seconds * (1 - self.pauses) + pauses.sum()
            seconds *= rng.lognormal(-variance / 2, variance**0.5)
            cycles.append(cycle)
            batches.append(seconds)
            trigger = (start // interval + 1) * interval if interval else 0.0
            before, start = start, max(trigger, start + seconds)
        cycle, batch = np.array(cycles[100:]), np.array(batches[100:])
        event = rng.choice(len(cycle), 20_000, p=cycle / cycle.sum())
        latency = batch[event] + cycle[event] * rng.random(len(event))
        p50, p99 = np.quantile(latency + self.floor * self.overhead_seconds, [0.5, 0.99])
        return {
            "events_per_second": rate,
            "interval_seconds": interval,
            "latency_p50_seconds": p50 * np.exp(rng.normal(0, error)),
            "latency_p99_seconds": p99,
            "batch_seconds": batch.mean(),
        }


def constant(rng):
    return {}


def lognormal(rng):
    return {"variation": rng.uniform(0.1, 0.35)}


def pauses(rng):
    return {"pauses": rng.uniform(0.05, 0.2), "variation": 0.05}


def quadratic(rng):
    return {"quadratic": rng.uniform(0.2, 1.0), "variation": 0.1}


def knee(rng):
    return {"knee": rng.uniform(0.1, 1.0), "variation": 0.1}


def everything(rng):
    return {
        "variation": rng.uniform(0.05, 0.3),
        "pauses": rng.uniform(0, 0.1),
        "quadratic": rng.uniform(0, 1),
        "knee": rng.uniform(0, 0.6),
        "floor": rng.uniform(-0.1, 0.3),
    }


STRAIGHT = (constant, lognormal, pauses)  # work per event is the same at any load
CONTENDED = (quadratic, knee, everything)  # what clusters do
FAMILIES = (*STRAIGHT, *CONTENDED)


def judge(family, seed: int) -> dict[str, float]:
    """Fit one engine at two to four low loads; how far off is it at the higher ones?"""
    rng = np.random.default_rng([seed, FAMILIES.index(family)])
    overhead = float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
    engine = SimulatedEngine(overhead, **family(rng))
    interval = 0.0 if seed % 2 else overhead * rng.uniform(1.5, 6)
    loads = np.linspace(rng.uniform(0.1, 0.25), rng.uniform(0.35, 0.65), rng.integers(2, 5))
    rows = [engine.run(load, interval, rng, error=0.03) for load in loads]
    columns = ["events_per_second", "interval_seconds", "latency_p50_seconds"]
    fit = fit_batches(pd.DataFrame(rows)[columns])
    predicted = fit.predict(np.array(JUDGED) * CAPACITY, interval)
    truth = [engine.run(load, interval, rng)["latency_p50_seconds"] for load in JUDGED]
    errors = predicted["latency_p50_seconds"].to_numpy() / truth - 1
    low, high = predicted["latency_p50_seconds_low"], predicted["latency_p50_seconds_high"]
    capacity = fit.capacity_events_per_second
    return {
        "family": family.__name__,
        **{f"error_{share:.0%}": error for share, error in zip(JUDGED, errors, strict=True)},
        "latency_inside": np.mean((low <= truth) & (truth <= high)),
        "capacity": capacity / CAPACITY,
        "capacity_inside": fit.capacity_low <= CAPACITY <= fit.capacity_high,
        "capacity_width": max(fit.capacity_high / capacity - 1, 1 - fit.capacity_low / capacity),
    }


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    rows = [judge(family, seed) for family in FAMILIES for seed in range(ENGINES_EACH)]
    return pd.DataFrame(rows).set_index("family")


def contended(judged: pd.DataFrame) -> pd.DataFrame:
    return judged.loc[[family.__name__ for family in CONTENDED]]


def test_report_by_family(judged, capsys):
    """Not a judgement: the table that the assertions below summarise; shown by `pytest -s`."""
    groups = judged.groupby(level=0, sort=False)
    table = groups[["latency_inside", "capacity", "capacity_inside", "capacity_width"]].mean()
    for share in JUDGED:
        column = groups[f"error_{share:.0%}"]
        table[f"median_{share:.0%}"] = column.apply(lambda errors: errors.abs().median())
        table[f"worst_{share:.0%}"] = column.apply(lambda errors: errors.abs().max())
    print(table.round(2).T.to_string())
    assert len(table) == len(FAMILIES)


def test_contended_engines_are_predicted_beyond_the_loads_fitted(judged):
    """The aim is 10 % at the median and 25 % at worst.

    At 65 % of capacity the median error is 4 %, the worst 29 %. At 75 % it is 6 to 18 % by family
    and 45 % at worst, at 85 % 13 to 35 % and 55 %: there the aim is missed.
    """
    errors = contended(judged).filter(like="error_").abs()
    assert errors["error_65%"].median() < 0.10
    assert errors["error_75%"].median() < 0.15
    assert errors["error_85%"].median() < 0.25
    assert errors["error_65%"].max() < 0.35
    assert errors.to_numpy().max() < 0.65


def test_bounds_hold_the_truth_of_contended_engines(judged):
    rows = contended(judged)
    assert rows["latency_inside"].mean() >= 0.75
    assert rows["capacity_inside"].mean() >= 0.75
    assert (rows["capacity"] - 1).abs().median() < 0.20


def test_capacity_bounds_are_no_wider_than_two_fifths(judged):
    """The aim, a quarter, is reached by fewer than all: medians of low loads say no more."""
    assert judged["capacity_width"].median() < 0.40


def test_straight_engines_are_underrated_but_not_by_more_than_a_third(judged):
    """The price of expecting contention: an engine without any is taken to be smaller."""
    rows = judged.loc[[family.__name__ for family in STRAIGHT]]
    assert 0.67 < rows["capacity"].median() < 1
    assert rows["error_65%"].abs().median() < 0.20


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
    2 to 40 % are seen where the aim is 10; repeats of a run differ by up to 40 % on busy cores.
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
    assert 0.5 < capacity < 1.5
