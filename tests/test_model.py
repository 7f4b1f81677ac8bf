"""The closed form: against an event-by-event count, its laws, and its answers to bad input."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import tradeoff
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tradeoff.model import (
    ENGINES,
    FLAT,
    WORKLOADS,
    Billing,
    Cadence,
    Consumer,
    Design,
    Engine,
    Plan,
    Rhythm,
    State,
    Workload,
    compare,
    day_curve,
    engine,
    evaluate,
    sized,
    sweep,
    tier_of,
    workload,
)
from tradeoff.model import state as state_room

DAY = 86_400.0

# --- the closed form against a count of events ----------------------------------------------------


def counted_latencies(design, days=3, events=40_000):
    """Push evenly spaced events of each hour through the cadence; latencies of the second day.

    A run starts at its trigger, or when the one before ends, and takes all that has arrived.
    """
    work, each_node = design.workload, design.engine
    shares = np.asarray(work.curve) / 24
    per_hour = [max(1, round(share * events)) for share in shares]
    day = np.concatenate(
        [(hour + (np.arange(n) + 0.5) / n) * 3600 for hour, n in enumerate(per_hour)]
    )
    weight = np.concatenate(
        [
            np.full(n, share * work.events_per_day / n)
            for share, n in zip(shares, per_hour, strict=True)
        ]
    )
    arrivals = np.concatenate([day + k * DAY for k in range(days)])
    weights = np.tile(weight, days)
    rate = (
        design.nodes
        * each_node.slots_per_node
        * each_node.events_per_second_per_slot
        / work.work_per_event
    )
    fixed = each_node.start_up_seconds + each_node.overhead_seconds + work.fixed_seconds_incremental
    interval = design.cadence.interval_seconds
    latency = np.full(len(arrivals), np.nan)
    done, free, trigger = 0, 0.0, design.start_hour * 3600.0
    while trigger <= days * DAY:
        start = max(trigger, free)
        taken = np.searchsorted(arrivals, start)
        free = start + fixed + weights[done:taken].sum() / rate
        latency[done:taken] = free - arrivals[done:taken]
        done, trigger = taken, trigger + interval
    last = (arrivals >= DAY) & (arrivals < 2 * DAY)  # steady by now, and served before the end
    order = np.argsort(latency[last])
    mass = np.cumsum(weights[last][order]) / weights[last].sum()
    values = latency[last][order]
    return {
        "mean": np.average(latency[last], weights=weights[last]),
        "p50": values[np.searchsorted(mass, 0.5)],
        "p95": values[np.searchsorted(mass, 0.95)],
        "worst": values[-1],
    }


@pytest.mark.parametrize("interval", ["5 min", "1 h", "6 h", "24 h"])
@pytest.mark.parametrize("start_hour", [0, 2])
@pytest.mark.parametrize("curve", [FLAT, day_curve(2.2)], ids=["flat", "peaked"])
def test_latency_agrees_with_a_count_of_events_within_one_percent(interval, start_hour, curve):
    work = Workload("counted", 5e6, work_per_event=2000, curve=curve, fixed_seconds_incremental=7)
    runs = Engine(
        "cluster",
        (Rhythm.BATCH,),
        Billing.EPHEMERAL,
        events_per_second_per_slot=100_000,
        start_up_seconds=60,
        overhead_seconds=20,
    )
    design = Design(work, runs, "batch", Cadence.every(interval), start_hour=start_hour)
    found = evaluate(design)
    assert found.fits_window
    for name, counted in counted_latencies(design).items():
        assert found.figures[f"latency_{name}_seconds"] == pytest.approx(counted, rel=0.01), name


def test_a_streams_wait_is_the_mm1_queues():
    """Mean wait of an M/M/1 queue: load x service / (1 - load), drawn by Lindley's recursion."""
    rng = np.random.default_rng(7)
    rate, service = 700.0, 1e-3
    arrivals = rng.exponential(1 / rate, 400_000)
    services = rng.exponential(service, 400_000)
    wait, total = 0.0, 0.0
    for gap, took in zip(arrivals, services, strict=True):
        wait = max(0.0, wait - gap)
        total += wait
        wait += took
    one_slot = Engine(
        "one slot", ("streaming",), "always on", 1000.0, slots_per_node=1, latency_floor_seconds=0
    )
    found = evaluate(
        Design(Workload("queue", rate * DAY), one_slot, "streaming", Cadence.per_event())
    )
    assert found.latency_mean_seconds - service == pytest.approx(total / 400_000, rel=0.05)


