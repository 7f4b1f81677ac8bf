"""The state calculator: what holds of every calculator, and its outcome beside the model's."""

import re
from dataclasses import replace

import numpy as np
import pytest
from corners import CalculatorChecks, text_of
from tradeoff import calculators
from tradeoff.calculators.state import DAYS, PRESETS, Settings, solve
from tradeoff.model import State, engine, words, workload
from tradeoff.model import state as state_room


class TestState(CalculatorChecks):
    make = staticmethod(calculators.state)


def test_the_text_s_features_are_800_mb_of_values_and_six_times_that_on_all_copies():
    outcome = solve(PRESETS["1 M users × 100 features"])
    kept, flink = workload("billion").state, engine("flink")
    assert outcome.plateau_bytes == pytest.approx(2 * 800e6)
    copies = outcome.plateau_bytes * outcome.settings.copies
    assert copies == pytest.approx(state_room.hot_bytes(kept, flink))
    assert outcome.meaning.startswith('<div role="status"><b>1.6 GB</b>')
    assert outcome.endless_ends_days is None  # no new users: nothing more to hold


def test_page_counts_hold_three_windows_and_fill_the_memory_without_a_watermark():
    outcome = solve(Settings())
    assert outcome.plateau_bytes == pytest.approx(3 * 100_000 * 16, rel=1e-6)
    assert outcome.ends_days is None
    assert outcome.endless_ends_days == pytest.approx(64e9 / (288 * 100_000 * 16), rel=0.01)
    end = words.duration(outcome.endless_ends_days * 86_400)
    assert f"64 GB of memory run out after {end}" in text_of(outcome.meaning)
    [mark] = [row for row in outcome.rows["marks"] if row["kind"] == "end"]
    assert mark["says"] == f"memory runs out after {end}"
    assert mark["days"] == pytest.approx(outcome.endless_ends_days, rel=1e-3)


def test_a_deduplication_without_time_to_live_grows_by_its_ids():
    outcome = solve(PRESETS["Deduplication"])
    assert outcome.plateau_bytes == pytest.approx(1e8 * 32 * (1 + 600 / 86_400), rel=1e-3)
    assert outcome.endless_ends_days == pytest.approx(64e9 / (1e8 * 32), rel=1e-3)


@pytest.mark.parametrize("name", PRESETS)
def test_the_lines_are_the_model_s(name):
    settings = PRESETS[name]
    outcome = solve(settings)
    kept = State(
        keys=settings.keys,
        new_keys_per_day=settings.new_keys_per_day,
        window_seconds=settings.window_seconds,
        watermark_seconds=settings.watermark_seconds,
        pane_seconds=settings.window_seconds if settings.entry == "window" else None,
    )
    each = settings.values_per_key * settings.bytes_per_value * 2
    wanted = state_room.over_time(kept, settings.events_per_day, DAYS) * each
    lines = {}
    for row in outcome.rows["lines"]:
        lines.setdefault(row["line"], []).append(row["bytes"])
    assert lines["with the watermark"] == pytest.approx(wanted.tolist(), rel=1e-3)
    assert lines["the same, all copies"] == pytest.approx((3 * wanted).tolist(), rel=1e-3)
    assert (np.array(lines["without a watermark"]) >= wanted * (1 - 1e-3)).all()


def test_a_watermark_that_holds_too_much_does_not_save_the_memory():
    outcome = solve(Settings(keys=1e9, events_per_day=100_000_000_000, memory_bytes=1e9))
    assert outcome.ends_days is not None
    assert outcome.plateau_bytes > 1e9
    assert "more than the memory of 1 GB" in text_of(outcome.meaning)
    assert outcome.rows["marks"][-1]["says"].endswith("watermark or not")


def test_users_that_only_come_raise_state_watermark_or_not():
    users = PRESETS["1 M users × 100 features"]
    assert solve(users).levels_off
    growing = solve(replace(users, new_keys_per_day=100_000))
    assert not growing.levels_off
    assert "is held after ten years, for keys are added" in text_of(growing.meaning)
    assert growing.ends_days == pytest.approx((64e9 / 1600 - 1e6) / 1e5, rel=0.01)


def test_more_new_keys_than_events_is_a_sentence():
    calculator = calculators.state(events_per_day=100_000)
    calculator._controls["new_keys_per_day"].value = 10**9
    assert "each new key comes with an event" in calculator._meaning.value
    calculator._controls["new_keys_per_day"].value = 0
    assert calculator._meaning.value == calculator.outcome.meaning


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"entry": "both"}, "entry must be one of"),
        ({"keys": -1}, "keys must be"),
        ({"memory_bytes": 0}, "memory_bytes must be"),
        ({"copies": 0}, "state_copies must be"),
        ({"window_seconds": None}, "window_seconds"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_its_reason(settings, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        calculators.state(**settings)
