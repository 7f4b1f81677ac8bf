"""The lab's contract: the table recounted, differences found, ages told from counts alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.lab.systems.contract import FACTS, KEYS, Measured, ages, differing, facts

DAY = "2026-04-25"


@pytest.fixture(scope="module")
def orders():
    return data.orders(DAY, 3_000)


def test_the_table_is_a_recount(orders):
    table = facts(orders)
    assert list(table.columns) == FACTS
    assert table["orders"].sum() == len(orders)
    assert table["revenue_cents"].sum() == orders["amount_cents"].sum()
    first = table.iloc[0]
    category = data.products().set_index("product_id")["category"].astype(str)
    same = orders[
        (orders["order_timestamp"].dt.floor("1h") == first["window_start"])
        & (orders["product_id"].map(category) == first["category"])
        & (orders["region"].astype(str) == first["region"])
    ]
    assert len(same) == first["orders"]


def test_an_order_that_stands_twice_counts_once(orders):
    assert facts(pd.concat([orders, orders.head(50)])).equals(facts(orders))


def test_differences_are_found_on_both_sides_and_duplicates_are_differences(orders):
    table = facts(orders)
    assert differing(table, table).empty
    more = table.copy()
    more.loc[0, "orders"] += 1
    assert sorted(differing(more, table)["where"]) == ["expected", "table"]
    twice = pd.concat([table, table.head(1)])
    assert list(differing(twice, table)["where"]) == ["table"]
    assert list(differing(table.tail(-1), table)["where"]) == ["expected"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), batches=st.integers(1, 30))
def test_ages_from_counts_are_those_of_the_batches(orders, seed, batches):
    """Orders committed one by one and counted batch by batch: each one's age is known."""
    rng = np.random.default_rng(seed)
    committed = np.sort(rng.uniform(0, 10, len(orders)))
    cuts = np.append(np.sort(rng.uniform(0, 10, batches - 1)), 10)
    batch_of = np.searchsorted(cuts, committed)
    results = []
    for number, cut in enumerate(cuts):
        table = facts(orders[batch_of <= number]).assign(at=cut + 0.25)
        results.append(table[[*KEYS, "orders", "at"]])
    seen = pd.concat(results, ignore_index=True)
    found = ages(
        orders,
        pd.Series(committed, index=orders["order_id"]),
        seen.sample(frac=1, random_state=seed % 2**31, ignore_index=True),
    )
    assert found == pytest.approx(cuts[batch_of] + 0.25 - committed)


def test_an_order_never_seen_is_an_error(orders):
    committed = pd.Series(0.0, index=orders["order_id"])
    seen = facts(orders).assign(at=1.0).iloc[1:]
    with pytest.raises(ValueError, match="never seen"):
        ages(orders, committed, seen)


def test_no_orders_have_no_ages_and_no_results_are_an_error(orders):
    committed, seen = pd.Series(0.0, index=orders["order_id"]), facts(orders).assign(at=1.0)
    nothing = pd.DataFrame(columns=seen.columns)
    for results in (seen, nothing):
        assert ages(orders.head(0), committed, results).shape == (0,)
    with pytest.raises(ValueError, match="3,000 of 3,000 orders were never seen"):
        ages(orders, committed, nothing)


def test_a_run_checks_its_table_and_its_stages(orders):
    table = facts(orders)
    run = Measured("nightly batch", "none", len(orders), table, len(orders), 2.0)
    assert run.events_per_second == 1_500
    assert run.wrong_rows(orders).empty
    assert np.isnan(run.age(50))
    assert not run.wrong_rows(orders.head(10)).empty
    with pytest.raises(ValueError, match="stages"):
        Measured("a", "b", 1, table, 1, 1.0, stages={"think": 1.0})
    with pytest.raises(ValueError, match="columns"):
        Measured("a", "b", 1, table.drop(columns="orders"), 1, 1.0)
