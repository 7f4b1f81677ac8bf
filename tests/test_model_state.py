"""State over time: it fills, levels off or grows, and ends the memory when the formula says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff.model import Cadence, Design, State, engine, evaluate, workload
from tradeoff.model import state as state_room

MINUTE, DAY = 60.0, 86_400.0
PAGES = State(keys=1000, window_seconds=300, watermark_seconds=600, pane_seconds=300)

states = st.builds(
    State,
    keys=st.floats(1, 1e9),
    window_seconds=st.one_of(st.none(), st.floats(1, 1e7)),
    watermark_seconds=st.one_of(st.none(), st.floats(0, 1e6)),
    new_keys_per_day=st.floats(0, 1e6),
)


def held(state, days, events=1e8):
    return state_room.over_time(state, events, np.atleast_1d(days)).tolist()


def test_windows_fill_one_after_the_other_and_then_stay():
    minutes = np.array([4.999, 9.999, 14.999, 60, 10_000])
    assert held(PAGES, minutes / 1440) == pytest.approx([1e3, 2e3, 3e3, 3e3, 3e3], rel=1e-3)


def test_without_a_watermark_each_window_adds_its_entries():
    endless = State(keys=1000, window_seconds=300, pane_seconds=300)
    assert held(endless, [1, 10, 365]) == pytest.approx([288e3, 2880e3, 365 * 288e3], rel=1e-9)


def test_a_key_without_window_is_held_for_ever_and_only_new_ones_add_to_it():
    assert held(State(keys=1e6), [30, 3000]) == pytest.approx([1e6, 1e6])
    growing = State(keys=1e6, new_keys_per_day=1e5)
    assert held(growing, [30, 3000], 1e10) == pytest.approx([4e6, 301e6])


def test_deduplication_with_a_time_to_live_holds_what_came_within_it():
    ids = State(keys=1, new_keys_per_day=1e8, window_seconds=DAY, watermark_seconds=0.0)
    assert held(ids, [0.25, 1, 400]) == pytest.approx([0.25e8, 1e8, 1e8], rel=1e-6)
    endless = State(keys=1, new_keys_per_day=1e8)
    assert held(endless, [400]) == pytest.approx([400e8], rel=1e-6)


def test_growing_keys_in_old_panes_are_counted_as_they_were():
    """The sum over panes, added up one by one."""
    growing = State(keys=1000, new_keys_per_day=2000, window_seconds=3600, pane_seconds=3600)
    ends = np.arange(1, 101) / 24
    each = [
        2000 / 24
        + (1000 + 2000 * end - 2000 / 24) * (1 - math.exp(-8000 / 24 / (1000 + 2000 * end)))
        for end in ends
    ]
    assert held(growing, 100 / 24, events=10_000) == pytest.approx([sum(each)], rel=0.01)


@given(kept=states, days=st.floats(0.01, 1000), events=st.floats(1e6, 1e10))
@settings(max_examples=60, deadline=None)
def test_state_never_shrinks_and_no_watermark_never_holds_less(kept, days, events):
    now, later = state_room.over_time(kept, events, [days, days * 1.5])
    assert 0 <= now <= later * (1 + 1e-9)
    unbounded = State(keys=kept.keys, new_keys_per_day=kept.new_keys_per_day)
    assert now <= state_room.over_time(unbounded, events, [days])[0] * (1 + 1e-9)
    assert later <= kept.keys + kept.new_keys_per_day * days * 1.5 + 1e-6 * later


@given(
    keys=st.floats(1, 1e7),
    window=st.floats(60, 1e5),
    watermark=st.floats(0, 1e5),
    pane=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_once_full_it_is_what_an_evaluation_says(keys, window, watermark, pane):
    kept = State(
        keys=keys,
        window_seconds=window,
        watermark_seconds=watermark,
        pane_seconds=window if pane else None,
    )
    work = workload("clicks").at(1e8, state=kept)
    found = evaluate(Design(work, engine("flink"), "streaming", Cadence.per_event(), 3))
    [entries] = held(kept, 30)
    assert entries * 8 == pytest.approx(found.state_values_bytes, rel=1e-9)


def test_the_text_s_features_are_800_mb_of_values():
    kept = workload("billion").state
    [entries] = held(kept, 30, events=1e9)
    assert entries * kept.values_per_key * kept.bytes_per_value == pytest.approx(800e6)
    assert state_room.entry_bytes(kept, engine("flink")) == 1600


@pytest.mark.parametrize("memory", [1e6, 64e9, 1e13])
def test_memory_ends_when_the_state_has_its_size(memory):
    ids = State(keys=1e6, new_keys_per_day=1e6, bytes_per_value=16)
    after = state_room.full_after_days(ids, 1e8, engine("flink"), memory, 1e6)
    [entries] = held(ids, after)
    assert entries * state_room.entry_bytes(ids, engine("flink")) == pytest.approx(memory, rel=1e-6)


def test_memory_that_is_enough_has_no_end():
    assert state_room.full_after_days(PAGES, 1e8, engine("flink"), 1e9, 3650) is None


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match="days must be .* got 0"):
        held(PAGES, [1, 0])
    with pytest.raises(ValueError, match="days must be .* got nan"):
        held(PAGES, math.nan)
    with pytest.raises(ValueError, match="new_keys_per_day must be at most events_per_day, 100,"):
        held(State(keys=1, new_keys_per_day=1e9), 1, events=100)
    with pytest.raises(ValueError, match="memory_bytes must be"):
        state_room.full_after_days(PAGES, 1e8, engine("flink"), 0, 10)