# --- laws -----------------------------------------------------------------------------------------

volumes = st.floats(1e3, 1e10)
intervals = st.one_of(st.floats(0.5, 3600.0), st.sampled_from([h * 3600.0 for h in (2, 6, 12, 24)]))
curves = st.one_of(
    st.just(FLAT),
    st.floats(1.0, 6.0).map(day_curve),
    st.lists(st.floats(0, 5), min_size=24, max_size=24).filter(lambda weights: sum(weights) > 0.1),
)
states = st.one_of(
    st.none(),
    st.builds(
        State,
        keys=st.floats(1, 1e8),
        values_per_key=st.floats(1, 100),
        window_seconds=st.one_of(st.none(), st.floats(1, 7 * DAY)),
        watermark_seconds=st.one_of(st.none(), st.floats(0, DAY)),
        new_keys_per_day=st.floats(0, 1e6),
    ),
)


triggers = intervals.map(Cadence.every)
any_cadence = st.one_of(st.just(Cadence.as_soon_as_possible()), triggers)


@st.composite
def designs(draw, rhythm=None, cadence=None, curve=curves):
    chosen = engine(
        draw(
            st.sampled_from(
                [name for name in ENGINES if rhythm is None or rhythm in engine(name).rhythms]
            )
        )
    )
    mode = rhythm or draw(st.sampled_from(chosen.rhythms))
    if mode is Rhythm.STREAMING:
        when = Cadence.per_event()
    else:
        when = draw(any_cadence if cadence is None else cadence)
    base = workload(draw(st.sampled_from(WORKLOADS)))
    work = dataclasses.replace(
        base,
        events_per_day=draw(volumes),
        curve=draw(curve),
        state=draw(states),
        full_read_days=draw(st.floats(0.5, 30)),
    )
    return Design(
        work,
        chosen,
        mode,
        when,
        nodes=draw(st.integers(1, 200)),
        incremental=mode is Rhythm.STREAMING or draw(st.booleans()),
        start_hour=draw(st.integers(0, 23)),
        run_window_hours=draw(st.one_of(st.none(), st.floats(0.5, 24))),
    )


WAITING_BATCHES = st.sampled_from([Rhythm.BATCH, Rhythm.MICRO_BATCH])


@settings(max_examples=300, deadline=None)
@given(designs(), st.integers(1, 4))
def test_every_figure_is_finite_and_not_negative_and_repeats(design, days):
    found = evaluate(design, horizon_days=days)
    for name, value in found.figures.items():
        assert math.isfinite(value), (name, value)
        assert value >= 0, (name, value)
    assert found.figures == evaluate(design, horizon_days=days).figures
    order = [found.figures[f"latency_{q}_seconds"] for q in ("best", "p50", "p95", "worst")]
    assert order == sorted(order) or np.allclose(order, sorted(order), rtol=1e-9)
    assert found.sentence


@settings(max_examples=200, deadline=None)
@given(designs(), st.floats(0, 1))
def test_cost_never_rises_when_only_overhead_falls(design, share):
    lighter = dataclasses.replace(
        design.engine, overhead_seconds=design.engine.overhead_seconds * share
    )
    before, after = evaluate(design), evaluate(design.but(engine=lighter))
    assert after.cost_usd_per_day <= before.cost_usd_per_day * (1 + 1e-9)


