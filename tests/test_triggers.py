"""The clicks under a trigger: intervals, the largest that serves, the saw-tooth, the neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff.model import Billing, Rhythm, evaluate
from tradeoff.scenarios import triggers
from tradeoff.simulate import simulate

EVERY = st.sampled_from(triggers.INTERVALS)
VOLUMES = st.floats(1e4, 2e9)
BILLING = st.sampled_from(["always on", "warm"])


@settings(max_examples=40, deadline=None)
@given(every=EVERY, events=VOLUMES, billing=BILLING)
def test_the_saw_tooth_reaches_from_the_run_to_the_worst(every, events, billing):
    found = evaluate(triggers.pipeline(events, every, billing=billing))
    teeth = triggers.saw_tooth(found)
    assert teeth["age_seconds"].max() == pytest.approx(found.latency_worst_seconds)
    assert teeth["age_seconds"].min() == pytest.approx(found.run_longest_seconds)
    falls = teeth.groupby("batch").agg(["first", "last"])
    slope = (falls["age_seconds"]["last"] - falls["age_seconds"]["first"]) / (
        falls["arrival_seconds"]["last"] - falls["arrival_seconds"]["first"]
    )
    np.testing.assert_allclose(slope, -1)  # who comes a second later waits a second less


def test_the_saw_tooth_is_what_a_simulated_batch_does():
    design = triggers.pipeline(86.4e6, "10 min")
    design = design.but(workload=design.workload.at(86.4e6, curve=(1.0,) * 24))
    found = simulate(design, arrivals="even", events_per_arrival=100, keep_latencies=True)
    teeth = triggers.saw_tooth(evaluate(design))
    assert found.latencies.max() == pytest.approx(teeth["age_seconds"].max(), rel=1e-3)
    assert found.latencies.min() == pytest.approx(teeth["age_seconds"].min(), rel=0.02)


@settings(max_examples=25, deadline=None)
@given(events=VOLUMES, billing=BILLING, tolerance=st.floats(0.5, 7200))
def test_the_largest_interval_serves_and_no_longer_one_does(events, billing, tolerance):
    design = triggers.pipeline(events, "1 min", billing=billing, tolerance=tolerance)
    table = triggers.over_intervals(design)
    best = triggers.largest_serving(table)
    serving = [
        every
        for every in triggers.INTERVALS
        if evaluate(triggers.pipeline(events, every, billing=billing, tolerance=tolerance)).serves
    ]
    assert (best["every"] if best else None) == (serving[-1] if serving else None)


def test_no_interval_is_below_two_overheads():
    for overhead in (0.5, 5.0, 30.0):
        for every in ("200 ms", triggers.ASAP):
            found = evaluate(triggers.pipeline(1e4, every, overhead_seconds=overhead))
            assert found.latency_worst_seconds >= 2 * overhead


@pytest.mark.parametrize("billing", ["always on", "warm"])
def test_a_batch_that_outlasts_its_interval_holds_what_came_meanwhile(billing):
    found = evaluate(triggers.pipeline(86.4e6, "1 s", billing=billing))
    loop = triggers.settled(found)
    run = loop.run_mean_seconds
    assert loop.events_per_run == pytest.approx(1_000 * run, rel=0.02)  # 1,000 events a second
    assert found.events_per_run == 1_000  # of the nominal interval
    table = triggers.over_intervals(found.design, ["1 s", "1 min"]).set_index("every")
    assert table.loc["1 s", "events_per_run"] == loop.events_per_run
    assert table.loc["1 s", "run_mean_seconds"] == run
    assert table.loc["1 min", "events_per_run"] == 60_000


def test_what_ends_in_time_or_never_settles_is_left_as_it_is():
    for events, every in ((86.4e6, "1 min"), (2e10, "1 min"), (86.4e6, triggers.ASAP)):
        found = evaluate(triggers.pipeline(events, every))
        assert triggers.settled(found).events_per_run == found.events_per_run


def test_neighbours_do_the_same_work():
    pool, always = (
        triggers.pipeline(86.4e6, "1 min", billing=one) for one in ("warm", "always on")
    )
    assert triggers.hourly_batch(pool).engine is pool.engine
    assert triggers.hourly_batch(always).engine.billing is Billing.EPHEMERAL
    stream = triggers.stream(always)
    assert stream.rhythm is Rhythm.STREAMING
    assert stream.workload == always.workload
    assert evaluate(stream).utilisation_peak <= 0.7


def test_half_shared_is_where_the_overhead_is_half():
    design = triggers.pipeline(86.4e6, "1 min")
    rate = triggers.shared_half(design)
    there = evaluate(triggers.pipeline(rate * 86_400, "1 min"))
    assert triggers.overhead_share(there) == pytest.approx(0.5)


def test_a_design_that_falls_behind_has_no_saw_tooth():
    with pytest.raises(ValueError, match="falls behind"):
        triggers.saw_tooth(evaluate(triggers.pipeline(2e10, "1 min")))


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("billing", {"billing": "ephemeral"}),
        ("overhead_seconds", {"overhead_seconds": -1}),
        ("freshness_seconds", {"tolerance": "soon"}),
        ("nodes", {"nodes": 0}),
    ],
)
def test_bad_values_are_refused_by_name(field, arguments):
    with pytest.raises(ValueError, match=field):
        triggers.pipeline(1e6, "1 min", **arguments)
