"""Lesson 1: what holds of every lesson, and the figures of its prose computed anew."""

import re

import pytest
from lesson import Lesson, executed, prose
from tradeoff import evaluate, simulate
from tradeoff.calculators.frontier import PRESETS, Settings, solve
from tradeoff.model import Cadence, Design, catalogue, claims, day_curve, engine, workload
from tradeoff.model.amortise import Overhead


class TestLesson1(Lesson):
    name = "01_latency_vs_throughput"


@pytest.fixture(scope="module")
def text():
    return claims.Scenarios()


@pytest.fixture(scope="module")
def shown():
    """What each code cell printed, or showed as text."""
    return {
        cell.id: "".join(
            output.get("text") or output.get("data", {}).get("text/plain", "")
            for output in cell.outputs
        )
        for cell in executed(TestLesson1.name).cells
        if cell.cell_type == "code"
    }


def numbers(line):
    return [float(found.replace(",", "")) for found in re.findall(r"[-+]?\d[\d,]*\.?\d*", line)]


# --- the model's figures in the prose -------------------------------------------------------------


def test_a_billion_a_day_is_an_eighth_of_a_slot_and_nineteen_nodes(text):
    billion = text.workload("billion")
    assert billion.events_per_second == pytest.approx(11_600, rel=0.01)
    assert billion.events_per_second / claims.figures("C4g")[0] == pytest.approx(1 / 8, rel=0.08)
    stream = text.billion_streaming
    assert (stream.design.nodes, stream.state_nodes) == (19, 1)  # and a standby
    people = stream.figures["operations_usd_per_day"] / stream.cost_usd_per_day
    assert people < 0.002  # "hardly count"
    stateless = text.streaming(text.billion_stateless)
    assert stateless.cost_usd_per_day / text.billion_nightly.cost_usd_per_day == pytest.approx(
        4, abs=0.5
    )


def test_heavier_work_hardly_moves_the_premium_and_the_streams_own_constants_do():
    mids = catalogue.constants()

    def premium(key, times):
        return claims.figures("C5c", claims.Scenarios({**mids, key: mids[key] * times}))[0]

    [now] = claims.figures("C5c")
    for times in (0.5, 2):
        assert premium(("analytics", "work_per_event"), times) == pytest.approx(now, rel=0.06)
    for key in (("flink", "events_per_second_per_slot"), ("flink", "stateful_slowdown")):
        low, high = sorted(premium(key, times) for times in (0.5, 2))
        assert low < 0.6 * now
        assert high > 1.8 * now
        assert (low, high) == pytest.approx((16, 55), rel=0.02)


def test_the_micro_batch_costs_at_most_a_third_more_than_the_nightly_run_at_its_volume():
    assert max(claims.figures("C2")) < 1.3


def test_the_texts_throughput_and_latency_are_two_operating_points(text):
    spark = text.triggered(text.clicks, "1 min")
    most = spark.sustainable_events_per_second

    def worst(rate):
        flat = text.clicks.at(rate * 86_400, curve=day_curve(1))
        return evaluate(spark.design.but(workload=flat)).latency_worst_seconds

    assert worst(most) == pytest.approx(120)
    assert 60 < worst(0.2 * most) < 90


def test_the_nightly_rows_work_is_a_hundred_times_the_relays(text):
    assert (
        text.workload("nightly_100gb").work_per_event == 100 * text.workload("relay").work_per_event
    )
    slot = text.nightly("nightly_100gb").running_events_per_second / 64
    assert claims.figures("C4g")[0] / slot == pytest.approx(100, rel=0.15)


def test_the_simulated_busy_stream_is_as_busy_as_its_comment_says():
    heavy = workload("low_volume").at(1e6, work_per_event=54_000)
    design = Design(heavy, engine("flink"), "streaming", Cadence.per_event())
    assert evaluate(design).utilisation_peak == pytest.approx(0.85, abs=0.02)
    assert not simulate.is_exact(design)


def test_a_minute_costs_twice_and_the_second_twelve_times_again():
    minute = solve(PRESETS["Pool, every minute"])
    stream = solve(PRESETS["A billion, streamed"])
    assert 2 < minute.times_dearer < 2.5
    assert minute.times_dearer == pytest.approx(2.3, abs=0.05)
    assert stream.times_dearer == pytest.approx(29, abs=0.5)
    assert stream.times_dearer / minute.times_dearer == pytest.approx(12, abs=0.6)


