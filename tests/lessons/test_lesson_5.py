"""Lesson 5: what holds of every lesson, and the figures of its prose computed anew."""

import re

import numpy as np
import pytest
from lesson import Lesson, executed
from tradeoff import data, evaluate, simulate
from tradeoff.calculators.redesign import EVERY, Settings, solve
from tradeoff.model import Cadence, claims, words
from tradeoff.scenarios import orders


class TestLesson5(Lesson):
    name = "05_when_batch_outgrows_itself"


@pytest.fixture(scope="module")
def bills():
    return {
        plan.name: sum(evaluate(path).cost_usd_per_day for path in plan.paths)
        for plan in orders.redesigns()
    }


@pytest.fixture(scope="module")
def serving():
    return {
        plan.name
        for plan in orders.redesigns()
        if all(evaluate(each).serves for each in plan.paths)
    }


def test_the_split_is_cheapest_unless_there_is_a_warm_pool(bills, serving):
    assert serving == {"split by tier", "one path, always on", "one path, warm pool"} | {
        "all to streaming"
    }
    assert min(serving, key=bills.get) == "one path, warm pool"
    assert min(serving - {"one path, warm pool"}, key=bills.get) == "split by tier"
    assert bills["one path, warm pool"] / bills["split by tier"] == pytest.approx(1 / 3, abs=0.04)


def test_cadence_alone_doubles_the_bill_and_serves_nobody(bills):
    assert bills["hourly, full read"] / bills["keep"] == pytest.approx(2, abs=0.3)
    for every in EVERY:
        verdicts = {row["need"]: row["verdict"] for row in solve(Settings(every=every)).needs}
        missed = {need for need, verdict in verdicts.items() if verdict == "misses its limit"}
        assert {"executive dashboard", "marketing dashboard"} <= missed, every


def test_the_hourly_path_overruns_at_the_peak_and_catches_up():
    hourly = evaluate(orders.redesign(every="1 h", marketing_apart=True).paths[0])
    assert hourly.utilisation_peak > 1
    assert hourly.keeps_up
    assert hourly.serves


def test_reads_and_writes_fit_the_deadline_but_not_with_the_foot():
    runs = data.order_runs()
    hours = (runs["end"] - runs["start"]).dt.total_seconds() / 3600
    foot = np.polyfit(runs["rows_new"] / 1e6, hours, 1)[1]
    last = runs.tail(28)
    fixed_hours = (last["read_seconds"] + last["write_seconds"]).mean() / 3600
    assert fixed_hours < 4 < fixed_hours + foot
    assert fixed_hours / (fixed_hours + last["transform_seconds"].mean() / 3600) == pytest.approx(
        1 / 3, abs=0.05
    )


def test_a_start_at_midnight_buys_time_until_the_next_growth():
    night = orders.nightly()

    def complete(nodes, hour, volume=orders.EVENTS_NOW):
        design = orders.nightly(volume).but(nodes=nodes, start_hour=hour)
        return evaluate(design).yesterday_complete_hour

    assert complete(8, 2) > 6 > complete(4, 0) > 6 - 2 / 60  # "nothing to spare"
    assert 0.75 < 6 - complete(8, 0) < 1  # "by most of an hour"
    assert min(complete(4, 0, 22e6), complete(8, 0, 22e6)) > 6
    for nodes, times in ((4, 2), (8, 4)):
        dearer = (
            evaluate(night.but(nodes=nodes)).cost_usd_per_day / evaluate(night).cost_usd_per_day
        )
        assert dearer == pytest.approx(times, rel=0.15)


def test_longer_cadences_than_hourly_serve_the_executives_for_less(bills):
    main = next(plan for plan in orders.redesigns() if plan.name == "every 6 h, incremental")
    path = main.paths[0]
    found = {every: evaluate(path.but(cadence=Cadence.every(every))) for every in ("12 h", "8 h")}
    found["6 h"] = evaluate(path)
    assert found["12 h"].yesterday_complete_hour > 6 > found["8 h"].yesterday_complete_hour
    assert bills["every 6 h, incremental"] == pytest.approx(bills["keep"], rel=0.03)
    assert bills["hourly, incremental"] == pytest.approx(1.25 * bills["keep"], rel=0.03)
    hourly = evaluate(orders.redesign(every="1 h").paths[0])
    assert found["6 h"].utilisation_peak < hourly.utilisation_peak
    assert 24 * hourly.run_mean_seconds > evaluate(orders.nightly()).run_mean_seconds


