"""The simulation: against a plain loop, against the closed form, and where those two part."""

import dataclasses
import heapq
import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tradeoff import (
    FLAT,
    Cadence,
    Design,
    Engine,
    Workload,
    day_curve,
    engine,
    evaluate,
    sized,
    workload,
)
from tradeoff.simulate import Arrivals, Bursts, against_closed_form, is_exact, simulate
from tradeoff.simulate import arrivals as arrivals_room
from tradeoff.simulate import run as run_room
from tradeoff.simulate.count import QUANTILES

DAY = 86_400.0
PEAKED = day_curve(2.2)


def batches(events_per_day, interval=None, curve=FLAT, rate=1000.0, fixed=5.0, **options):
    """A micro-batch loop of one slot; `interval` None is as soon as possible."""
    cluster = Engine(
        "loop",
        ("micro-batch",),
        "always on",
        events_per_second_per_slot=rate,
        slots_per_node=1,
        overhead_seconds=fixed,
    )
    when = Cadence.every(interval) if interval else Cadence.as_soon_as_possible()
    full_read_days = options.pop("full_read_days", 1.0)
    work = Workload("events", events_per_day, curve=curve, full_read_days=full_read_days)
    return Design(work, cluster, "micro-batch", when, **options)


def queue(load, slots=1, curve=FLAT):
    """A stream of ten events a second and slot at most, without a floor under its latency."""
    cluster = Engine("queue", ("streaming",), "always on", 10.0, slots_per_node=slots)
    work = Workload("events", load * 10 * slots * DAY, curve=curve)
    return Design(work, cluster, "streaming", Cadence.per_event())


def errors(design, **options):
    """Percent by which the closed form is off, by figure."""
    return against_closed_form([design], **options).set_index("figure").error_percent


# --- against a plain loop over events -------------------------------------------------------------


def looped(arrivals, interval, fixed, each, span, until):
    """End of the batch that takes each event, one event at a time."""
    ends, taken = [], 0
    covered = free = -interval
    trigger = 0.0
    while covered < until:
        if interval:
            start = max(trigger, free)
            while trigger <= start:
                trigger += interval
        else:
            if taken == len(arrivals):
                break
            start = max(free, arrivals[taken])
        covered = min(start, covered + span)
        first = taken
        while taken < len(arrivals) and arrivals[taken] <= covered:
            taken += 1
        free = start + fixed + (taken - first) * each
        ends += [free] * (taken - first)
    return np.array(ends)


times = st.lists(st.floats(0, DAY, exclude_max=True), min_size=1, max_size=300).map(sorted)


@settings(max_examples=150, deadline=None)
@given(
    times, st.sampled_from([None, 300, 1024, 3600, 21_600]), st.floats(0.25, 5000), st.booleans()
)
def test_batches_are_those_of_a_plain_loop(arrivals, interval, fixed, incremental):
    design = batches(288, interval, rate=0.01, fixed=fixed, incremental=incremental)
    found = simulate(design, arrivals=np.array(arrivals), keep_latencies=True)
    # A full run reads a day of 288 events at 0.01 a second, and covers a day at most.
    run = (fixed, 100.0, math.inf) if incremental else (fixed + 28_800.0, 0.0, DAY)
    ends = looped(arrivals, float(interval or 0), *run, until=DAY)
    np.testing.assert_allclose(found.latencies, ends - arrivals, rtol=1e-9, atol=1e-6)
    table = found.batches
    assert (table.start_seconds >= table.end_seconds.shift(fill_value=-math.inf)).all()
    assert table.events.sum() == len(arrivals)
    assert (table.waiting_events >= 0).all()
    if interval:
        assert (table.start_seconds >= table.trigger_seconds).all()
        assert table.trigger_seconds.is_monotonic_increasing


