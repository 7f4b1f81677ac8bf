"""Lesson 2: its figures are the model's, and the loop it runs does what the prose says of it."""

import re

import pandas as pd
import pytest
from lesson import Lesson, executed, prose, shown
from tradeoff.calculators.trigger import PRESETS, Settings, solve
from tradeoff.model import State, claims, evaluate, sized, words
from tradeoff.scenarios import triggers
from tradeoff.simulate import Bursts, against_closed_form

POOL = {"billing": "warm"}


class TestLesson2(Lesson):
    name = "02_micro_batch"


@pytest.fixture(scope="module")
def cells():
    return {cell.id: shown(cell) for cell in executed(TestLesson2.name).cells}


def usd(events, every, **options):
    return evaluate(triggers.pipeline(events, every, **options)).cost_usd_per_day


def table(cells, name):
    [html] = re.findall(r"<table.*?</table>", cells[name], re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


# --- the story and the question -------------------------------------------------------------------


def test_the_bill_falls_thirtyfold_and_five_minutes_is_just_too_long():
    assert usd(1e6, triggers.ASAP, **POOL) / usd(1e6, "4 min", **POOL) == pytest.approx(30, abs=1)
    needs = {"tolerance": "5 min", **POOL}
    assert evaluate(triggers.pipeline(1e6, "4 min", **needs)).serves
    late = evaluate(triggers.pipeline(1e6, "5 min", **needs))
    assert 300 < late.latency_worst_seconds < 310
    assert not late.serves
    half_second = usd(1e6, "500 ms", **POOL)
    assert half_second == pytest.approx(usd(1e6, triggers.ASAP, **POOL))  # "You get A"


def test_no_choice_is_dearer_than_no_trigger():
    curve = triggers.over_intervals(triggers.pipeline(1e6, "1 min", **POOL))
    assert usd(1e6, triggers.ASAP, **POOL) >= curve["cost_usd_per_day"].max() - 1e-9


# --- what it is, and one knob ---------------------------------------------------------------------


def test_a_one_second_trigger_is_ten_seconds_late_and_overruns():
    found = evaluate(triggers.pipeline(86.4e6, "1 s"))
    assert found.latency_worst_seconds == pytest.approx(10, abs=0.5)
    assert found.utilisation_peak > 1
    assert found.design.engine.overhead_seconds == 5
    assert triggers.settled(found).events_per_run == pytest.approx(5_100, rel=0.01)


def test_a_longer_trigger_costs_less_on_a_pool_and_a_shorter_one_more():
    curve = triggers.over_intervals(triggers.pipeline(86.4e6, "1 min", **POOL), ["1 s", "10 min"])
    assert curve["cost_usd_per_day"].is_monotonic_decreasing
    assert curve["latency_worst_seconds"].is_monotonic_increasing


# --- why it exists --------------------------------------------------------------------------------


def test_the_overhead_is_most_of_a_minutes_batch_until_thousands_a_second():
    minute = evaluate(triggers.pipeline(86.4e6, "1 min"))
    assert minute.events_per_run == 60_000
    assert triggers.overhead_share(minute) == pytest.approx(0.85, abs=0.005)
    half = triggers.shared_half(minute.design)
    assert 3_000 < half < 9_000
    on_four = triggers.shared_half(triggers.pipeline(86.4e6, "4 min"))
    assert on_four == pytest.approx(half / 4)


def test_the_middle_has_its_two_footnotes():
    costs = {}
    week = State(1e6, values_per_key=100, window_seconds=7 * 86_400, watermark_seconds=600)
    for state in (None, week):
        middle = triggers.pipeline(1e9, "1 min")
        middle = sized(middle.but(workload=middle.workload.at(1e9, state=state)))
        pool = triggers.pipeline(1e9, "1 min", nodes=middle.nodes, **POOL)
        designs = {
            "hourly": triggers.hourly_batch(middle),
            "pool": pool.but(workload=middle.workload),
            "always on": middle,
            "stream": triggers.stream(middle),
        }
        costs[state is None] = {k: evaluate(one).cost_usd_per_day for k, one in designs.items()}
    plain, kept = costs[True], costs[False]
    assert plain["always on"] == pytest.approx(plain["stream"], rel=0.02)
    assert kept["stream"] > 4 * kept["always on"]
    assert plain["pool"] == pytest.approx(plain["hourly"], rel=0.1)
    assert kept["pool"] < 1.4 * kept["hourly"]
    assert min(plain["always on"] / plain["hourly"], kept["always on"] / kept["hourly"]) > 2


# --- choosing the interval ------------------------------------------------------------------------


@pytest.mark.parametrize(("events", "ratio"), [(1e6, 7.1), (86.4e6, 5.3), (1e9, 2.0)])
def test_a_trigger_eight_times_shorter_costs_so_much_more(events, ratio):
    assert usd(events, "30 s", **POOL) / usd(events, "4 min", **POOL) == pytest.approx(
        ratio, abs=0.05
    )
    assert usd(events, "30 s") == usd(events, "4 min")  # always on


def test_ten_seconds_need_more_than_twice_the_nodes_of_a_minute():
    nodes = triggers.over_intervals(triggers.pipeline(1e9, "1 min"), ["10 s", "1 min"])
    ten, minute = nodes["nodes_needed"]
    assert ten > 2 * minute


def test_every_claim_named_is_in_the_range_that_the_prose_gives(cells):
    known = claims.report().set_index("id")
    assert known.loc["C6a", "low"] == 0.1
    assert known.loc[["C6b", "C6c"], "low"].tolist() == [10, 300]
    assert known.loc["C9", "figures"][0] < 120
    assert known.loc["C7b", "figures"][0] < 120
    assert known.loc["C8", ["low", "high"]].tolist() == [5, 10]


# --- the tuner's tasks ----------------------------------------------------------------------------


def test_task_1_the_dotted_line_is_four_minutes_and_always_on_makes_no_difference():
    start = PRESETS["Under 5 min: 30 s"]
    assert solve(start).largest["every"] == "4 min"
    assert round(solve(start).cost_usd_per_day) == 301
    assert round(solve(start).largest["cost_usd_per_day"]) == 42
    level = solve(Settings("30 s", 1e6, tolerance="5 min")).curve["cost_usd_per_day"]
    assert level.nunique() == 1


def test_task_2_batches_follow_each_other_and_are_all_overhead():
    outcome = solve(PRESETS["Spark's default"])
    assert "12.3 K batches" in outcome.meaning
    assert triggers.overhead_share(outcome.found) > 0.995


def test_task_3_an_interval_appears_below_half_a_second_of_overhead():
    assert solve(PRESETS["Sub-second"]).largest is None
    assert solve(Settings("500 ms", tolerance="1 s", overhead_seconds=0.5)).largest is None
    assert solve(Settings("500 ms", tolerance="1 s", overhead_seconds=0.2)).largest is not None


def test_task_4_more_events_raise_the_foot_and_shrink_the_largest_interval():
    feet = [
        min(row["age"] for row in solve(Settings("1 min", events)).rows["teeth"])
        for events in (8.64e7, 1e9)
    ]
    assert feet[1] > feet[0]
    start = PRESETS["In doubt: 1 min"]
    assert (start.tolerance, start.nodes) == ("2 min", 4)
    runs = [solve(Settings("1 min", events)).found for events in (8.64e7, 2e9, 5e9)]
    assert [round(found.run_longest_seconds) for found in runs[:2]] == [7, 48]
    assert solve(Settings("1 min", 2e9)).largest["every"] == "1 min"
    assert not runs[2].keeps_up
    for billing in ("warm", "always on"):
        few, many = (
            solve(Settings("1 min", events, tolerance="5 min", billing=billing)).largest["every"]
            for events in (1e6, 1e9)
        )
        assert (few, many) == ("4 min", "3 min")


# --- the proof ------------------------------------------------------------------------------------


def test_the_formula_is_exact_but_for_chance_where_it_says_so():
    designs = [triggers.pipeline(86.4e6, every) for every in ("10 s", "1 min", "4 min", "15 min")]
    proof = against_closed_form(designs)
    assert proof["exact"].all()
    assert proof.loc[proof["figure"] != "best", "error_percent"].abs().max() < 1
    assert proof["error_percent"].abs().max() < 5


def test_overruns_and_bursts_are_where_it_is_off():
    over = triggers.pipeline(2e9, "10 s")
    assert not against_closed_form([over])["exact"].any()
    bursts = against_closed_form([triggers.pipeline(1e9, "1 min")], bursts=Bursts(0.5, 120))
    worst = bursts.set_index("figure").loc["worst", "error_percent"]
    assert worst < -10


# --- the loop, as it ran in the notebook ----------------------------------------------------------


def test_every_loop_of_the_notebook_equals_a_recount(cells):
    rows = table(cells, "live-table")
    column = rows[0].index("equals_recount")
    assert [row[column] for row in rows[1:]] == ["True"] * 5
    assert "equal to a recount: True" in cells["kill-run"]
    arrived, counted = re.search(r"(\d+) orders arrived, (\d+) counted", cells["kill-run"]).groups()
    assert arrived == counted


def test_longer_intervals_mean_fewer_batches_and_older_orders(cells):
    header, *rows = table(cells, "live-table")
    found = pd.DataFrame(rows, columns=header)
    found = found.set_index("trigger")
    found = found.drop(columns="equals_recount").astype(float)
    assert found["batches"].is_monotonic_decreasing
    timed = found.loc[["500 ms", "1 s", "2 s"]]
    assert timed["worst_seconds"].is_monotonic_increasing
    tiny, half_a_second = found["busy_seconds_per_million"].iloc[:2]
    assert tiny > 10 * half_a_second  # "tenfold or more"; dozens on a quiet machine
    each = found["orders_per_batch"]
    assert each.is_monotonic_increasing
    assert each["500 ms"] > 4 * each[triggers.ASAP]


def test_the_prediction_is_near_what_was_measured(cells):
    errors = re.findall(r">([+-]\d+\.\d) %<", cells["live-errors"])
    assert len(errors) == 6
    assert max(abs(float(error)) for error in errors) < 25


def test_the_replayed_batch_was_mailed_twice_where_nothing_forbids_it(cells):
    header, result, appended, keyed = table(cells, "effects-run")
    twice, missing = header.index("twice"), header.index("missing")
    replayed = re.search(r"twice held (\d+) orders", cells["effects-run"])[1]
    assert int(replayed) > 0
    assert appended[twice] == replayed
    assert result[twice] == keyed[twice] == "0"
    assert {row[missing] for row in (result, appended, keyed)} == {"0"}


# --- when it is wrong -----------------------------------------------------------------------------


def test_low_volume_is_cheaper_by_the_hour_on_the_same_billing_only():
    few = triggers.pipeline(1e5, "1 min", **POOL)
    low, on_pool = (evaluate(one).cost_usd_per_day for one in (few, triggers.hourly_batch(few)))
    cold = evaluate(triggers.hourly_batch(triggers.pipeline(1e5, "1 min"))).cost_usd_per_day
    assert low > 20 * on_pool
    assert low == pytest.approx(cold, rel=0.1)  # "cost as much as a minute on a pool"


def test_an_hour_is_overkill_for_a_trigger_and_a_second_out_of_its_reach():
    clicks = triggers.pipeline(86.4e6, "1 min")
    hourly = evaluate(triggers.hourly_batch(clicks))
    assert evaluate(clicks).cost_usd_per_day > 5 * hourly.cost_usd_per_day
    pool = evaluate(triggers.pipeline(86.4e6, "1 min", **POOL))
    assert pool.cost_usd_per_day == pytest.approx(hourly.cost_usd_per_day, rel=0.1)
    assert evaluate(triggers.stream(clicks)).latency_worst_seconds < 1


def test_a_batch_of_six_seconds_and_a_minute_are_sixty_six():
    found = evaluate(triggers.pipeline(86.4e6, "1 min", overhead_seconds=5.1))
    assert found.run_mean_seconds == pytest.approx(6, abs=0.1)
    assert found.latency_worst_seconds == pytest.approx(66, abs=1)
    loop = evaluate(triggers.pipeline(86.4e6, "2 s"))
    assert triggers.period_seconds(loop) == pytest.approx(5, abs=0.3)
    assert loop.latency_worst_seconds == pytest.approx(10, abs=0.5)
    always_busy = 24 * loop.design.nodes
    on_pool = evaluate(triggers.pipeline(86.4e6, "2 s", **POOL))
    assert on_pool.node_hours_per_day == pytest.approx(always_busy)


def test_the_interviews_seventh_is_the_models(cells):
    ratio = usd(1e6, "30 s", **POOL) / usd(1e6, "4 min", **POOL)
    assert ratio == pytest.approx(7, abs=0.5)
    assert words.usd(round(usd(1e6, "4 min", **POOL))) in cells["story-run"]


def test_what_was_not_run_is_said_and_every_source_is_an_address():
    said = prose(executed(TestLesson2.name))
    assert "**It is not run here**" in said
    links = re.findall(r"\]\((\S+?)\)", said)
    assert len(links) >= 6
    hosts = {link.split("/")[2] for link in links}
    assert hosts == {
        "spark.apache.org",
        "docs.databricks.com",
        "www.databricks.com",
        "nightlies.apache.org",
    }
