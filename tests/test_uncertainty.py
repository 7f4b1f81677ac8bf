"""Ranges of constants: reproducible, paired between designs, only where a design holds them."""

import dataclasses

import numpy as np
import pytest
from tradeoff import data
from tradeoff.model import (
    Cadence,
    Design,
    Plan,
    compare_uncertain,
    engine,
    evaluate,
    sweep,
    tornado,
    uncertain,
    workload,
)
from tradeoff.scenarios import orders

HOURLY = Design(
    workload("orders").at(18e6), engine("spark_ephemeral"), "batch", Cadence.every("1 h")
)


def test_the_same_seed_gives_the_same_quantiles_and_another_seed_close_ones():
    one, again, other = uncertain(HOURLY), uncertain(HOURLY), uncertain(HOURLY, seed=1)
    assert one.equals(again)
    assert not one.equals(other)
    bills = [table.loc["cost_usd_per_day", "p50"] for table in (one, other)]
    assert bills[0] == pytest.approx(bills[1], rel=0.03)


def test_quantiles_are_in_order_and_the_mid_is_the_models():
    table = uncertain(HOURLY)
    assert (table["p05"] <= table["p50"]).all()
    assert (table["p50"] <= table["p95"]).all()
    assert table.loc["cost_usd_per_day", "mid"] == evaluate(HOURLY).cost_usd_per_day


def test_a_field_set_by_hand_is_known():
    """With every constant replaced by hand nothing is left to vary."""
    by_hand = {
        field.name: getattr(HOURLY.engine, field.name) * 1.01 + 0.01
        for field in dataclasses.fields(HOURLY.engine)
        if isinstance(getattr(HOURLY.engine, field.name), float) and field.name != "minimum_nodes"
    }
    own = dataclasses.replace(HOURLY.engine, name="ours", **by_hand)
    work = dataclasses.replace(HOURLY.workload, name="ours")
    design = HOURLY.but(engine=own, workload=work)
    table = uncertain(design)
    assert np.allclose(table["p05"], table["p95"])
    assert tornado(design).empty


def test_a_tornado_bar_is_what_the_sweep_says_at_both_ends():
    constants = data.constants().set_index(["subject", "field"])
    table = tornado(HOURLY).set_index("constant")
    low, high = constants.loc[("spark_ephemeral", "start_up_seconds"), ["low", "high"]]
    swept = sweep(HOURLY, start_up_seconds=[low, high])["cost_usd_per_day"].tolist()
    row = table.loc["spark_ephemeral.start_up_seconds"]
    assert [row["at_low"], row["at_high"]] == pytest.approx(swept)
    assert table["swing"].is_monotonic_decreasing
    assert "orders.events_per_day" not in table.index


def test_prices_scale_the_bill_of_every_path_of_a_plan():
    split = next(plan for plan in orders.redesigns() if plan.name == "split by tier")
    row = tornado(split).set_index("constant").loc["node.node_usd_per_hour"]
    people = sum(evaluate(path).operations_usd_per_day for path in split.paths)
    assert row["at_low"] - people == pytest.approx((row["mid"] - people) * 10 / 12, rel=1e-3)


def test_plans_are_compared_draw_by_draw():
    """A plan beside itself with one more node a run: dearer in every draw, so it never wins."""
    dearer = dataclasses.replace(HOURLY.engine, operations_usd_per_day=50.0)
    plans = [Plan("plain", [HOURLY]), Plan("dearer", [HOURLY.but(engine=dearer)])]
    table = compare_uncertain(plans).set_index("plan")
    assert table.loc["plain", "wins"] == table.loc["plain", "serves"]
    assert table.loc["dearer", "wins"] == 0
    assert table.loc["plain", "regret_usd_per_day"] == pytest.approx(0)
    assert table.loc["dearer", "regret_usd_per_day"] > 40
    assert table["least_regret"].tolist() == [True, False]


def test_a_plan_that_serves_nobody_is_never_the_one_to_take():
    table = compare_uncertain(orders.redesigns()).set_index("plan")
    assert table.loc["keep", "serves"] == 0
    assert table["least_regret"].sum() == 1
    taken = table.index[table["least_regret"]][0]
    assert table.loc[taken, "serves"] >= 0.9


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="samples must be a whole number of at least 10"):
        uncertain(HOURLY, samples=3)
    with pytest.raises(ValueError, match="seed must be"):
        uncertain(HOURLY, seed=-1)
    with pytest.raises(ValueError, match="at least one plan"):
        compare_uncertain([])
    with pytest.raises(KeyError, match="no figure 'speed'"):
        tornado(HOURLY, "speed")