@settings(max_examples=200, deadline=None)
@given(st.data(), intervals, intervals)
def test_worst_latency_never_falls_when_only_the_interval_grows(data, one, other):
    rhythm = data.draw(WAITING_BATCHES)
    short, long = sorted((one, other))
    flat = st.just(FLAT)  # one arrival rate
    design = data.draw(designs(rhythm, st.just(Cadence.every(long)), flat))
    slow, quick = evaluate(design), evaluate(design.but(cadence=Cadence.every(short)))
    assume(slow.run_longest_seconds <= long and quick.run_longest_seconds <= short)
    assert quick.latency_worst_seconds <= slow.latency_worst_seconds * (1 + 1e-9)


@settings(max_examples=200, deadline=None)
@given(designs(), st.floats(1, DAY), st.floats(1, 7 * DAY), st.floats(1, 4))
def test_a_longer_window_never_lowers_state(design, pane, window, factor):
    def held(window_seconds, pane_seconds):
        kept = State(
            keys=1e5,
            window_seconds=window_seconds,
            watermark_seconds=600,
            pane_seconds=pane_seconds,
        )
        work = design.workload.at(design.workload.events_per_day, state=kept)
        return evaluate(design.but(workload=work)).state_hot_bytes

    for chosen in (None, pane):
        assert held(window, chosen) <= held(window * factor, chosen) * (1 + 1e-9)


@settings(max_examples=200, deadline=None)
@given(designs())
def test_doubling_volume_never_shortens_a_run_on_the_same_cluster(design):
    assume(design.workload.events_per_day <= 5e9)
    doubled = evaluate(design.but(events_per_day=2 * design.workload.events_per_day))
    once = evaluate(design)
    for name in ("run_longest_seconds", "run_mean_seconds"):
        assert doubled.figures[name] >= once.figures[name] * (1 - 1e-9), name


@settings(max_examples=150, deadline=None)
@given(designs(), st.one_of(st.just(0.7), st.floats(0.3, 0.95)))
def test_the_nodes_it_asks_for_are_enough_and_one_less_is_not(design, target):
    try:
        fitted = sized(design, target)
    except ValueError:  # start-up, fixed work, source or sink alone take longer
        assume(False)

    def filled(nodes):
        found = evaluate(fitted.but(nodes=nodes))
        window = (design.run_window_hours or math.inf) * 3600
        timed = design.cadence.kind == "every"
        return max(found.utilisation_peak, found.run_longest_seconds / window if timed else 0.0)

    assert evaluate(design).nodes_needed == evaluate(fitted).nodes_needed
    if target == 0.7:
        assert fitted.nodes == evaluate(design).nodes_needed
    assert filled(fitted.nodes) <= target * (1 + 1e-6)
    if fitted.nodes > design.engine.minimum_nodes:
        assert filled(fitted.nodes - 1) > target * (1 - 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    designs(Rhythm.BATCH, triggers),
    st.lists(st.integers(1, 50), min_size=1, max_size=3),
    st.lists(volumes, min_size=1, max_size=3),
    st.lists(intervals, min_size=1, max_size=3),
)
def test_a_sweep_gives_the_numbers_of_the_single_call(design, nodes, events, every):
    table = sweep(design, nodes=nodes, events_per_day=events, interval_seconds=every)
    assert len(table) == len(nodes) * len(events) * len(every)
    for row in table.to_dict("records"):
        one = evaluate(
            design.but(
                nodes=int(row["nodes"]),
                events_per_day=row["events_per_day"],
                cadence=Cadence.every(row["interval_seconds"]),
            )
        )
        for name, value in one.figures.items():
            assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name


# --- overload, state and windows ------------------------------------------------------------------


