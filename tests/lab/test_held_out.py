"""The model held against larger runs, on runs that are made up: no engine is needed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tradeoff.lab.systems.held_out import FIGURES, held_out, held_out_latency, interleaved
from tradeoff.model.amortise import Overhead

SIZES = (100, 300, 1_000, 2_500, 5_000)


def made_up(overhead, each, batches=1, noise=0.0, repeats=3):
    sizes = np.array(interleaved(SIZES, repeats))
    seconds = batches * overhead + each * sizes
    drawn = np.random.default_rng(0).normal(1.0, noise, len(sizes))
    return pd.DataFrame({"events": sizes, "seconds": seconds * drawn})


@settings(max_examples=20, deadline=None)
@given(
    overhead=st.floats(0.001, 10),
    each=st.floats(1e-6, 1e-2),
    batches=st.sampled_from([1, 24]),
    every=st.sampled_from([1.0, 60.0, 3_600.0, 86_400.0]),
)
def test_an_engine_that_keeps_to_the_law_is_predicted_in_every_figure(
    overhead, each, batches, every
):
    runs = made_up(overhead, each, batches)
    assume(runs["seconds"].max() / batches < every)  # a batch ends within its interval
    table = held_out("made up", runs, fitted_to=1_000, every_seconds=every, batches=batches)
    assert list(table["figure"]) == [*FIGURES, *FIGURES]
    assert list(table["events"].unique()) == [2_500, 5_000]
    assert table["error_percent"].to_numpy() == pytest.approx(0, abs=1e-3)
    row = table.iloc[0]
    assert row["overhead_seconds"] == pytest.approx(overhead, rel=1e-6)
    assert row["seconds_per_event"] == pytest.approx(each, rel=1e-6)
    assert row["measured"] == pytest.approx(batches * overhead + each * 2_500)


def test_bounds_are_there_without_noise_and_hold_the_truth_with_it():
    exact = held_out("made up", made_up(0.1, 1e-4), fitted_to=1_000).iloc[0]
    noisy = held_out("made up", made_up(0.1, 1e-4, noise=0.05, repeats=7), fitted_to=1_000).iloc[0]
    for name, truth in {"overhead_seconds": 0.1, "seconds_per_event": 1e-4}.items():
        assert exact[f"{name}_low"] == pytest.approx(exact[f"{name}_high"])
        assert noisy[f"{name}_low"] <= truth <= noisy[f"{name}_high"]
        assert noisy[f"{name}_low"] <= noisy[name] <= noisy[f"{name}_high"]


def test_a_law_that_bends_upwards_is_predicted_too_low():
    runs = made_up(0.1, 1e-4).assign(seconds=lambda runs: 0.1 + 1e-7 * runs["events"] ** 2)
    table = held_out("made up", runs, fitted_to=1_000)
    seconds = table.loc[table["figure"] == "run_seconds", "error_percent"]
    assert (seconds < -25).all()
    # What is held out changes nothing that is fitted.
    worse = runs.assign(seconds=runs["seconds"].where(runs["events"] <= 1_000, 99.0))
    again = held_out("made up", worse, fitted_to=1_000)
    assert (again["predicted"] == table["predicted"]).all()


@pytest.mark.parametrize("fitted_to", [50, 100, 5_000])
def test_there_is_something_to_fit_and_something_to_hold_out(fitted_to):
    with pytest.raises(ValueError, match="fitted_to"):
        held_out("made up", made_up(0.1, 1e-4), fitted_to=fitted_to)


def test_sizes_are_interleaved_in_rounds():
    order = interleaved(SIZES, 4)
    rounds = [order[at : at + len(SIZES)] for at in range(0, len(order), len(SIZES))]
    assert [sorted(each) for each in rounds] == [list(SIZES)] * 4
    assert len({tuple(each) for each in rounds}) > 1
    assert order == interleaved(SIZES, 4)


def test_a_streams_floor_comes_from_its_first_run_and_a_triggers_median_from_the_model():
    fitted = Overhead(0.1, 1e-4)
    columns = ["events_per_second", "interval_seconds", "latency_p50_seconds"]
    stream = pd.DataFrame([(10, 0, 0.02), (100, 0, 0.02), (8_000, 0, 0.02)], columns=columns)
    told = held_out_latency("made up", fitted, stream)
    assert list(told["events_per_second"]) == [100, 8_000]
    assert told["floor_seconds"].to_numpy() == pytest.approx(0.02, rel=0.01)
    assert told["error_percent"].iloc[0] == pytest.approx(0, abs=0.1)
    assert told["predicted"].iloc[1] > 0.0201  # a queue stands at 80 % of its capacity
    timed = pd.DataFrame([(10, 1, 0.6), (1_000, 1, 0.7), (3_000, 3, 2.5)], columns=columns)
    told = held_out_latency("made up", fitted, timed)
    # Half the trigger, and the batch that then comes.
    assert told["predicted"].to_numpy() == pytest.approx([0.5 + 0.2, 1.5 + 1.0])
    assert (told["floor_seconds"] == 0).all()
