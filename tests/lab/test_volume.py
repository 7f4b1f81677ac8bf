"""Four engines make one table of a day, in one run and in 24."""

import os

import pytest
from tradeoff import data
from tradeoff.lab.systems import needs, volume
from tradeoff.lab.systems.contract import differing, facts

ORDERS = 200_000


@pytest.fixture(scope="module")
def day():
    with volume.a_day(ORDERS) as made:
        yield made


@pytest.fixture(scope="module")
def expected():
    return facts(data.orders(volume.DATE, ORDERS))


@pytest.mark.parametrize("how", volume.HOW)
@pytest.mark.parametrize("engine", volume.ENGINES)
def test_every_engine_makes_the_same_table(day, expected, engine, how):
    if advice := needs.lacks(*volume.ENGINES[engine][1]):
        pytest.skip(advice)
    if (engine, how) == ("Spark", "hourly") and "TRADEOFF_LAB" not in os.environ:
        pytest.skip("24 queries of Spark take a minute: set TRADEOFF_LAB=1")
    counted = volume.count(day, engine, how, memory_mb=1_000)
    assert differing(counted.table, expected).empty
    assert counted.engine.startswith(engine)
    assert counted.seconds > 0
    assert counted.peak_bytes > 20e6


def test_an_engine_that_is_not_there_is_named(day):
    with pytest.raises(ValueError, match="engine must be one of"):
        volume.count(day, "abacus", "nightly")


def test_an_engine_that_fails_says_why(day):
    broken = volume.Day(1, day.path.with_name("orders-2026-04-25-missing.parquet"), day.products)
    with pytest.raises(needs.LabError, match="on 1 orders ended with"):
        volume.count(broken, "DuckDB", "nightly")