@settings(max_examples=100, deadline=None)
@given(times, st.integers(1, 7), st.floats(1e-4, 1.0))
def test_a_queue_is_that_of_a_plain_loop(arrivals, servers, rate):
    cluster = Engine("queue", ("streaming",), "always on", rate, slots_per_node=servers)
    design = Design(Workload("events", 1.0), cluster, "streaming", Cadence.per_event())
    found = simulate(design, arrivals=np.array(arrivals), servers=servers, keep_latencies=True)
    free, expected = [0.0] * servers, []
    for arrival in arrivals:
        end = max(arrival, heapq.heappop(free)) + 1 / rate
        heapq.heappush(free, end)
        expected.append(end - arrival)
    np.testing.assert_allclose(found.latencies, expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("design", [batches(5e5, 900, PEAKED), batches(5e5), queue(0.5)])
def test_neither_chunks_nor_drawing_twice_change_a_figure(design, monkeypatch):
    before = simulate(design, seed=3)
    monkeypatch.setattr(run_room, "KEPT_EVENTS", 0)
    again = simulate(design, seed=3)
    pd.testing.assert_frame_equal(before.batches, again.batches)
    assert before.latency_p99_seconds == again.latency_p99_seconds
    monkeypatch.setattr(arrivals_room, "CHUNK_EVENTS", 1000)
    arrivals = np.concatenate(list(Arrivals(design.workload, 0.0, DAY, seed=3).chunks()))
    small = simulate(design, arrivals=arrivals, seed=3)
    monkeypatch.undo()
    large = simulate(design, arrivals=arrivals, seed=3)
    pd.testing.assert_frame_equal(small.batches, large.batches)
    pd.testing.assert_frame_equal(small.backlog, large.backlog)
    assert small.latency_p99_seconds == pytest.approx(large.latency_p99_seconds, rel=1e-9)
    assert small.latency_mean_seconds == pytest.approx(large.latency_mean_seconds, rel=1e-9)


def test_quantiles_are_within_their_stated_error():
    found = simulate(queue(0.9), keep_latencies=True)
    for name, share in QUANTILES.items():
        exact = np.quantile(found.latencies, share)
        assert getattr(found, f"latency_{name}_seconds") == pytest.approx(exact, rel=2**-11)
    assert found.latency_best_seconds == found.latencies.min()
    assert found.latency_worst_seconds == found.latencies.max()
    assert found.latency_mean_seconds == pytest.approx(found.latencies.mean())


def test_memory_does_not_grow_with_events():
    design = batches(6e6, 86_400)  # one batch: 46 MB of arrivals
    simulate(batches(1e4, 86_400))
    tracemalloc.start()
    found = simulate(design)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.events > 5.9e6
    assert peak < 10e6


# --- arrivals -------------------------------------------------------------------------------------


def hourly(workload, **options):
    times = np.concatenate(list(Arrivals(workload, 0.0, DAY, **options).chunks()))
    assert (np.diff(times) >= 0).all()
    return np.bincount((times // 3600).astype(int), minlength=24)


def test_arrivals_follow_the_days_curve_as_a_poisson_process():
    work = Workload("events", 2.4e6, curve=PEAKED)
    expected = 1e5 * np.array(work.curve)
    counts = hourly(work, seed=5)
    squares = (counts - expected) ** 2 / expected
    assert 8 < squares.sum() < 50  # chi-square of 24 free counts: from 0.1 % to 99.9 %
    assert (hourly(work, seed=5) == counts).all()
    assert (hourly(work, seed=6) != counts).any()
    assert np.abs(hourly(work, even=True) - expected).max() <= 1


def test_even_arrivals_are_evenly_spaced_and_blocks_are_fewer():
    times = np.concatenate(list(Arrivals(Workload("events", 864), 0.0, DAY, even=True).chunks()))
    np.testing.assert_allclose(times, np.arange(864) * 100 + 50)
    counts = hourly(Workload("events", 2.4e6), even=True, events_per_arrival=10)
    np.testing.assert_array_equal(counts, np.full(24, 10_000))


def test_bursts_add_their_variation_and_keep_the_mean():
    work = Workload("events", 8.64e6)
    bursty = Arrivals(work, 0.0, DAY, seed=2, bursts=Bursts(0.5, 10.0))
    times = np.concatenate(list(bursty.chunks()))
    counts = np.bincount((times // 10).astype(int), minlength=8640) / 1000.0
    assert counts.mean() == pytest.approx(1.0, abs=0.02)
    assert counts.std() == pytest.approx(math.hypot(0.5, 1000**-0.5), rel=0.05)
    assert abs(np.corrcoef(counts[:-1], counts[1:])[0, 1]) < 0.05


def test_hours_without_events_have_none():
    work = Workload("events", 1e5, curve=[0, 1] * 12)
    assert (hourly(work)[::2] == 0).all()
    assert hourly(work)[1::2].min() > 0


# --- where the closed form is exact ---------------------------------------------------------------


@st.composite
def exact_designs(draw):
    """Timed batches of any day, incremental or not, with just enough nodes to end in time."""
    hours = st.sampled_from([2, 3, 4, 6, 8, 12, 24]).map(lambda count: count * 3600.0)
    interval = draw(st.one_of(st.integers(1, 60).map(lambda parts: 3600.0 / parts), hours))
    some = st.lists(st.one_of(st.just(0.0), st.floats(0.3, 5)), min_size=24, max_size=24)
    part = st.floats(0, 0.15).map(lambda share: share * interval)
    work = Workload(
        "generated",
        events_per_day=10 ** draw(st.floats(6, 10)),
        work_per_event=10 ** draw(st.floats(0, 4)),
        curve=draw(st.one_of(st.floats(1, 2.2).map(day_curve), some.filter(sum))),
        source_events_per_second=draw(st.sampled_from([None, 1e7])),
        fixed_seconds=draw(part),
        fixed_seconds_incremental=draw(part),
        full_read_days=draw(st.floats(0.5, 3)),
    )
    cluster = Engine(
        "generated",
        ("batch",),
        "ephemeral",
        events_per_second_per_slot=1e5,
        start_up_seconds=draw(part),
        overhead_seconds=draw(part),
    )
    design = Design(
        work,
        cluster,
        "batch",
        Cadence.every(interval),
        incremental=draw(st.booleans()),
        start_hour=draw(st.integers(0, 23)),
    )
    try:
        design = sized(design, draw(st.floats(0.3, 1.0)))
    except ValueError:  # what nodes do not shorten already takes longer
        assume(False)
    assume(is_exact(design))
    return design


@settings(max_examples=60, deadline=None)
@given(exact_designs())
def test_where_it_is_exact_the_closed_form_is_within_one_percent(design):
    interval = design.cadence.interval_seconds
    blocks = max(100_000, round(500 * DAY / interval))
    table = against_closed_form([design], arrivals="even", arrivals_per_day=blocks)
    table = table.set_index("figure")
    assert table.error_percent.drop("best").abs().max() < 1.0
    # The last block of a batch comes up to one gap before its trigger, and it sets the best.
    gap = DAY / blocks / min(weight for weight in design.workload.curve if weight)
    best = table.loc["best"]
    assert best.closed_form_seconds == pytest.approx(best.simulated_seconds, rel=0.01, abs=gap)
    assert gap < 0.05 * interval


CATALOGUE = {
    "nightly in full": Design(
        workload("routes").at(18e6),
        engine("spark_ephemeral"),
        "batch",
        Cadence.every("24 h"),
        4,
        incremental=False,
        start_hour=2,
    ),
    "every 6 h": Design(
        workload("routes"), engine("spark_ephemeral"), "batch", Cadence.every("6 h"), 4
    ),
    "hourly": Design(
        workload("routes"), engine("spark_ephemeral"), "batch", Cadence.every("1 h"), 20
    ),
    "every 5 min": Design(
        workload("routes"), engine("spark_streaming"), "micro-batch", Cadence.every("5 min"), 20
    ),
    "every 10 s": batches(20e6, 10, PEAKED),
    "as soon as possible, flat": batches(20e6, rate=333.0),
    "a queue at 70 %": queue(0.7),
}


@pytest.mark.parametrize("design", CATALOGUE.values(), ids=CATALOGUE)
def test_random_arrivals_agree_within_one_percent(design):
    streaming = design.cadence.kind == "per event"
    off = errors(design, days=4 if streaming else 1, seed=11, arrivals_per_day=20_000_000)
    assert off[["mean", "p50", "p95"]].abs().max() < 1.0


def test_hours_without_events_are_neither_lucky_nor_unlucky():
    """A run at eight finds the events of the morning only, so none waits a whole day."""
    curve = [0.0] * 6 + [1.0, 1.0] + [0.0] * 16
    nightly = dataclasses.replace(batches(1e6, 86_400, curve), start_hour=20)
    assert evaluate(nightly).latency_best_seconds == pytest.approx(12 * 3600 + 1005)
    assert errors(nightly, arrivals="even").abs().max() < 0.05


# --- where it is not, in which direction and how far ----------------------------------------------


def test_an_interval_that_does_not_divide_the_hour_is_an_approximation():
    steps = batches(43e6, 3000, [0.2, 1.8] * 12, fixed=60.0)
    assert not is_exact(steps)
    off = errors(steps, arrivals="even")
    assert 12.0 < off["mean"] < 18.0  # a straddling run is the mean of two hours', not either


def test_bursts_make_events_older_than_the_closed_form_says():
    design = batches(25e6, 60, PEAKED)
    p95 = [
        simulate(design, bursts=bursts, events_per_arrival=20).latency_p95_seconds
        for bursts in (None, Bursts(0.3, 60), Bursts(0.6, 60), Bursts(0.6, 600))
    ]
    assert p95 == sorted(p95)
    assert p95[0] == pytest.approx(evaluate(design).latency_p95_seconds, rel=0.01)
    assert p95[-1] > 2 * p95[0]
    # A queue has no interval to hide a wave in.
    assert errors(queue(0.7), bursts=Bursts(0.3, 1))["mean"] < -5


def test_an_overrun_stretches_the_loop_as_the_closed_form_says_and_no_more():
    """Load 0.92 at the peak, where 10 s are too short: the loop settles beyond its trigger."""
    overrunning = batches(36e6, 10, PEAKED)
    found, counted = evaluate(overrunning), simulate(overrunning, arrivals="even")
    assert not found.fits_window
    assert found.keeps_up
    late = counted.batches.start_seconds > counted.batches.trigger_seconds
    assert 0.05 < late.mean() < 0.95
    assert counted.latency_mean_seconds == pytest.approx(found.latency_mean_seconds, rel=0.05)
    assert counted.run_longest_seconds == pytest.approx(found.run_longest_seconds, rel=0.05)


def test_the_peaks_overload_is_worse_than_the_closed_form_says_and_is_gone_by_night():
    """Batches that take all that waits grow with it, and each event waits for all of its batch."""
    overloaded = batches(50e6, 60, PEAKED)
    found, counted = evaluate(overloaded, 2), simulate(overloaded, 2, events_per_arrival=20)
    assert 0.5 < found.latency_worst_seconds / counted.latency_worst_seconds < 0.8
    assert 0.5 < found.latency_p95_seconds / counted.latency_p95_seconds < 0.8
    waiting = counted.backlog.set_index("seconds").waiting_events
    minute = 50e6 / DAY * 60
    for day in (0, 1):
        at_peak, before_dawn = waiting[day * DAY + 21 * 3600], waiting[(day + 0.25) * DAY]
        assert at_peak > 20 * minute
        assert before_dawn < minute


def test_overload_without_end_grows_by_the_day():
    design = batches(1.3 * 86.4e6, 60)
    one, two = (simulate(design, days, events_per_arrival=100) for days in (1, 2))
    assert not evaluate(design).keeps_up
    assert one.latency_worst_seconds > evaluate(design).latency_worst_seconds
    assert two.latency_worst_seconds > 1.5 * one.latency_worst_seconds
    assert two.batches.events.iloc[-1] > 1.5 * one.batches.events.iloc[-1]
    assert one.utilisation > 0.99


def test_full_runs_that_overrun_queue_up_as_the_closed_form_says():
    nightly = batches(90e6, 86_400, PEAKED, incremental=False, start_hour=2)
    found, counted = evaluate(nightly, 5), simulate(nightly, 5, events_per_arrival=100)
    assert not found.keeps_up
    for name in ("mean", "p95", "worst"):
        figure = f"latency_{name}_seconds"
        assert getattr(counted, figure) == pytest.approx(found.figures[figure], rel=0.01)


def test_a_full_run_covers_its_span_at_most():
    """Half a day read in 14 h: a run late by more than its span leaves the newest for the next."""
    design = batches(86.4e6, 3600, fixed=3600.0, rate=920.0, incremental=False, full_read_days=0.5)
    table = simulate(design, 3, events_per_arrival=100).batches
    read = table.read_until_seconds.diff().dropna()
    assert read.max() == pytest.approx(DAY / 2)
    assert table.read_until_seconds.iloc[-1] < table.start_seconds.iloc[-1]
    assert table.waiting_events.iloc[-1] > table.waiting_events.iloc[1]


def test_a_loop_that_finds_nothing_waits_for_an_event():
    """An empty run is not started, so a rare event is visible sooner than the closed form says."""
    rare = batches(100, rate=1e6)
    assert len(simulate(rare).batches) <= 200
    assert simulate(rare).latency_p50_seconds == pytest.approx(5.0, rel=0.01)
    assert errors(rare)["p50"] > 40


def test_several_servers_wait_less_than_the_pooled_queue():
    off = {slots: errors(queue(0.7, slots), servers=slots)["mean"] for slots in (1, 4, 16)}
    assert all(percent > 0 for percent in off.values())
    pooled, apart = queue(0.7, 16), simulate(queue(0.7, 16), servers=16)
    wait = apart.latency_mean_seconds - 0.1
    assert wait < (evaluate(pooled).latency_mean_seconds - 0.1) / 3


def test_a_steady_queue_with_equal_services_waits_half_as_long():
    """Pollaczek and Khinchine: the mean wait of M/D/1 is half that of M/M/1."""
    equal = simulate(queue(0.7), 4, servers=1).latency_mean_seconds - 0.1
    random = evaluate(queue(0.7)).latency_mean_seconds - 0.1
    assert equal == pytest.approx(random / 2, rel=0.01)


def test_a_streams_endless_overload_is_a_line():
    """Load 1.5: at the end of the day half a day's work waits, so the median waits a quarter."""
    off = errors(queue(1.5), seed=4).drop("best")
    assert off.abs().max() < 1.0
    assert evaluate(queue(1.5)).latency_p50_seconds == pytest.approx(DAY / 4, rel=0.01)


def test_a_streams_overload_at_the_peak_is_followed():
    overloaded = queue(0.6, curve=PEAKED)
    found, counted = evaluate(overloaded), simulate(overloaded, seed=4)
    assert counted.latency_mean_seconds == pytest.approx(found.latency_mean_seconds, rel=0.05)
    assert counted.latency_p95_seconds == pytest.approx(found.latency_p95_seconds, rel=0.05)
    assert counted.backlog.waiting_events.max() > 1000 * counted.backlog.waiting_events[1]
    assert counted.utilisation == pytest.approx(0.6, abs=0.03)


# --- what is returned, and refused ----------------------------------------------------------------


def test_the_result_counts_every_event_once():
    design = batches(1e6, 3600, PEAKED, start_hour=2)
    found = simulate(design, 2, keep_latencies=True)
    assert found.events == len(found.latencies) == pytest.approx(2e6, rel=0.01)
    horizon = found.backlog.iloc[-1]
    assert horizon.seconds == 2 * DAY
    assert horizon.arrived_events - horizon.visible_events == horizon.waiting_events
    busy = found.batches.end_seconds - found.batches.start_seconds
    assert found.utilisation == pytest.approx(busy.sum() / (2 * DAY), rel=0.05)
    assert found.run_longest_seconds <= busy.max()


def test_blocks_of_events_stand_for_all_of_them():
    design = batches(5e6, 300, PEAKED)
    every, blocks = (simulate(design, events_per_arrival=size) for size in (1, 10))
    assert blocks.events == pytest.approx(every.events, rel=0.01)
    assert blocks.latency_p95_seconds == pytest.approx(every.latency_p95_seconds, rel=0.01)
    assert blocks.batches.events.sum() == pytest.approx(every.batches.events.sum(), rel=0.01)


def test_designs_of_one_workload_see_the_same_events():
    one, other = batches(1e5, 300), batches(1e5, 600)
    events = [simulate(design, seed=8).events for design in (one, other)]
    assert events[0] == events[1] != simulate(one, seed=9).events


def test_the_comparison_is_tidy():
    table = against_closed_form([CATALOGUE["hourly"], CATALOGUE["a queue at 70 %"]])
    assert list(table.columns) == [
        *("design", "figure", "closed_form_seconds", "simulated_seconds", "error_percent", "exact")
    ]
    assert list(table.groupby("design", sort=False).size()) == [5, 4]
    assert list(table.groupby("design", sort=False).exact.first()) == [True, False]
    share = table.closed_form_seconds / table.simulated_seconds
    np.testing.assert_allclose(table.error_percent, 100 * (share - 1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"days": 0}, "horizon_days must be"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"arrivals": "bursty"}, "arrivals must be 'poisson', 'even' or times, got 'bursty'"),
        ({"arrivals": []}, "arrivals must be a column"),
        ({"arrivals": [1.0, DAY]}, "from 0 to below 86400"),
        ({"arrivals": [-1.0]}, "from 0 to below 86400"),
        ({"arrivals": [3.0, 2.0]}, "in order of time"),
        ({"arrivals": [1.0, math.nan, 2.0]}, "in order of time"),
        ({"arrivals": [1.0], "bursts": Bursts(1, 60)}, "bursts cannot be laid over"),
        ({"events_per_arrival": 0}, "events_per_arrival must be"),
        ({"servers": 2}, "servers is for streams"),
    ],
)
def test_bad_options_are_refused_with_what_is_allowed(options, said):
    with pytest.raises(ValueError, match=said):
        simulate(batches(1e4, 300), **options)


def test_what_cannot_be_simulated_is_said():
    with pytest.raises(TypeError, match="takes one Design"):
        simulate([batches(1e4, 300)])
    with pytest.raises(ValueError, match="must be 1 for a stream"):
        simulate(queue(0.5), events_per_arrival=10)
    with pytest.raises(ValueError, match="no event arrived"):
        simulate(batches(1e-6, 300))
    with pytest.raises(ValueError, match="interval_seconds of 0.001 is too short"):
        simulate(batches(1e4, 0.001))
    with pytest.raises(ValueError, match="variation must be"):
        Bursts(0, 60)
    with pytest.raises(ValueError, match="lasting_seconds must be"):
        Bursts(1, 0)
