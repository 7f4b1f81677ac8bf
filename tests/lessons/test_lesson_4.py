"""Lesson 4: what holds of every lesson, and the figures of its prose computed anew."""

import math
import re
from dataclasses import replace

import pytest
from lesson import Lesson, executed, prose
from tradeoff import calculators, data
from tradeoff.calculators.state import PRESETS, solve
from tradeoff.lab import windows
from tradeoff.model import State, claims, engine
from tradeoff.model import state as state_room
from tradeoff.scenarios import transforms
from tradeoff.scenarios.transforms import STATEFUL, TRANSFORMS
from tradeoff.simulate.windows import AT_LEAST, MORE_THAN, TumblingCount

HOUR = 60  # minutes


class TestLesson4(Lesson):
    name = "04_stateful_vs_stateless"


@pytest.fixture(scope="module")
def said():
    """What each code cell prints or shows."""
    return {
        cell.id: "".join(
            output.get("text") or output["data"].get("text/plain", "") for output in cell.outputs
        )
        for cell in executed(TestLesson4.name).cells
        if cell.cell_type == "code"
    }


@pytest.fixture(scope="module")
def events():
    return windows.flight_events()


@pytest.fixture(scope="module")
def sweep(events):
    return windows.sweep(events, HOUR, [0, 10, 60, 240]).set_index("watermark")


def test_the_story_s_memory_ends_after_months(said):
    pages = State(keys=100_000, window_seconds=300, pane_seconds=300)
    days = state_room.full_after_days(pages, 1e9, engine("flink"), 64e9, 3650)
    assert days > 60
    assert f"runs out after {days:.0f} days" in said["story-numbers"]
    assert calculators.state().outcome.endless_ends_days == pytest.approx(days)


def test_the_prediction_s_answers(sweep, events):
    ten = sweep.loc[10]
    assert ten["wrong_percent"] > 80  # C: more than four in five
    assert ten["late_percent"] == pytest.approx(28, abs=1)  # B: about the share of events dropped
    counts = windows.batch_counts(events, HOUR)["count"]
    assert counts.mean() == pytest.approx(16.6, abs=0.5)  # A: sixteen or so flights a count
    assert data.flights()["delay_minutes"].median() == 10  # A: half within ten minutes
    assert ten["wrong_percent"] > 50  # most counts, and so most hours, lose somebody


def test_longer_watermarks_lose_less_hold_more_and_are_later(sweep):
    assert sweep["late_percent"].is_monotonic_decreasing
    assert sweep["wrong_counts"].is_monotonic_decreasing
    assert sweep["held_mean"].is_monotonic_increasing
    assert sweep.loc[240, "late_percent"] < 1
    assert 100 / sweep.loc[240, "wrong_percent"] == pytest.approx(14, abs=0.5)
    assert sweep.loc[240, "held_mean"] / sweep.loc[10, "held_mean"] == pytest.approx(4.5, abs=0.1)
    later = sweep.loc[240, "wait_minutes"] - sweep.loc[10, "wait_minutes"]
    assert later == pytest.approx(230, abs=20)  # "by about as much"


def test_the_stream_is_what_the_prose_says(said):
    assert "6673 flights, 494 cancelled, 30% early" in said["flights-table"]
    assert "373 counts, equal row for row: True" in said["flights-equal"]


def test_lateness_gives_the_sweep_s_losses(sweep, events, said):
    late = windows.lateness(events, HOUR)
    for watermark, row in sweep.iterrows():
        assert (late > watermark).sum() == row["late_events"]
    printed = {minutes: int(sweep.loc[minutes, "late_events"]) for minutes in (10, 60, 240)}
    assert str(printed) in said["lateness-run"]


def test_the_premium_s_floor_and_the_text_s_two_statements():
    table = transforms.premiums([1e7, 1e8, 1e9]).set_index("events_per_day")
    assert 2 <= table.loc[1e9, "stateless_premium"] <= 5
    assert table.loc[1e8, "stateless_premium"] == pytest.approx(30, abs=1)
    assert table["stateless_usd"].nunique() == 1  # the same dollars at 10 M as at 1 B
    assert 5 <= table.loc[1e9, "stateful_premium"] <= 50
    assert (table["stateful_usd"] > table["stateless_usd"]).all()
    figures = claims.report().set_index("id")["figures"]
    assert figures["C16"][0] == pytest.approx(table.loc[1e9, "stateless_premium"])
    assert figures["C17"][0] == pytest.approx(table.loc[1e9, "stateful_premium"])


def test_the_formula_is_right_within_a_few_percent(said):
    errors = [float(number) for number in re.findall(r"\s(\d+\.\d)$", said["held-simulated"], re.M)]
    assert len(errors) == 4
    assert max(errors) < 5
    assert "800 MB" in said["held-c13"]
    assert "4.8 GB, 6 times" in said["held-c13"]


