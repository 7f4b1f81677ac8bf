"""The redesign calculator: what holds of every calculator, and its answers against the model."""

import itertools
import math
import re

import pytest
from corners import CalculatorChecks, ends, text_of
from tradeoff import calculators, evaluate
from tradeoff.calculators.redesign import ENGINES, PRESETS, Settings, solve
from tradeoff.model import words
from tradeoff.scenarios import orders, proposals, search


class TestRedesign(CalculatorChecks):
    make = staticmethod(calculators.redesign)


def finite(outcome):
    figures = [value for one in outcome.found for value in one.figures.values()]
    assert all(math.isfinite(value) for value in figures)
    assert all(0 < row["limit_used"] < 1e9 for row in outcome.rows["needs"])
    assert 0 < outcome.cost_usd_per_day < 1e9
    said = text_of(outcome.meaning)
    assert said.startswith(words.usd(round(outcome.cost_usd_per_day)) + " a day")
    assert not re.search(r"\b(nan|inf|None)\b", said)


def test_all_corners_together_have_an_answer():
    calculator = calculators.redesign()
    names = list(calculator._controls)
    for values in itertools.product(*map(ends, calculator._controls.values())):
        calculator.settings = Settings(**dict(zip(names, values, strict=True)))
        finite(calculator.outcome)
        assert calculator._meaning.value == calculator.outcome.meaning


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_what_the_model_says_of_it(name):
    calculator = calculators.redesign()
    [button] = [each for each in calculator.children[0].children if each.description == name]
    button.click()
    plan = PRESETS[name].plan()
    assert calculator.settings == PRESETS[name]
    assert calculator.outcome.cost_usd_per_day == pytest.approx(
        sum(evaluate(path).cost_usd_per_day for path in plan.paths)
    )
    assert calculator.outcome.serves == all(evaluate(path).serves for path in plan.paths)


def test_the_presets_are_the_lessons_proposals():
    plans = {plan.name: plan for plan in orders.redesigns()}
    for preset, plan in {
        "Today, 18 M": "keep",
        "The redesign": "split by tier",
        "Warm pool": "one path, warm pool",
        "All to streaming": "all to streaming",
    }.items():
        bill = sum(evaluate(path).cost_usd_per_day for path in plans[plan].paths)
        assert solve(PRESETS[preset]).cost_usd_per_day == pytest.approx(bill)


def test_one_answer_when_many_controls_move(monkeypatch):
    calculator = calculators.redesign()
    solved = []
    monkeypatch.setattr(calculator, "_solve", lambda settings: solved.append(1) or solve(settings))
    calculator.settings = PRESETS["The redesign"]
    assert len(solved) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"orders_per_day": 17.3e6, "nodes": 5},
        {"every": "90 s"} | {"every": "2 min", "incremental": True},
        {"engine": "flink", "incremental": True, "marketing_apart": True},
    ],
)
def test_the_line_to_share_makes_the_same_calculator(settings):
    calculator = calculators.redesign(**settings)
    again = eval(calculator.code, {"calculators": calculators})
    assert again.settings == calculator.settings
    assert again.outcome.meaning == calculator.outcome.meaning
    assert calculator.code in calculator._code.value.replace("&#x27;", "'")


def test_one_cadence_may_be_written_in_many_ways():
    assert Settings(every="60 min") == Settings(every=3600) == Settings(every="1 h")
    assert Settings(every="60 s").every == "1 min"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"every": "7 min"}, "7 min"),
        ({"every": "5 h"}, "interval_seconds"),
        ({"engine": "kafka"}, "spark_warm"),
        ({"orders_per_day": -3}, "events_per_day must be"),
        ({"orders_per_day": math.nan}, "events_per_day must be"),
        ({"nodes": 0}, "nodes must be"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_its_reason(settings, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        calculators.redesign(**settings)


def test_what_the_model_refuses_is_shown_as_a_sentence():
    calculator = calculators.redesign(orders_per_day=8e9)
    calculator._controls["marketing_apart"].value = True
    assert "no number of nodes" in calculator._meaning.value
    calculator._controls["marketing_apart"].value = False
    finite(calculator.outcome)


def test_a_stream_has_no_use_for_cadence_and_incremental():
    calculator = calculators.redesign(engine="flink")
    greyed = {name for name, each in calculator._controls.items() if each.disabled}
    assert greyed == {"every", "incremental"}
    calculator._controls["engine"].value = "spark_warm"
    assert not any(each.disabled for each in calculator._controls.values())


def test_needs_agree_with_the_models_verdict():
    everything = itertools.product(
        (4e6, 18e6, 80e6),
        ("24 h", "6 h", "1 h", "6 min", "1 min"),
        (True, False),
        (1, 8),
        ENGINES.values(),
        (True, False),
    )
    for values in everything:
        outcome = solve(Settings(*values))
        missed = [row for row in outcome.needs if row["verdict"] == proposals.MISSED]
        assert outcome.serves == (not missed), values


def test_the_picture_shows_bills_that_add_up():
    rows = solve(PRESETS["The redesign"]).rows["bills"]
    ours = sum(row["usd"] for row in rows if row["plan"] == "this design")
    assert ours == pytest.approx(solve(PRESETS["The redesign"]).cost_usd_per_day)
    nightly = sum(row["usd"] for row in rows if row["plan"] != "this design")
    assert nightly == pytest.approx(evaluate(orders.nightly()).cost_usd_per_day)


def test_no_served_setting_is_cheaper_than_the_search():
    """The calculator and the yardstick of the exercise speak of one model."""
    night = orders.nightly()
    engines = {solve(Settings(engine=name)).plan.paths[0].engine for name in ENGINES.values()}
    found = search.cheapest_plan(night.workload, night.consumers, sorted(engines, key=repr))
    assert found is not None
    _, least = found
    changes = night.workload.at(18e6, source_events_per_second=None)
    always = search.cheapest_plan(changes, night.consumers, sorted(engines, key=repr))
    assert always is not None
    for every in ("1 h", "15 min", "6 min", "4 min"):
        for nodes, name, apart in itertools.product((1, 2), ENGINES.values(), (True, False)):
            outcome = solve(
                Settings(
                    every=every,
                    incremental=True,
                    nodes=nodes,
                    engine=name,
                    marketing_apart=apart,
                )
            )
            if outcome.serves:
                assert outcome.cost_usd_per_day >= min(least, always[1]) * (1 - 1e-9)