def test_overload_is_followed_over_the_horizon_and_says_how_far_behind():
    design = Design(
        workload("clicks").at(20e9), engine("flink"), "streaming", Cadence.per_event(), nodes=3
    )
    one, two = evaluate(design), evaluate(design, horizon_days=2)
    assert not one.keeps_up
    assert two.backlog_events == pytest.approx(2 * one.backlog_events, rel=1e-6)
    arrived = 20e9
    assert one.backlog_events == pytest.approx(
        arrived - one.sustainable_events_per_second * DAY, rel=1e-6
    )
    assert one.binds == "throughput"
    assert "falls behind" in one.sentence


def test_an_overload_at_the_peak_drains_at_night():
    peaked = dataclasses.replace(
        workload("clicks"),
        curve=(0.2,) * 12 + (1.8,) * 12,
        events_per_day=2.0e9,  # 23 K/s: above capacity only in the second half of the day
    )
    design = Design(peaked, engine("spark_streaming"), "micro-batch", Cadence.every("1 min"), 2)
    day = evaluate(design)
    assert not day.keeps_up
    assert day.latency_best_seconds < 120 < 3600 < day.latency_worst_seconds


def test_without_a_watermark_windows_pile_up_and_with_one_they_do_not():
    tumbling = State(keys=1000, window_seconds=300, pane_seconds=300)
    work = Workload("pages", 8.64e7, state=tumbling)
    design = Design(work, engine("flink"), "streaming", Cadence.per_event(), nodes=3)
    week, day = evaluate(design, 7), evaluate(design, 1)
    assert week.state_values_bytes == pytest.approx(7 * day.state_values_bytes)
    assert not day.serves
    assert "nothing bounds its state" in day.sentence
    bounded = dataclasses.replace(tumbling, watermark_seconds=600)
    kept = design.but(workload=work.at(8.64e7, state=bounded))
    # three windows of five minutes are open: the current one and ten minutes of older ones
    assert evaluate(kept, 7).state_values_bytes == pytest.approx(3 * 1000 * 8)
    assert evaluate(kept, 7).serves


def test_batch_keeps_no_state_between_runs():
    nightly = Design(
        workload("billion"), engine("spark_ephemeral"), "batch", Cadence.every("24 h"), 4
    )
    assert evaluate(nightly).state_hot_bytes == 0
    assert evaluate(nightly).state_usd_per_day == 0


def test_the_window_is_dropped_when_more_than_the_watermark_behind():
    assert state_room.closes_at(300, 600) == 900


def test_a_design_says_which_dimension_fails_and_why():
    executive = Consumer("executives", 4, deadline_hour=6)
    nightly = Design(
        workload("orders").at(18e6),
        engine("spark_ephemeral"),
        "batch",
        Cadence.every("24 h"),
        incremental=False,
        consumers=(executive,),
        start_hour=2,
        run_window_hours=7,
    )
    found = evaluate(nightly)
    assert found.binds == "throughput"
    assert not found.serves
    assert "its longest run takes 11 h, its window is 7 h" in found.sentence
    assert "executives needs yesterday by 6:00, it is complete at 13:00" in found.sentence
    before = evaluate(nightly.but(events_per_day=4e6))
    assert before.serves
    assert before.yesterday_complete_hour == pytest.approx(5)
    fresh = nightly.but(events_per_day=4e6, consumers=(executive, Consumer("marketing", 2)))
    assert evaluate(fresh).binds == "latency"
    poor = nightly.but(events_per_day=4e6, budget_usd_per_day=30, consumers=())
    assert evaluate(poor).binds == "cost"


def test_plans_are_compared_path_by_path():
    work = workload("orders").at(18e6)
    hourly = Design(work, engine("spark_ephemeral"), "batch", Cadence.every("1 h"))
    minute = Design(work, engine("spark_streaming"), "micro-batch", Cadence.every("1 min"), 3)
    table = compare([Plan("split", [hourly, minute]), Plan("one", [minute])])
    assert list(table.plan) == ["split", "split", "one"]
    parts = table[table.plan == "split"]
    assert parts.plan_cost_usd_per_day.iloc[0] == pytest.approx(parts.cost_usd_per_day.sum())


