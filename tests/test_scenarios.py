"""The orders pipeline tells its story, and generated faults are what they say."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff import data
from tradeoff.model import TIER_SECONDS, Cadence, Design, compare, evaluate, tier_of
from tradeoff.model.stages import STAGES
from tradeoff.scenarios import faults, orders, search
from tradeoff.scenarios.faults import FITS, RECENT, TROUBLES

# --- the orders pipeline --------------------------------------------------------------------------


def hours(runs: pd.DataFrame) -> pd.Series:
    return (runs["end"] - runs["start"]).dt.total_seconds() / 3600


def test_the_file_holds_what_the_generator_draws():
    pd.testing.assert_frame_equal(data.order_runs(), orders.run_history())


def test_two_years_tell_the_texts_story():
    runs = data.order_runs()
    took = hours(runs)
    assert len(runs) == 730
    first, last = runs.head(28), runs.tail(28)
    assert first["rows_new"].median() == pytest.approx(4e6, rel=0.03)
    assert last["rows_new"].median() == pytest.approx(18e6, rel=0.03)
    assert took.head(28).median() == pytest.approx(3, rel=0.03)
    assert took.tail(28).median() == pytest.approx(11, rel=0.03)
    assert first["cost_usd"].median() == pytest.approx(36, rel=0.05)
    late = took > orders.RUN_WINDOW_HOURS
    assert runs.loc[~late, "pages"].mean() < 0.02
    assert 3 <= 7 * runs.loc[late, "pages"].mean() <= 4  # mornings a week
    assert (runs["rows_read"] == runs["rows_new"]).all()


def test_stages_add_up_to_the_run_and_starts_follow_the_shops_clock():
    runs = data.order_runs()
    stages = runs[[f"{stage}_seconds" for stage in STAGES]].sum(axis=1)
    assert (stages - hours(runs) * 3600).abs().max() < 1
    assert set(runs["start"].dt.hour) == {2, 3}
    forward = runs[runs["start"].dt.hour == 3]["start"].dt.strftime("%m-%d").tolist()
    assert forward == ["03-09", "03-08"]  # the nights when 2 am does not exist


def test_what_each_proposal_does():
    table = (
        compare(orders.redesigns())
        .groupby("plan")
        .agg(serves=("serves", "all"), bill=("plan_cost_usd_per_day", "first"))
    )
    assert not table.serves[["keep", "8 nodes", "hourly, full read", "hourly, incremental"]].any()
    assert not table.serves["every 6 h, incremental"]
    assert table.bill["every 6 h, incremental"] < table.bill["hourly, incremental"]
    assert table.serves[["split by tier", "one path, always on", "all to streaming"]].all()
    assert table.bill["keep"] < table.bill["split by tier"] < table.bill["one path, always on"]
    assert table.bill["all to streaming"] > 15 * table.bill["keep"]
    # Billing decides: on a pool paid by the busy second one path for both is the cheapest.
    assert table.bill["one path, warm pool"] < table.bill["split by tier"]


# --- generated faults -----------------------------------------------------------------------------

causes = st.tuples(
    st.sampled_from(FITS), st.booleans(), st.sampled_from(STAGES), st.sampled_from(TROUBLES)
).map(lambda drawn: drawn if drawn[0] == "fits" else (*drawn[:3], "none"))


@settings(max_examples=250, deadline=None)
@given(causes, st.integers(0, 2**32))
def test_a_fault_shows_in_the_telemetry_with_a_margin(cause, seed):
    """Whoever computes the stated figure, by median or by sum, lands on the constructed side."""
    fit, rereads, stage, trouble = cause
    drawn = faults.history(np.random.default_rng(seed), fit, rereads, stage, trouble)
    runs, limits = drawn.runs, drawn.limits
    recent, then = runs.tail(RECENT), runs.head(RECENT)
    now = hours(recent).median() / limits["run_window_hours"]
    assert (now < 0.98) if fit == "fits" else (now > 1.1)
    for rows in ("rows_new", "rows_read"):
        at_old_volume = now * then[rows].median() / recent[rows].median()
        if fit == "outgrown":
            assert at_old_volume < 0.9
        elif fit == "slowed":
            assert at_old_volume > 1.03
    for ratio in (
        (recent["rows_read"] / recent["rows_new"]).median(),
        recent["rows_read"].sum() / recent["rows_new"].sum(),
    ):
        assert (ratio > 2.5) if rereads else (ratio < 1.7)
    for spent in (
        recent[[f"{name}_seconds" for name in STAGES]].sum(),
        recent[[f"{name}_seconds" for name in STAGES]].median(),
    ):
        assert spent.idxmax() == f"{stage}_seconds"
        assert spent.max() / spent.sum() > 0.5
    age = limits["interval_hours"] * 3600 + hours(recent).median() * 3600
    freshest = drawn.consumers["freshness_seconds"].min()
    if fit == "fits":
        assert (freshest < 0.7 * age) if trouble == "latency" else (freshest > 1.4 * age)
    per_day = 24 / limits["interval_hours"]
    for bill in (recent["cost_usd"].median() * per_day, recent["cost_usd"].mean() * per_day):
        filled = bill / limits["budget_usd_per_day"]
        assert (filled > 1.2) if trouble == "cost" else (filled < 0.95)
    for some in (runs, recent):
        days = (some["start"] - some["start"].iloc[0]).dt.total_seconds() / 86_400
        slope = np.polyfit(days, some["state_bytes"], 1)[0]
        filled = (some["state_bytes"].iloc[-1] + 30 * slope) / limits["state_limit_bytes"]
        assert (filled > 1.01) if trouble == "state" else (filled < 0.99)
    assert drawn.fails == (trouble if fit == "fits" else "throughput")


def test_causes_are_drawn_apart_from_symptoms():
    """Neither growth, nor pages, nor a long run tells whether the window is outgrown."""
    rng = np.random.default_rng(1)
    rows = []
    for fit, rereads, stage in itertools.product(FITS, (True, False), STAGES * 12):
        drawn = faults.history(rng, fit, rereads, stage, "none")
        runs = drawn.runs
        rows.append(
            {
                "outgrown": drawn.outgrown,
                "hours": hours(runs.tail(RECENT)).median(),
                "pages": runs["pages"].mean(),
                "grew": runs["rows_new"].tail(RECENT).median() / runs["rows_new"].head(28).median(),
            }
        )
    table = pd.DataFrame(rows)
    groups = table.groupby("outgrown")
    assert (table.loc[~table.outgrown, "grew"] > 2).mean() > 0.3
    assert groups["pages"].mean().diff().abs().max() < 0.06
    overlap = groups["hours"].quantile([0.2, 0.8]).unstack()
    assert overlap.loc[True, 0.2] < overlap.loc[False, 0.8]


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_consumers_are_grouped_by_the_tier_of_their_need(seed):
    table, groups = faults.readers_by_tier(np.random.default_rng(seed))
    need = dict(zip(table["name"], table["freshness_seconds"], strict=True))
    assert sorted(name for group in groups for name in group) == sorted(table["name"])
    tiers = [{tier_of(need[name]) for name in group} for group in groups]
    assert all(len(tier) == 1 for tier in tiers)
    assert len(set.union(*tiers)) == len(groups)
    # far from a bound, so that "at most" and "below" mean the same
    assert not set(need.values()) & set(TIER_SECONDS.values()) - {900.0, 7200.0, 10.0}


def test_bad_words_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="must be one of fits, outgrown, slowed, got 'late'"):
        faults.history(rng, "late", False, "read", "none")
    with pytest.raises(ValueError, match="trouble must be 'none'"):
        faults.history(rng, "outgrown", False, "read", "cost")


# --- the search -----------------------------------------------------------------------------------


def test_the_cheapest_plan_serves_everyone_and_nothing_on_its_grid_is_cheaper():
    rng = np.random.default_rng(5)
    for _ in range(4):
        drawn = faults.redesign(rng)
        paths = [
            Design.from_facts(facts, drawn.workload, drawn.consumers, drawn.engines)
            for facts in drawn.best_paths
        ]
        assert all(evaluate(path).serves for path in paths)
        bill = sum(evaluate(path).cost_usd_per_day for path in paths)
        assert bill == pytest.approx(drawn.best_usd_per_day)
        for path in paths:  # one step to any side is dearer or serves less
            for change in _neighbours(path):
                found = evaluate(change)
                cheaper = found.cost_usd_per_day < evaluate(path).cost_usd_per_day - 1e-6
                assert not (cheaper and found.serves), change


def _neighbours(path: Design) -> list[Design]:
    steps = [
        path.but(nodes=path.nodes + step)
        for step in (-1, 1)
        if path.engine.minimum_nodes <= path.nodes + step
    ]
    grid = sorted(search.INTERVALS_SECONDS)
    if path.cadence.kind == "every":
        place = grid.index(path.cadence.interval_seconds)
        steps += [
            path.but(cadence=Cadence.every(grid[i]))
            for i in (place - 1, place + 1)
            if 0 <= i < len(grid)
        ]
    return steps


def test_splitting_pays_in_some_generated_pipelines_and_not_in_others():
    rng = np.random.default_rng(8)
    sizes = []
    for _ in range(40):
        drawn = faults.redesign(rng)
        if len({consumer.tier for consumer in drawn.consumers}) > 1:
            sizes.append(len(drawn.best_paths))
    assert 0.2 < np.mean(np.array(sizes) > 1) < 0.8


def test_facts_of_a_path_read_back_as_the_same_path():
    drawn = faults.redesign(np.random.default_rng(2))
    for facts in drawn.best_paths:
        path = Design.from_facts(facts, drawn.workload, drawn.consumers, drawn.engines)
        assert path.facts() == facts
    with pytest.raises(ValueError, match="engine must be one of"):
        Design.from_facts(
            {**drawn.best_paths[0], "engine": "free"},
            drawn.workload,
            drawn.consumers,
            drawn.engines,
        )
    with pytest.raises(ValueError, match="a path has the keys"):
        Design.from_facts({"engine": "flink"}, drawn.workload, drawn.consumers, drawn.engines)
