"""Four rhythms of one workload, the premium between them, and what lateness is worth."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tradeoff.model import claims, evaluate, value_of_latency, workload
from tradeoff.scenarios import premium
from tradeoff.scenarios.worth import Lateness


def found(designs):
    return {name: evaluate(design) for name, design in designs.items()}


def test_the_texts_table_comes_out_of_runs_and_nodes():
    table = found(premium.table_designs())
    assert table["nightly"].run_mean_seconds == pytest.approx(40 * 60, rel=0.01)
    assert table["hourly"].run_mean_seconds == pytest.approx(5 * 60, rel=0.01)
    hours = {"nightly": "C12a", "hourly": "C12c", "micro-batch": "C12e"}
    usd = dict(zip(premium.RHYTHMS, ("C12b", "C12d", "C12f", "C12g"), strict=True))
    for name, claim in hours.items():
        [stated] = claims.figures(claim)
        assert table[name].node_hours_per_day == pytest.approx(stated, rel=0.01)
    for name, claim in usd.items():
        [stated] = claims.figures(claim)
        assert table[name].cost_usd_per_day == pytest.approx(stated, rel=0.01), name


def test_the_billion_is_the_texts():
    night, _, _, stream = found(premium.designs(workload("billion"))).values()
    assert (night.cost_usd_per_day,) == claims.figures("C5a")
    assert (stream.cost_usd_per_day,) == claims.figures("C5b")


def test_prices_are_those_given():
    plain = found(premium.designs(workload("billion"), nodes=8))
    dear = found(
        premium.designs(
            workload("billion"), nodes=8, node_usd_per_hour=24, operations_usd_per_day=40
        )
    )
    for name in premium.RHYTHMS:
        assert dear[name].compute_usd_per_day == pytest.approx(2 * plain[name].compute_usd_per_day)
        factor = {"micro-batch": 1.25, "streaming": 2.0}.get(name, 1.0)
        assert dear[name].operations_usd_per_day == pytest.approx(40 * factor)
        assert dear[name].design.nodes == 8
        assert dear[name].design.name == name


def test_a_design_that_nodes_cannot_save_is_shown_as_such():
    lost = found(premium.designs(workload("orders").at(1e9)))
    assert not any(one.keeps_up for one in lost.values())


def test_premium_swings_move_both_designs_at_once():
    designs = premium.table_designs()
    fast, slow = designs["streaming"], designs["nightly"]
    mid = premium.premium(evaluate(fast), evaluate(slow))
    swings = premium.premium_swings(fast, slow).set_index("constant")
    assert (swings["mid"] == mid).all()
    price = swings.loc["node.node_usd_per_hour"]
    hours = [
        one.node_hours_per_day + 24 * one.state_nodes for one in (evaluate(fast), evaluate(slow))
    ]
    assert price["at_high"] - price["at_low"] == pytest.approx(2.5 * (hours[0] - hours[1]))
    # people cost twice for a stream: of a dollar more, one is left in the premium
    people = swings.loc["node.operations_usd_per_day"]
    assert people["at_high"] - people["at_low"] == pytest.approx(7)
    assert swings["swing"].is_monotonic_decreasing


rates, seconds = st.floats(0, 1e6), st.floats(0, 2e5)
mosts = st.none() | st.floats(0, 1e9)


@given(rates, seconds, seconds, seconds, st.floats(0, 4000))
def test_without_a_most_it_is_the_models_value(rate, slow, fast, threshold, times):
    late = Lateness(rate, threshold, times)
    assert late.value_usd_per_year(slow, fast) == pytest.approx(
        times * value_of_latency(slow, fast, rate, threshold)
    )


@given(rates, seconds, seconds, seconds, mosts)
def test_lateness_never_costs_less_when_later_and_never_more_than_the_most(
    rate, one, other, threshold, most
):
    late = Lateness(rate, threshold, most_usd_per_year=most)
    slow, fast = max(one, other), min(one, other)
    assert late.usd_per_year(slow) >= late.usd_per_year(fast) >= 0
    if most is not None:
        assert late.usd_per_year(slow) <= most
    if slow <= threshold:
        assert late.usd_per_year(slow) == 0


@given(seconds, seconds, seconds, st.floats(1, 1e9), mosts, st.floats(1, 4000))
def test_at_break_even_the_value_is_the_premium(one, other, threshold, usd, most, times):
    slow, fast = max(one, other), min(one, other)
    assume(slow > threshold + 1)
    assume(slow - fast > 1)
    late = Lateness(1.0, threshold, times, most)
    rate = late.break_even_usd_per_minute(usd, slow, fast)
    if rate is None:
        top = Lateness((most or 0) / times / (slow - threshold) * 60, threshold, times, most)
        assert top.value_usd_per_year(slow, fast) < usd * (1 + 1e-9)
        return
    value = Lateness(rate, threshold, times, most).value_usd_per_year(slow, fast)
    assert value == pytest.approx(usd, rel=1e-6)
    less = Lateness(0.99 * rate, threshold, times, most).value_usd_per_year(slow, fast)
    assert less < usd


def test_break_even_at_the_edges():
    late = Lateness(1.0, 60)
    assert late.break_even_usd_per_minute(0, 3600, 1) == 0
    assert late.break_even_usd_per_minute(100, 30, 1) is None  # below the threshold: free
    assert late.break_even_usd_per_minute(100, 10, 3600) is None  # not faster at all
    assert Lateness(1.0, times_a_year=0).break_even_usd_per_minute(100, 3600, 1) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"usd_per_minute": -1}, "usd_per_minute must be"),
        ({"usd_per_minute": math.nan}, "usd_per_minute must be"),
        ({"usd_per_minute": 1, "times_a_year": math.inf}, "times_a_year must be"),
        ({"usd_per_minute": 1, "threshold_seconds": -1}, "threshold_seconds must be"),
        ({"usd_per_minute": 1, "most_usd_per_year": -1}, "most_usd_per_year must be"),
    ],
)
def test_bad_numbers_are_refused_by_name(values, said):
    with pytest.raises(ValueError, match=said):
        Lateness(**values)