def test_tiers_follow_from_the_freshness_needed():
    assert [tier_of(need) for need in (1, 10, 60, 900, 3600, 7200, DAY, 2 * DAY, 7 * DAY)] == [
        *(1, 1, 2, 2, 3, 3, 4, 4, 4)
    ]


def test_the_value_of_latency_and_its_break_even():
    value = tradeoff.value_of_latency(3600, 60, usd_per_minute=10, threshold_seconds=900)
    assert value == pytest.approx(450)
    even = tradeoff.break_even_usd_per_minute(900, 3600, 60, threshold_seconds=900)
    assert even == pytest.approx(20)
    assert tradeoff.break_even_usd_per_minute(900, 600, 60, threshold_seconds=900) is None
    assert tradeoff.break_even_usd_per_minute(-5, 3600, 60) == 0


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-3, 0, math.nan, math.inf, "many", None, True, 1e18])
def test_bad_numbers_are_refused_with_field_value_and_range(value):
    with pytest.raises((ValueError, TypeError)) as caught:
        Workload("bad", value)
    said = str(caught.value)
    assert said.startswith("events_per_day must be a number above 0 and at most 1e+15")
    assert said.endswith(f"got {value!r}")


def test_a_duration_where_a_count_belongs_is_refused():
    with pytest.raises(TypeError, match="events_per_day must be"):
        Workload("bad", pd.Timedelta("1 h"))


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("soon", "interval_seconds must be seconds, a Timedelta or text"),
        (0, "interval_seconds must be a number above 0"),
        (-60, "interval_seconds must be a number above 0"),
        ("2 days", "at most 86400"),
        ("5 h", "one of 2, 3, 4, 6, 8, 12, 24 hours"),
        (math.nan, "interval_seconds must be"),
    ],
)
def test_bad_intervals_are_refused(interval, said):
    with pytest.raises(ValueError, match=said):
        Cadence.every(interval)


def test_intervals_are_seconds_timedeltas_or_text():
    assert Cadence.every("4 min") == Cadence.every(240) == Cadence.every(pd.Timedelta(minutes=4))


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="unknown engine 'storm'; known are spark_ephemeral"):
        engine("storm")
    with pytest.raises(KeyError, match="unknown workload"):
        workload("everything")
    with pytest.raises(ValueError, match="rhythm must be one of"):
        Design(workload("clicks"), engine("flink"), "fast", Cadence.per_event())
    with pytest.raises(TypeError, match="engine must be of class Engine"):
        Design(workload("clicks"), "flink", "streaming", Cadence.per_event())


def test_rhythm_and_cadence_must_go_together():
    with pytest.raises(ValueError, match="streaming goes with"):
        Design(workload("clicks"), engine("flink"), "streaming", Cadence.every("1 min"))
    with pytest.raises(ValueError, match="engine 'flink' runs"):
        Design(workload("clicks"), engine("flink"), "batch", Cadence.every("1 h"))


def test_sweeps_refuse_what_they_cannot_sweep():
    design = Design(workload("clicks"), engine("spark_streaming"), "micro-batch", Cadence.every(60))
    with pytest.raises(ValueError, match="cannot sweep 'speed'"):
        sweep(design, speed=[1])
    with pytest.raises(ValueError, match="axis 'nodes' is empty"):
        sweep(design, nodes=[])
    with pytest.raises(ValueError, match=r"nodes must be a whole number .* got 1.5"):
        sweep(design, nodes=[1, 1.5])
    with pytest.raises(ValueError, match="stateless"):
        sweep(design, keys=[10])


def test_a_cluster_that_cannot_reach_the_target_is_said_plainly():
    slow_source = dataclasses.replace(workload("orders").at(18e6), source_events_per_second=100)
    design = Design(slow_source, engine("spark_streaming"), "micro-batch", Cadence.every("1 min"))
    with pytest.raises(ValueError, match="no number of nodes"):
        sized(design)
