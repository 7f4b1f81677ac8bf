"""The cost calculator: what holds of every calculator, and its answers against the model."""

import itertools
import re
import sys
from dataclasses import replace

import pytest
from corners import CalculatorChecks, ends, text_of
from tradeoff import calculators, charts, engine
from tradeoff.model import claims, evaluate, words, workload
from tradeoff.scenarios import orders, premium
from tradeoff.scenarios.worth import DAYS_PER_YEAR, said_usd

module = sys.modules["tradeoff.calculators.costs"]
Settings, solve, PRESETS = module.Settings, module.solve, module.PRESETS
said_ratio = module.said_ratio


class TestCosts(CalculatorChecks):
    make = staticmethod(calculators.costs)


def sums(outcome):
    rows = outcome.rows["parts"]
    return {
        plan: sum(row["amount"] for row in rows if row["plan"] == plan)
        for plan in dict.fromkeys(row["plan"] for row in rows)
    }


def test_the_texts_table_is_one_press_away():
    found = solve(PRESETS["The text's table"]).found
    for name, claim in zip(premium.RHYTHMS, ("C12b", "C12d", "C12f", "C12g"), strict=True):
        [stated] = claims.figures(claim)
        assert found[name].cost_usd_per_day == pytest.approx(stated, rel=0.01)


def test_the_billion_is_one_press_away():
    found = solve(PRESETS["A billion a day"]).found
    assert (found["nightly"].cost_usd_per_day,) == claims.figures("C5a")
    assert found["streaming"].cost_usd_per_day == pytest.approx(claims.figures("C5b")[0])
    stateless = solve(PRESETS["A billion, no state"])
    assert stateless.ratio("streaming") == pytest.approx(claims.figures("C16")[0])


def test_orders_today_are_lesson_fives():
    found = solve(PRESETS["Orders today, 18 M"]).found
    assert found["nightly"].cost_usd_per_day == pytest.approx(
        evaluate(orders.nightly()).cost_usd_per_day
    )


@pytest.mark.parametrize("settings", [Settings(), *PRESETS.values(), Settings(nodes=2, users=0)])
@pytest.mark.parametrize("per", module.UNITS.values())
def test_bars_and_sentence_are_the_models(settings, per):
    settings = replace(settings, per=per)
    outcome = solve(settings)
    factor = {"day": 1, "year": DAYS_PER_YEAR, "million events": 1e6 / settings.events_per_day}
    bills = [
        evaluate(design).cost_usd_per_day * factor[per]
        for design in premium.designs(
            settings.work(),
            nodes=settings.nodes or None,
            node_usd_per_hour=settings.node_usd_per_hour,
            operations_usd_per_day=settings.operations_usd_per_day,
            start_up_seconds=settings.start_up_seconds,
        ).values()
    ]
    assert list(sums(outcome).values()) == pytest.approx(bills, rel=1e-3)
    assert [row["amount"] for row in outcome.rows["totals"]] == pytest.approx(bills, rel=1e-3)
    said = text_of(outcome.meaning)
    assert said.startswith(said_usd(bills[3]))
    assert outcome.rows["totals"][3]["says"].startswith(said_usd(bills[3]))
    assert f"stream, {said_ratio(bills[3] / bills[0])} the nightly run" in said


def test_a_label_names_the_nodes_bought_and_the_standby():
    plans = [row["plan"] for row in solve(PRESETS["A billion a day"]).rows["totals"]]
    assert plans[0].startswith("nightly: 4 nodes, ")
    assert plans[3].startswith("streaming: 19 nodes + 1 standby, ")
    much = solve(replace(PRESETS["The text's table"], users=3e8))
    assert much.found["streaming"].state_nodes > 1
    more = f"streaming: 4 nodes + {much.found['streaming'].state_nodes:.0f} for state, "
    assert much.rows["totals"][3]["plan"].startswith(more)


def test_all_corners_of_the_numbers_have_an_answer():
    calculator = calculators.costs()
    names = ["events_per_day", "peak_factor", "nodes", "users", "node_usd_per_hour"]
    for values in itertools.product(*(ends(calculator._controls[name]) for name in names)):
        outcome = solve(Settings(**dict(zip(names, values, strict=True))))
        assert all(0 < amount < 1e9 for amount in sums(outcome).values())
        assert not re.search(r"\b(nan|inf|None)\b", outcome.meaning)


def test_a_design_that_falls_behind_is_named():
    outcome = solve(Settings(events_per_day=1e10, nodes=1))
    assert not outcome.found["streaming"].keeps_up
    assert outcome.rows["totals"][3]["says"].endswith("falls behind")
    assert "Does not keep up at its peak" in outcome.meaning
    assert "Does not keep up" not in solve(Settings()).meaning


def test_without_users_no_state_is_paid():
    parts = solve(Settings(users=0)).rows["parts"]
    assert all(row["amount"] == 0 for row in parts if row["part"] == "state")
    [kept] = [
        row["amount"]
        for row in solve(Settings()).rows["parts"]
        if row["part"] == "state" and row["plan"].startswith("streaming")
    ]
    assert kept > 0


def test_it_starts_from_the_catalogues_prices_and_says_where_they_are_from():
    plain = engine("flink")
    assert Settings().node_usd_per_hour == plain.node_usd_per_hour
    assert Settings().operations_usd_per_day == plain.operations_usd_per_day
    assert Settings().peak_factor == pytest.approx(workload("billion").peak_factor)
    said = text_of(solve(Settings()).meaning)
    assert words.usd(plain.node_usd_per_hour) + " a node-hour, all-in" in said
    assert "November 2026" in said


def test_parts_are_drawn_in_the_charts_order():
    rows = solve(Settings()).rows["parts"]
    assert [row["part"] for row in rows[:3]] == list(charts.PARTS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"workload": "kafka"}, "workload must be one of"),
        ({"per": "week"}, "per must be one of"),
        ({"events_per_day": -1}, "events_per_day must be"),
        ({"nodes": -1}, "nodes must be"),
        ({"users": -5}, "users must be"),
        ({"peak_factor": 0.5}, "peak_factor must be"),
        ({"node_usd_per_hour": -1}, "node_usd_per_hour must be"),
    ],
)
def test_a_setting_without_meaning_is_refused_with_its_reason(settings, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        calculators.costs(**settings)