def test_light_work_stays_at_the_floor_and_has_the_largest_multiple():
    bare, light = solve(PRESETS["Without state"]), solve(PRESETS["Light work"])
    stateful = solve(PRESETS["A billion, streamed"])
    assert bare.found.design.nodes == light.found.design.nodes == 3
    assert bare.found.cost_usd_per_day == light.found.cost_usd_per_day
    assert light.times_dearer > stateful.times_dearer > bare.times_dearer
    assert light.times_dearer == pytest.approx(115, abs=1)
    assert bare.times_dearer == pytest.approx(4.5, abs=0.05)


def test_the_multiple_falls_with_volume_until_the_floor_is_filled():
    times = [
        solve(Settings(engine="flink", events_per_day=events, least_nodes=1)).times_dearer
        for events in (1e6, 1e7, 1e8, 2e8, 1e9, 1e10)
    ]
    assert times == sorted(times, reverse=True)
    assert times == pytest.approx([198, 153, 47, 33, 30, 27.5], rel=0.02)
    nodes = [
        solve(Settings(engine="flink", events_per_day=events, least_nodes=1)).found.design.nodes
        for events in (1e6, 1e8, 2e8)
    ]
    assert nodes == [3, 3, 4]


def test_the_interval_is_free_on_an_always_on_cluster_until_it_must_grow():
    bills = {
        seconds: solve(Settings(engine="spark_streaming", interval_seconds=seconds))
        for seconds in (86_400, 3_600, 60, 30, 10)
    }
    gains = [outcome.events_per_usd for outcome in bills.values()]
    assert gains[0] == gains[1] == gains[2] > gains[3] > gains[4]
    assert [bills[each].found.design.nodes for each in (60, 30, 10)] == [4, 5, 11]
    assert bills[10].times_dearer == pytest.approx(16, abs=0.2)


def test_the_pools_bill_jumps_where_a_batch_becomes_a_micro_batch():
    hour, half = (
        solve(Settings(engine="spark_warm", interval_seconds=each)).found for each in (3_600, 1_800)
    )
    assert half.cost_usd_per_day / hour.cost_usd_per_day == pytest.approx(1.5, abs=0.02)
    stateless = (
        solve(Settings(work="aggregate", engine="spark_warm", interval_seconds=each)).found
        for each in (3_600, 1_800)
    )
    hour, half = stateless
    assert half.cost_usd_per_day < 1.05 * hour.cost_usd_per_day


def test_a_second_for_a_dollar_a_million_is_not_to_be_had():
    firm = solve(Settings(within_seconds=1, usd_per_million=1)).firm
    assert "stream, always on, $5.77 a million" in firm
    assert "warm pool every 30 s, events at most 50 s old" in firm


def test_stock_levels_meet_both_limits_on_the_pool_alone():
    case = solve(Settings(work="aggregate", within_seconds=300, usd_per_million=0.5))
    assert set(case.meets["engine"]) == {"spark_warm"}


def test_the_strong_answers_figures():
    def at(**changes):
        return solve(Settings(**changes)).found

    hourly = at(engine="spark_ephemeral", interval_seconds=3_600)
    minute = at(engine="spark_warm", interval_seconds=60)
    stream = at(engine="flink")
    assert hourly.latency_worst_seconds == pytest.approx(1.5 * 3_600, rel=0.01)
    assert hourly.cost_usd_per_day == pytest.approx(350, rel=0.02)
    assert 60 < minute.latency_worst_seconds < 120
    assert minute.cost_usd_per_day / hourly.cost_usd_per_day == pytest.approx(4 / 3, abs=0.04)
    assert stream.latency_worst_seconds < 1
    assert stream.cost_usd_per_day / hourly.cost_usd_per_day == pytest.approx(16, abs=0.5)
    assert stream.cost_usd_per_day - minute.cost_usd_per_day == pytest.approx(5_000, rel=0.1)
    billion = hourly.design.workload
    assert billion.events_per_second == pytest.approx(12e3, rel=0.05)
    assert billion.peak_events_per_second == pytest.approx(25e3, rel=0.05)
    pool = solve(Settings(engine="spark_warm", interval_seconds=20)).found
    assert pool.latency_worst_seconds > 30  # "a need below half a minute"


def test_an_hourly_run_of_three_billion_passes_its_hour_at_the_peak_only(text):
    hourly = text.hourly("billion").design
    runs = [evaluate(hourly.but(events_per_day=events)) for events in (1e9, 2e9, 3e9)]
    assert runs[0].run_longest_seconds < 0.55 * 3_600  # "comfortable"
    assert runs[1].run_longest_seconds / 60 == pytest.approx(52, abs=0.5)
    assert runs[2].run_mean_seconds < 3_600 < runs[2].run_longest_seconds


