"""The trigger tuner: what it says is what the model says, and the text's scenarios come out."""

import re

import pytest
from corners import CalculatorChecks, text_of
from tradeoff import calculators
from tradeoff.calculators.trigger import PRESETS, Settings, solve
from tradeoff.charts.trigger import BEHIND, LATE, SERVES
from tradeoff.model import Cadence, evaluate, words
from tradeoff.scenarios import triggers
from tradeoff.scenarios.triggers import ASAP, INTERVALS


class TestTrigger(CalculatorChecks):
    make = staticmethod(calculators.trigger)


def design(settings, every):
    return triggers.pipeline(
        settings.events_per_day,
        every,
        billing=settings.billing,
        overhead_seconds=settings.overhead_seconds,
        nodes=settings.nodes,
        tolerance=settings.tolerance,
    )


EVERY_PRESET = pytest.mark.parametrize("settings", PRESETS.values(), ids=PRESETS)


@EVERY_PRESET
def test_the_sentence_starts_with_the_models_latency_and_cost(settings):
    found = evaluate(design(settings, settings.every))
    said = text_of(solve(settings).meaning)
    worst, usd = (
        words.duration(found.latency_worst_seconds),
        words.usd(round(found.cost_usd_per_day)),
    )
    assert said.startswith(f"{worst} at worst, {usd} a day.")
    assert ("is not served" in said) == (not found.serves)


@EVERY_PRESET
def test_the_curve_is_the_model_at_every_interval(settings):
    rows = solve(settings).rows["curve"]
    assert [row["seconds"] for row in rows] == [
        Cadence.every(x).interval_seconds for x in INTERVALS
    ]
    for row, every in zip(rows, INTERVALS, strict=True):
        found = evaluate(design(settings, every))
        assert row["usd"] == pytest.approx(found.cost_usd_per_day, rel=1e-4)
        said = SERVES if found.serves else LATE if found.keeps_up else BEHIND
        assert row["verdict"] == said


@EVERY_PRESET
def test_the_chosen_mark_shows_the_bill(settings):
    [chosen] = [row for row in solve(settings).rows["marks"] if row["what"] == "chosen"]
    found = evaluate(design(settings, settings.every))
    assert chosen["label"] == words.usd(round(found.cost_usd_per_day))
    assert chosen["usd"] == pytest.approx(found.cost_usd_per_day, rel=1e-4)


@EVERY_PRESET
def test_the_teeth_reach_from_the_run_to_the_worst_latency(settings):
    outcome = solve(settings)
    unit = outcome.rows["notes"][0]["y"]
    size = {"seconds": 1, "minutes": 60, "hours": 3600}[re.search(r"\((\w+)\)", unit)[1]]
    ages = [row["age"] * size for row in outcome.rows["teeth"]]
    found = evaluate(design(settings, settings.every))
    assert max(ages) == pytest.approx(found.latency_worst_seconds, rel=1e-3)
    assert min(ages) == pytest.approx(found.run_longest_seconds, rel=1e-3)


def test_under_five_minutes_means_four():
    fast, slow = (PRESETS[f"Under 5 min: {x}"] for x in ("30 s", "4 min"))
    assert solve(fast).largest["every"] == slow.every
    assert "largest interval here that serves 5 min is 4 min" in text_of(solve(fast).meaning)
    assert "It is the largest interval here" in text_of(solve(slow).meaning)
    ratio = solve(fast).cost_usd_per_day / solve(slow).cost_usd_per_day
    assert 5 <= ratio <= 8
    assert "this costs 7.1 ×" in text_of(solve(fast).meaning)


def test_the_next_longer_interval_does_not_serve():
    for settings in PRESETS.values():
        largest = solve(settings).largest
        if largest and largest["every"] != INTERVALS[-1]:
            following = INTERVALS[INTERVALS.index(largest["every"]) + 1]
            assert evaluate(design(settings, largest["every"])).serves
            assert not evaluate(design(settings, following)).serves


def test_sub_second_is_out_of_reach_and_a_stream_is_named():
    outcome = solve(PRESETS["Sub-second"])
    stream = evaluate(triggers.stream(outcome.found.design))
    said = text_of(outcome.meaning)
    assert outcome.largest is None
    assert not outcome.asap.serves
    assert stream.serves
    assert "No interval serves 1 s." in said
    assert f"in {words.duration(stream.latency_worst_seconds)}, for" in said


def test_a_stream_that_is_too_slow_is_not_said_to_answer():
    said = text_of(solve(Settings("1 s", tolerance="500 ms", overhead_seconds=10.0)).meaning)
    assert "A stream answers in" in said
    outcome = solve(Settings("1 s", tolerance="500 ms", events_per_day=8.64e9))
    stream = evaluate(triggers.stream(outcome.found.design))
    assert ("gets no lower than" in text_of(outcome.meaning)) == (not stream.serves)


@pytest.mark.parametrize("name", ["An hour will do", "Very low volume"])
def test_where_an_hour_will_do_the_hourly_batch_serves_for_less(name):
    outcome = solve(PRESETS[name])
    assert outcome.hourly.serves
    assert outcome.hourly.cost_usd_per_day < outcome.cost_usd_per_day / 5
    assert "An hourly batch on" in text_of(outcome.meaning)


def test_as_soon_as_possible_is_shown_for_what_it_costs():
    outcome = solve(PRESETS["Spark's default"])
    assert outcome.cost_usd_per_day > 20 * outcome.largest["cost_usd_per_day"]
    [chosen] = [row for row in outcome.rows["marks"] if row["what"] == "chosen"]
    run = evaluate(design(PRESETS["Spark's default"], ASAP)).run_mean_seconds
    assert chosen["seconds"] == pytest.approx(run, rel=0.05)  # a batch starts when one ends


def test_what_falls_behind_has_no_saw_tooth_and_says_so():
    outcome = solve(Settings("1 min", 8.64e9, nodes=1))
    assert outcome.rows["teeth"] == []
    assert "falls behind" in outcome.rows["notes"][0]["over"]
    assert "It falls behind all day" in text_of(outcome.meaning)


def test_an_overrun_says_at_what_pace_batches_start():
    settings = Settings("1 s")
    found = evaluate(design(settings, "1 s"))
    period = found.latency_worst_seconds - found.run_longest_seconds
    assert period > 5
    said = text_of(solve(settings).meaning)
    assert f"at the peak one starts every {words.duration(period)}" in said
    held = float(re.search(r"A batch holds ([\d.]+) K events", said)[1])
    assert held * 1e3 == pytest.approx(1_000 * 5.1, rel=0.02)  # 1,000 a second, all that time


def test_a_tolerance_far_above_the_teeth_is_named_not_drawn():
    outcome = solve(Settings("10 s", tolerance="2 h"))
    assert outcome.rows["limits"] == []
    assert "tolerance 2 h" in outcome.rows["notes"][0]["over"]
    assert (
        solve(Settings("1 min", tolerance="2 min")).rows["limits"][0]["name"] == "tolerance 2 min"
    )


@pytest.mark.parametrize(
    ("field", "value"), [("every", "7 s"), ("tolerance", "7 min"), ("billing", "spot")]
)
def test_a_setting_that_no_control_has_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        Settings(**{field: value})