def test_the_worked_example_counts_minute_4_and_drops_minute_2():
    count = TumblingCount(5, 10)
    for minute in (1, 3, 7):
        count.update(minute, "page")
    assert count.update(4, "page") == []
    assert count.update(15, "page") == []
    assert count.update(16, "page") == [(0, "page", 3)]
    assert count.update(2, "page") == []
    assert count.late == 1


def test_the_window_is_open_at_15_in_the_text_and_gone_in_spark(said):
    assert "C15 computed: 15 minutes past" in said["boundary-run"]
    text, spark = said["boundary-run"].splitlines()[1:]
    assert text == f"{MORE_THAN} {{14.99: True, 15: True, 15.01: False}}"
    assert spark == f"{AT_LEAST} {{14.99: True, 15: False, 15.01: False}}"


def test_the_calculator_s_tasks():
    def solved(**settings):
        return calculators.state(**settings).outcome

    plain, week = solved(), solved(watermark_seconds=7 * 86_400)
    assert week.plateau_bytes > 500 * plain.plateau_bytes
    assert week.ends_days is None
    busy, wide = solved(events_per_day=10_000_000_000), solved(keys=1_000_000)
    assert busy.plateau_bytes == pytest.approx(plain.plateau_bytes, rel=0.01)
    assert wide.plateau_bytes == pytest.approx(10 * plain.plateau_bytes, rel=0.05)
    users = dict(entry="key", keys=1_000_000, values_per_key=100, window_seconds=604_800)
    one = solved(**users)
    assert one.kept_bytes[-1] == pytest.approx(one.endless_bytes[-1])
    more = solved(**users, new_keys_per_day=100_000)
    assert more.kept_bytes[-1] == pytest.approx(more.endless_bytes[-1], rel=0.01)  # both rise
    assert more.kept_bytes[-1] > 100 * one.kept_bytes[-1]
    ids = PRESETS["Deduplication"]
    assert solve(replace(ids, window_seconds=14 * 86_400)).ends_days is None
    assert solve(replace(ids, window_seconds=30 * 86_400)).ends_days == pytest.approx(20, abs=0.1)


def test_the_answers_to_the_calculators_tasks(said):
    shown = said["calculator-answers"]
    assert "watermark 10 min: 4.8 MB after ten years, memory lasts" in shown
    assert "watermark 7 days: 3.23 GB after ten years, memory lasts" in shown
    pages, ids = PRESETS["Page counts"], PRESETS["Deduplication"]
    week = solve(replace(pages, watermark_seconds=7 * 86_400))
    assert week.plateau_bytes / solve(pages).plateau_bytes == pytest.approx(670, abs=5)
    assert solve(replace(ids, window_seconds=19.5 * 86_400)).ends_days is None
    assert solve(ids).endless_ends_days == pytest.approx(20, abs=0.1)
    assert "no time to live: memory runs out, day 20" in shown


def test_a_fixed_set_of_keys_bounds_itself_without_a_watermark():
    fixed = State(keys=1e6, window_seconds=None, watermark_seconds=None)
    ever_new = State(keys=1, new_keys_per_day=1e6)
    assert state_room.full_after_days(fixed, 1e9, engine("flink"), 64e9, 3650) is None
    assert state_room.full_after_days(ever_new, 1e9, engine("flink"), 64e9, 36_500) is not None


def test_only_the_consistent_snapshot_leaves_no_trace(tmp_path, events):
    found = windows.crashes(events, HOUR, 240, 3333, tmp_path).set_index("saved")
    assert found.loc["one snapshot of all three", "wrong_counts"] == 0
    assert found.loc["the offset runs ahead", "difference"] < 0
    lost = found.loc["the offset lags behind", "difference"]
    assert 0 < lost < 300  # of the 300 read again some are late by then
    assert found.loc["the sink left out", "written_twice"] > 0
    others = found.drop("one snapshot of all three")
    assert (others["wrong_counts"] > 0).all()


def test_the_deduplication_holds_most_of_the_listed(said):
    rows = dict(line.split(": ") for line in said["questions-list"].strip().splitlines())
    units = {"kB": 1e3, "MB": 1e6, "GB": 1e9}
    sizes = {
        name: float(size.split()[0]) * units[size.split()[1]]
        for name, size in rows.items()
        if size != "stateless"
    }
    assert len(sizes) == 3
    assert max(sizes, key=sizes.get).startswith("dedup")


def test_check_yourself():
    assert math.ceil((1 + 3) / 1) == 4
    hours = State(keys=10, window_seconds=3600, watermark_seconds=3 * 3600, pane_seconds=3600)
    assert state_room.over_time(hours, 1e9, [30])[0] == pytest.approx(40)


def test_the_quiz_has_as_many_as_the_heading_says(said):
    assert len(TRANSFORMS) == 17
    book = prose(executed(TestLesson4.name))
    assert "Classify seventeen" in book
    assert "seven trickier ones" in book
    assert sum(one.verdict == STATEFUL for one in TRANSFORMS) > 5