def test_check_yourself_of_the_commits():
    disk = Overhead(4e-3, 2e-6)
    assert disk.events_per_second(2_000) == pytest.approx(250_000)
    assert disk.half_speed_events == pytest.approx(2_000)
    five_million_a_minute = 5e6 / 60
    assert five_million_a_minute == pytest.approx(83e3, rel=0.01)


# --- what the run measured ------------------------------------------------------------------------


def test_a_block_is_much_faster_than_its_events_one_by_one(shown):
    block, single = (numbers(line)[0] for line in shown["contrast-code"].splitlines())
    assert block > 10 * single


def test_batch_size_matters_more_than_the_store(shown):
    sqlite, duckdb, stores = (numbers(line)[-1] for line in shown["fit-ratios"].splitlines())
    assert sqlite > 20  # "tens to hundreds of times"
    assert min(sqlite, duckdb) > stores
    constants = [numbers(line) for line in shown["fit-constants"].splitlines()]
    (overhead, each, _), (columnar_overhead, columnar_each, _) = constants
    assert columnar_each < each
    assert overhead > 0 < columnar_overhead


def test_a_thousand_events_a_commit_are_hundreds_of_times_quicker_and_more_so_in_duckdb(shown):
    gain = {}
    cells = {cell.id: cell for cell in executed(TestLesson1.name).cells}
    for store in ("sqlite", "duckdb"):
        [html] = [
            output["data"]["text/html"]
            for output in cells[f"measure-{store}"].outputs
            if "data" in output
        ]
        rows = [re.findall(r"<td>(.*?)</td>", row) for row in html.split("<tr>")]
        speed = {int(row[0]): float(row[-1]) for row in rows if row}
        gain[store] = speed[1_000] / speed[1]
    assert 20 < gain["sqlite"] < gain["duckdb"] < 1_500  # the ceiling, and the noise about it


def test_the_unmeasured_size_is_predicted_beside_its_control(shown):
    lines = shown["predict-size"].splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"{store}, {size}" for store in ("sqlite", "duckdb") for size in ("1", "3,000")
    ]
    for line in lines:
        predicted, measured, error = numbers(line.split(":")[1])
        # Each is printed to a hundredth of a millisecond.
        assert error == pytest.approx(100 * (predicted / measured - 1), abs=8)


def test_the_live_loops_metrics_are_as_the_prose_says(shown):
    executed_run = executed(TestLesson1.name)
    [cell] = [cell for cell in executed_run.cells if cell.id == "live-run"]
    table = cell.outputs[-1]["data"]["text/html"]

    def row(name):
        [found] = re.findall(rf"<th>{name}</th>\s*((?:<td>.*?</td>\s*)+)", table)
        return [float(value.replace(",", "")) for value in re.findall(r"<td>(.*?)</td>", found)]

    single, timed, flooded = row("end_to_end_p50_seconds")
    assert single < timed
    assert 0.2 < timed < 0.5
    assert flooded > single
    assert row("waiting_events")[2] > 0
    assert all(value < 1_000 for value in row("processing_us"))  # microseconds
    capable = row("busy_events_per_second")
    assert capable[1] > 5 * capable[0]
    busy = row("usd_per_million_busy")
    assert busy[1] < busy[0] / 5
    always = row("usd_per_million_always_on")
    assert always[0] == pytest.approx(always[1], rel=0.5)


def test_the_formula_is_exact_where_the_simulation_table_says_so():
    [cell] = [cell for cell in executed(TestLesson1.name).cells if cell.id == "simulate"]
    plain = cell.outputs[-1]["data"]["text/plain"]
    for line in plain.splitlines():
        if " True " in line:
            assert all(abs(error) < 0.5 for error in numbers(line.split("True")[1]))
    assert len(re.findall(" True ", plain)) == len(re.findall(" False ", plain)) == 3
    assert "NaN" in plain  # a stream's wait has no worst


def test_the_prose_names_no_multiple_that_the_answers_do_not_print(shown):
    answers = shown["calculator-answers"]
    for preset in ("Pool, every minute", "A billion, streamed", "Without state", "Light work"):
        assert f"{solve(PRESETS[preset]).times_dearer:.3g} × nightly" in answers
    assert solve(Settings(within_seconds=1, usd_per_million=1)).firm in answers
    assert "Your turn" in prose(executed(TestLesson1.name))
