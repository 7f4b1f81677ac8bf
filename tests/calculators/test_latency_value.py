"""The value-of-latency calculator: what holds of every calculator, and the model behind it."""

import itertools
import math
import re
import sys
from dataclasses import replace

import pytest
from corners import CalculatorChecks, ends, text_of
from tradeoff import break_even_usd_per_minute, calculators, value_of_latency
from tradeoff.model import evaluate
from tradeoff.scenarios import premium
from tradeoff.scenarios.worth import said_usd

module = sys.modules["tradeoff.calculators.latency_value"]
Settings, solve, PRESETS = module.Settings, module.solve, module.PRESETS
FRAUD, BIDS, OUTAGE, DASHBOARD = PRESETS.values()


class TestLatencyValue(CalculatorChecks):
    make = staticmethod(calculators.latency_value)


def test_without_a_most_the_answer_is_the_models_a_day_times_the_days():
    now = Settings()
    outcome = solve(now)
    a_day = value_of_latency(
        now.slow_seconds, now.fast_seconds, now.usd_per_minute, now.threshold_seconds
    )
    even = break_even_usd_per_minute(
        now.premium_usd_per_day, now.slow_seconds, now.fast_seconds, now.threshold_seconds
    )
    assert outcome.value_usd_per_year == pytest.approx(365 * a_day)
    assert outcome.break_even_usd_per_minute == pytest.approx(even)
    assert outcome.premium_usd_per_year == 365 * now.premium_usd_per_day


def test_verdicts_of_the_texts_occasions():
    assert solve(FRAUD).pays
    assert solve(BIDS).pays
    assert solve(BIDS).value_usd_per_year == BIDS.most_usd_per_year  # a cliff: all or nothing
    assert not solve(OUTAGE).pays
    assert solve(OUTAGE).value_usd_per_year == pytest.approx(20 * 1000 * 12, rel=0.001)
    assert solve(DASHBOARD).value_usd_per_year == 0
    assert "nobody loses a dollar" in solve(DASHBOARD).meaning


def test_premiums_and_latencies_are_those_of_the_texts_table():
    table = {name: evaluate(design) for name, design in premium.table_designs().items()}
    stream, hourly, nightly = table["streaming"], table["hourly"], table["nightly"]
    assert pytest.approx(premium.premium(stream, hourly), abs=0.5) == FRAUD.premium_usd_per_day
    assert pytest.approx(premium.premium(stream, nightly), abs=0.5) == DASHBOARD.premium_usd_per_day
    assert pytest.approx(hourly.latency_worst_seconds, abs=0.5) == FRAUD.slow_seconds
    assert pytest.approx(stream.latency_worst_seconds, abs=0.05) == FRAUD.fast_seconds


@pytest.mark.parametrize("settings", PRESETS.values(), ids=PRESETS)
def test_sentence_and_bars_say_the_same(settings):
    outcome = solve(settings)
    said = text_of(outcome.meaning)
    value, premium_bar = outcome.rows["bars"]
    assert said.startswith(said_usd(outcome.value_usd_per_year) + " a year")
    assert value["says"] == said_usd(outcome.value_usd_per_year)
    assert value["usd"] == pytest.approx(outcome.value_usd_per_year, rel=1e-4)
    assert premium_bar["usd"] == pytest.approx(outcome.premium_usd_per_year, rel=1e-4)
    assert ("It pays" in said) == outcome.pays
    assert outcome.pays == (value["usd"] > premium_bar["usd"])


def test_a_minute_at_break_even_pays_and_just_below_does_not():
    even = solve(FRAUD).break_even_usd_per_minute
    assert solve(replace(FRAUD, usd_per_minute=even * 1.001)).pays
    assert not solve(replace(FRAUD, usd_per_minute=even * 0.999)).pays


def test_a_most_can_make_it_never_pay():
    outcome = solve(replace(FRAUD, most_usd_per_year=100_000))
    assert outcome.break_even_usd_per_minute is None
    assert "At no price of a minute" in outcome.meaning


def test_a_design_that_is_not_faster_is_nothing_to_pay_for():
    said = solve(Settings(slow_seconds=10, fast_seconds=3600)).meaning
    assert "It is not faster" in said
    assert "At no price of a minute" in said


def test_curve_rises_and_bends_where_the_threshold_and_the_most_are():
    curve = solve(BIDS).rows["curve"]
    usd = [row["usd"] for row in curve]
    assert usd == sorted(usd)
    assert [row["usd"] for row in curve if row["seconds"] <= 0.1] == [0] * sum(
        row["seconds"] <= 0.1 for row in curve
    )
    late = BIDS.lateness().lost_from_seconds
    assert late in [row["seconds"] for row in curve]
    assert max(usd) == BIDS.most_usd_per_year


def test_all_corners_of_what_lateness_costs_have_an_answer():
    calculator = calculators.latency_value()
    names = list(calculator._controls)
    for values in itertools.product(*map(ends, calculator._controls.values())):
        outcome = solve(Settings(**dict(zip(names, values, strict=True))))
        assert math.isfinite(outcome.value_usd_per_year)
        assert math.isfinite(outcome.premium_usd_per_year)
        assert not re.search(r"\b(nan|inf|None)\b", outcome.meaning)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"usd_per_minute": -1}, "usd_per_minute must be"),
        ({"times_a_year": math.nan}, "times_a_year must be"),
        ({"slow_seconds": -1}, "slow_seconds must be"),
        ({"premium_usd_per_day": math.inf}, "premium_usd_per_day must be"),
        ({"threshold_seconds": -1}, "threshold_seconds must be"),
        ({"most_usd_per_year": -1}, "most_usd_per_year must be"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_its_reason(settings, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        calculators.latency_value(**settings)
