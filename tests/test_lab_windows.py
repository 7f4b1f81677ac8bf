"""Windows of event time: the operators, a real stream through them, and what a crash leaves."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.lab import windows
from tradeoff.model import State
from tradeoff.simulate.windows import (
    AT_LEAST,
    MORE_THAN,
    RecentKeys,
    TumblingCount,
    held_over_time,
)

STREAMS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from("abc")), min_size=1, max_size=60)


def table(rows):
    times, keys = zip(*rows, strict=True)
    seen = np.arange(len(rows)) * 3
    return pd.DataFrame({"event_time": times, "seen": seen, "key": list(keys)})


@pytest.fixture(scope="module")
def events():
    return windows.flight_events()


# --- the operators --------------------------------------------------------------------------------


@given(rows=STREAMS, window=st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_without_a_watermark_it_is_a_group_by(rows, window):
    stream = windows.stream(table(rows), window, None)
    counted = {}
    for time, key in rows:
        place = (time // window * window, key)
        counted[place] = counted.get(place, 0) + 1
    found = {(start, key): count for start, key, count in stream.counts.itertuples(index=False)}
    assert found == counted
    assert stream.late == 0


@given(
    rows=STREAMS,
    window=st.integers(1, 50),
    watermark=st.integers(0, 100),
    boundary=st.sampled_from([MORE_THAN, AT_LEAST]),
)
@settings(max_examples=60, deadline=None)
def test_every_event_is_counted_once_or_late(rows, window, watermark, boundary):
    operator = TumblingCount(window, watermark, boundary)
    results, newest, late = [], -1, 0
    for time, key in rows:
        end = time // window * window + window
        behind = newest - end
        gone = behind > watermark or (boundary == AT_LEAST and behind == watermark)
        late += newest >= 0 and gone
        results += operator.update(time, key)
        newest = max(newest, time)
        oldest = newest - watermark - window
        assert all(start >= oldest for start in operator.open_windows)
        assert operator.held == sum(map(len, operator._counts.values()))
    results += operator.flush()
    assert operator.late == late
    assert sum(count for _, _, count in results) + late == len(rows)
    places = [(start, key) for start, key, _ in results]
    assert len(set(places)) == len(places)  # a window is given out once
    assert operator.held == 0


@given(rows=STREAMS, cut=st.integers(0, 60), watermark=st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_restored_operator_goes_on_as_if_nothing_had_been(rows, cut, watermark):
    whole, first, second = (TumblingCount(10, watermark) for _ in range(3))
    wanted = [result for row in rows for result in whole.update(*row)] + whole.flush()
    found = [result for row in rows[:cut] for result in first.update(*row)]
    second.restore(first.snapshot())
    found += [result for row in rows[cut:] for result in second.update(*row)] + second.flush()
    assert found == wanted
    assert (second.late, second.newest) == (whole.late, whole.newest)


def test_the_boundary_is_the_text_s_or_spark_s():
    for boundary, is_open in ((MORE_THAN, True), (AT_LEAST, False)):
        operator = TumblingCount(5, 10, boundary)
        operator.update(2, "page")
        operator.update(15, "page")
        assert (0 in operator.open_windows) == is_open
        operator.update(15.001, "page")
        assert 0 not in operator.open_windows


@given(rows=STREAMS, kept=st.one_of(st.none(), st.integers(1, 100)))
@settings(max_examples=40, deadline=None)
def test_recent_keys_are_those_of_the_span(rows, kept):
    operator = RecentKeys(kept)
    seen = {}
    for time, key in sorted(rows):
        new = key not in seen or (kept is not None and time - seen[key] > kept)
        assert operator.update(time, key) == new
        seen[key] = time
        assert operator.held == sum(kept is None or time - at <= kept for at in seen.values())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0,), "window must be"),
        ((5, -1), "watermark must be"),
        ((5, 1, "at some time"), "boundary must be 'more than"),
    ],
)
def test_an_operator_without_meaning_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        TumblingCount(*arguments)
    with pytest.raises(ValueError, match="kept must be"):
        RecentKeys(0)


@pytest.mark.parametrize(
    "state",
    [
        State(500, window_seconds=300, watermark_seconds=600, pane_seconds=300),
        State(500, window_seconds=300, pane_seconds=300),
        State(500, 1, 8, 300, 600, 300, new_keys_per_day=50_000),
        State(10_000, window_seconds=1800, watermark_seconds=600),
        State(1, new_keys_per_day=3e5),
        State(1, 1, 8, 3600, 0.0, new_keys_per_day=3e5),
    ],
)
def test_the_closed_form_is_what_simulated_events_hold(state):
    held = held_over_time(state, 4e5, days=0.15, points=6)
    assert len(held) == 6
    noise = 500 / np.sqrt(held["formula"])  # five standard deviations of a count, in percent
    assert (held["error_percent"].abs() < noise).all(), held


def test_a_simulation_repeats_and_refuses_other_panes():
    state = State(500, window_seconds=300, watermark_seconds=600, pane_seconds=300)
    once, twice = (held_over_time(state, 1e5, 0.05, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(once, twice)
    hopping = State(500, window_seconds=600, watermark_seconds=600, pane_seconds=300)
    with pytest.raises(ValueError, match="pane_seconds must be window_seconds"):
        held_over_time(hopping, 1e5, 0.05)
    with pytest.raises(ValueError, match="days must be"):
        held_over_time(state, 1e5, 0)


# --- the flights ----------------------------------------------------------------------------------


def test_the_events_are_the_flights_that_left_as_they_left(events):
    flown = data.flights().dropna(subset=["departure"])
    assert len(events) == len(flown) == 6_179
    assert events["seen"].is_monotonic_increasing
    assert sorted(events["seen"] - events["event_time"]) == sorted(flown["delay_minutes"])
    assert set(windows.flight_events("origin+carrier")["key"]) > {"JFK B6", "EWR UA"}


def test_the_stream_equals_duckdb_row_for_row(events):
    for key in ("origin", "origin+carrier"):
        rows = windows.flight_events(key)
        truth = windows.batch_counts(rows, 60)
        assert windows.stream(rows, 60, None).counts.equals(truth)
        assert truth["count"].sum() == len(events)


def test_a_sweep_says_what_each_watermark_loses(events):
    found = windows.sweep(events, 60, [0, 120, None])
    assert found["says"].tolist() == ["0 s", "2 h", "none"]
    late = windows.lateness(events, 60)
    assert found["late_events"].tolist() == [(late > 0).sum(), (late > 120).sum(), 0]
    assert found["wrong_counts"].iloc[-1] == 0
    assert found["held_max"].is_monotonic_increasing
    assert found["held_mean"].le(found["held_max"]).all()
    truth = windows.batch_counts(events, 60)
    assert found["held_max"].iloc[-1] == len(truth)
    passed = windows.stream(events, 60, 120)
    merged = truth.merge(passed.counts, "left", windows.RESULT[:2])
    wrong = (merged["count_x"] != merged["count_y"]).sum()
    assert found["wrong_counts"].iloc[1] == wrong


def test_spark_s_boundary_loses_no_less(events):
    text, spark = (windows.stream(events, 60, 60, boundary) for boundary in (MORE_THAN, AT_LEAST))
    assert text.late < spark.late
    assert text.held_mean > spark.held_mean


def test_a_timeline_has_the_last_state_of_each_ten_minutes(events):
    passed = windows.stream(events, 60, None)
    line = windows.timeline(events, passed)
    assert line["when"].is_monotonic_increasing
    assert line["when"].is_unique
    assert line["entries"].iloc[-1] == passed.held[-1]
    assert line["when"].iloc[0] == pd.Timestamp("2013-06-25 04:50")


# --- a crash --------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 499, 500, 501, 1777])
def test_a_consistent_snapshot_leaves_no_trace_wherever_it_crashes(events, at, tmp_path):
    some = events.head(2000)
    whole = windows.stream(some, 60, 240).counts
    written = windows.crash(some, 60, 240, "one snapshot of all three", at, tmp_path)
    ordered = written.sort_values(windows.RESULT[:2], ignore_index=True)
    pd.testing.assert_frame_equal(ordered.astype(whole.dtypes.to_dict()), whole)


def test_other_ways_lose_or_count_twice(events, tmp_path):
    found = windows.crashes(events.head(2000), 60, 240, 1777, tmp_path).set_index("saved")
    assert list(found.index) == list(windows.SAVED)
    assert found["difference"].gt(0).tolist() == [False, False, True, True]
    assert found["difference"].lt(0).tolist() == [False, True, False, False]
    assert found["written_twice"].gt(0).tolist() == [False, False, False, True]
    assert found["wrong_counts"].gt(0).tolist() == [False, True, True, True]
    kept = json.loads((tmp_path / "0" / "saved.json").read_text(encoding="utf-8"))
    assert kept["offset"] == 1500


def test_a_crash_that_cannot_be_is_refused(events, tmp_path):
    with pytest.raises(ValueError, match="saved must be one of"):
        windows.crash(events, 60, 60, "never", 10, tmp_path)
    with pytest.raises(ValueError, match="at must be from 1 to 6178, got 6179"):
        windows.crash(events, 60, 60, "the sink left out", 6179, tmp_path)