def test_the_answers_to_the_calculators_tasks():
    def redesign(**settings):
        return solve(Settings(**settings))

    split = {"every": "1 h", "incremental": True, "marketing_apart": True}
    one, two = redesign(**split), redesign(**split, nodes=2)
    assert two.cost_usd_per_day - one.cost_usd_per_day == pytest.approx(85, abs=1)
    peaks = [outcome.found[0].utilisation_peak for outcome in (one, two)]
    assert peaks == pytest.approx([1.08, 0.78], abs=0.006)
    full, news = redesign(every="1 h"), redesign(every="1 h", incremental=True)
    assert full.found[0].yesterday_complete_hour == pytest.approx(22, abs=0.02)
    assert news.cost_usd_per_day == pytest.approx(167, abs=0.5)
    assert words.clock(news.found[0].yesterday_complete_hour) == "1:32"
    assert not news.serves
    for nodes, longest in ((1, 6), (2, 8)):
        served = {
            minutes: redesign(
                every=f"{minutes} min", incremental=True, engine="spark_warm", nodes=nodes
            ).serves
            for minutes in (4, 5, 6, 8, 10, 12)
        }
        assert max(minutes for minutes, fine in served.items() if fine) == longest
    volumes = {volume: redesign(orders_per_day=volume, **split) for volume in (22e6, 24e6)}
    assert volumes[22e6].serves
    assert not volumes[24e6].found[0].keeps_up
    behind = next(row for row in volumes[24e6].needs if row["need"] == "executive dashboard")
    assert "falls behind" in behind["says"]


def test_every_two_hours_shows_yesterday_before_hourly_does():
    path = orders.redesign(every="6 h").paths[0]
    two, one = (evaluate(path.but(cadence=Cadence.every(every))) for every in ("2 h", "1 h"))
    assert two.yesterday_complete_hour < one.yesterday_complete_hour
    assert two.cost_usd_per_day < one.cost_usd_per_day


def test_six_was_first_missed_long_before_the_end():
    runs = data.order_runs()
    late = (runs["end"] - runs["start"]).dt.total_seconds() > 4 * 3600
    first = runs.loc[late.idxmax()]
    assert first["rows_new"] == pytest.approx(6e6, rel=0.05)
    assert (runs["run_date"].iloc[-1] - first["run_date"]).days > 365


def test_a_second_node_makes_the_pool_as_dear_as_hourly():
    text = claims.Scenarios()
    pool = text.triggered(text.workload("routes"), "5 min", "spark_warm")
    more = evaluate(pool.design.but(nodes=pool.design.nodes + 1))
    hourly = text.hourly("routes")
    assert more.cost_usd_per_day == pytest.approx(hourly.cost_usd_per_day, rel=0.05)


def test_with_the_same_room_the_split_on_a_pool_is_cheaper_than_one_path(bills):
    pool = orders.redesign(engine_name="spark_warm", every="12 min").paths[0]
    fresh = tuple(one for one in pool.consumers if one.tier <= 2)
    apart = pool.but(workload=pool.workload.narrowed(fresh[0].share), consumers=fresh)
    found, roomy = evaluate(apart), evaluate(pool.but(nodes=2, cadence=Cadence.every("8 min")))
    split = bills["every 6 h, incremental"] + found.cost_usd_per_day
    assert found.serves
    assert roomy.serves
    assert bills["one path, warm pool"] < split < roomy.cost_usd_per_day


def test_the_routes_peak_hour_passes_its_hour_and_one_more_node_mends_it():
    hourly = claims.Scenarios().hourly("routes")
    assert hourly.utilisation_peak > 1
    assert evaluate(hourly.design.but(nodes=hourly.design.nodes + 1)).utilisation_peak < 1


def test_lesson_5_shows_what_its_prose_says_of_the_real_pipeline():
    shown = {
        cell.id: "".join(
            output.get("text") or output["data"]["text/plain"] for output in cell.outputs
        )
        for cell in executed(TestLesson5.name).cells
        if cell.id.startswith("real-") and cell.cell_type == "code"
    }
    assert "72 and 72 rows, equal row for row: True" in shown["real-run"]
    rows = [float(number) for number in re.findall(r"\s(\d{8,})\s", shown["real-table"])]
    nightly, hourly, full = rows
    assert nightly == 18e6
    assert hourly < 1.3 * nightly
    assert full == 24 * nightly
    once, twice = re.findall(r"\b(18|36)000000\b", shown["real-rerun"])
    assert (once, twice) == ("18", "36")
    assert "table unchanged: True" in shown["real-rerun-hour"]
    assert re.findall(r"2026-04-25 07:00:00\s+3\b", shown["real-late-order"])


def test_the_closing_picture_shows_what_its_prose_says():
    recorded = data.lab_run().set_index("system")
    assert len(recorded) == 12
    assert (recorded["paced_per_second"] == 300).all()
    for engine in ("DuckDB", "Spark"):
        night, hours = (recorded.loc[f"{each}, {engine}"] for each in ("nightly", "hourly"))
        assert night["events_per_second"] > 2 * hours["events_per_second"]
        assert hours["overhead_seconds"] > 5 * night["overhead_seconds"]
    assert recorded["events_per_second"].idxmax() == "C++, in memory"
    assert recorded["latency_p99_seconds"].idxmin() == "C++, in memory"


def test_the_simulation_agrees_where_runs_end_in_time():
    plans = {plan.name: plan.paths[0] for plan in orders.redesigns()}
    names = ("keep", "every 6 h, incremental", "hourly, incremental")
    beside = simulate.against_closed_form([plans[name].but(name=name) for name in names])
    errors = beside[beside["figure"] != "best"].groupby("design")["error_percent"]
    assert errors.agg(lambda each: each.abs().max())[list(names[:2])].max() < 0.5
    assert 0 < errors.min()["hourly, incremental"] < errors.max()["hourly, incremental"] < 10
