"""Lesson 3: what holds of every lesson, and the figures of its prose computed anew."""

import re

import pytest
from lesson import Lesson, executed, prose, shown
from tradeoff import (
    break_even_usd_per_minute,
    calculators,
    compare_uncertain,
    data,
    engine,
    evaluate,
    workload,
)
from tradeoff.model import State, claims, day_curve
from tradeoff.model import state as state_room
from tradeoff.scenarios import premium
from tradeoff.scenarios.worth import Lateness

NIGHTLY, HOURLY, MICRO_BATCH, STREAMING = premium.RHYTHMS


class TestLesson3(Lesson):
    name = "03_why_streaming_costs_more"


@pytest.fixture(scope="module")
def table():
    return {name: evaluate(design) for name, design in premium.table_designs().items()}


@pytest.fixture(scope="module")
def says():
    """What each cell shows once the lesson ran, spaces as one."""
    cells = executed(TestLesson3.name).cells
    return {cell.id: re.sub(r"\s+", " ", shown(cell)) for cell in cells}


def billion(**changes):
    work = workload("billion")
    designs = premium.designs(work.at(1e9, **changes) if changes else work)
    return {name: evaluate(design) for name, design in designs.items()}


def test_the_story_and_the_predictions(table):
    night, stream = table[NIGHTLY], table[STREAMING]
    assert stream.cost_usd_per_day / night.cost_usd_per_day == pytest.approx(40, abs=1)
    assert night.cost_usd_per_day == pytest.approx(36, abs=0.5)
    assert stream.latency_worst_seconds < 1
    # B: four fifths of the bill is compute; A: state is the spare node, its storage cents
    assert stream.compute_usd_per_day / stream.cost_usd_per_day == pytest.approx(0.8, abs=0.01)
    spare = 24 * stream.state_nodes * stream.design.engine.node_usd_per_hour
    assert stream.state_nodes == 1
    assert 0 < stream.state_usd_per_day - spare < 0.1
    # C: at a list price and with real on-call people are more than half
    cheap = premium.designs(workload("billion"), node_usd_per_hour=0.68, operations_usd_per_day=200)
    found = evaluate(cheap[STREAMING])
    assert found.operations_usd_per_day > 0.5 * found.cost_usd_per_day


def test_every_bill_of_the_table_lies_in_its_range(table):
    known = data.claims().set_index("id")
    for name, claim in zip(premium.RHYTHMS, ("C12b", "C12d", "C12f", "C12g"), strict=True):
        bill = table[name].cost_usd_per_day
        assert known.loc[claim, "low"] <= bill <= known.loc[claim, "high"]


def test_the_first_two_rows_follow_the_volume_and_the_last_two_the_clock(table):
    half = {
        name: evaluate(one.design.but(events_per_day=one.design.workload.events_per_day / 2))
        for name, one in table.items()
    }
    for name in (NIGHTLY, HOURLY):
        assert half[name].node_hours_per_day < 0.95 * table[name].node_hours_per_day
    for name in (MICRO_BATCH, STREAMING):
        assert half[name].cost_usd_per_day == pytest.approx(table[name].cost_usd_per_day)
    tenth = evaluate(table[STREAMING].design.but(events_per_day=15.4e6))
    per_million = tenth.cost_usd_per_million_events / table[STREAMING].cost_usd_per_million_events
    assert per_million == pytest.approx(10, rel=0.01)


def test_the_tables_own_ratios(says):
    known = data.claims().set_index("id")
    low, high = known["low"], known["high"]
    assert (
        f"nightly: {low['C12g'] / high['C12b']:.0f} to {high['C12g'] / low['C12b']:.0f} ×"
        in (says["table-read"])
    )
    hourly = (low["C12g"] / high["C12d"], high["C12g"] / low["C12d"])
    assert low["C10"] <= hourly[0] < hourly[1] <= high["C10"]  # "fits ... hourly batch"
    assert high["C12g"] / low["C12b"] > high["C10"]
    assert 11 < low["C12b"] / low["C12a"] < 12  # "at $11 and more"
    foot = (5 - 40 / 24) / (1 - 1 / 24)
    assert foot == pytest.approx(3.5, abs=0.05)
    assert engine("spark_ephemeral").start_up_seconds / 60 > foot


def test_starting_cold_the_hourly_row_is_dearer(table):
    cold = premium.designs(workload("clicks").at(premium.TABLE_EVENTS_PER_DAY), nodes=4)
    assert evaluate(cold[HOURLY]).cost_usd_per_day > 1.5 * table[HOURLY].cost_usd_per_day


def test_real_ratios_are_smaller_and_why():
    stateful, stateless = billion(), billion(state=None)
    nodes = stateful[STREAMING].design.nodes
    assert (stateless[STREAMING].design.nodes, stateless[NIGHTLY].design.nodes) == (3, 4)
    assert nodes / stateless[STREAMING].design.nodes == pytest.approx(6, abs=0.5)
    for found, kept in ((stateful, "C10"), (stateless, "C16")):
        ratio = found[STREAMING].cost_usd_per_day / found[NIGHTLY].cost_usd_per_day
        low, high = data.claims().set_index("id").loc[kept, ["low", "high"]]
        assert low <= ratio <= high
        assert ratio < 36
    assert stateful[NIGHTLY].run_mean_seconds / 3600 == pytest.approx(4, abs=0.2)


def test_simulation_and_formula_agree(says):
    errors = re.findall(r"error (-?[\d.]+) %", says["simulate"])
    assert len(errors) == 2
    assert all(abs(float(error)) < 0.5 for error in errors)
    latencies = re.findall(
        r"micro-batch (?:best|mean|p50|p95|worst) ([\d.]+) ([\d.]+)", says["simulate"]
    )
    assert len(latencies) == 5
    for closed, counted in latencies:
        assert float(closed) == pytest.approx(float(counted), rel=0.01)


def test_state_grows_unseen_and_is_then_seven_times_as_dear(table):
    design = table[STREAMING].design
    endless = State(keys=1e6, values_per_key=100, new_keys_per_day=2e6)
    growing = design.but(workload=design.workload.at(154e6, state=endless))
    usd = {day: evaluate(growing, day).state_usd_per_day for day in (1, 75, 79, 85, 181)}
    assert usd[75] == pytest.approx(usd[1], rel=0.02)  # "level for two months and a half"
    assert usd[85] > 1.9 * usd[1]
    assert usd[181] / usd[1] == pytest.approx(7, abs=0.1)
    assert evaluate(growing).state_grows
    assert not table[STREAMING].state_grows


def test_the_queue_shows_what_the_lesson_says(says):
    found = re.findall(
        r"(healthy|slow|killed)((?: -?[\d.]+){4}) (healthy|slow|dead)\b", says["lag-verdicts"]
    )
    rows = {name: list(map(float, numbers.split())) for name, numbers, _ in found}
    assert [state for *_, state in found][1:] == ["slow", "dead"]
    arrived, committed, growth, _ = rows["killed"]
    assert (committed, growth) == (0, pytest.approx(arrived, rel=0.02))
    assert arrived == pytest.approx(2000, rel=0.15)
    arrived, committed, growth, _ = rows["slow"]
    assert 0 < committed < arrived
    assert growth == pytest.approx(arrived - committed, abs=2)
    assert 0 < growth < 0.8 * rows["killed"][2]
    accounts = re.findall(
        r"(healthy|slow|killed) (\d+) (\d+) (\d+) (\w+) (\d+)", says["lag-accounts"]
    )
    assert [name for name, *_ in accounts] == ["healthy", "slow", "killed"]
    for _, offset, logged, counted, equal, _ in accounts:
        assert offset == logged == counted
        assert equal == "True"
    [in_flight] = re.findall(r"in flight when killed: (\d+)", says["lag-accounts"])
    assert [twice for *_, twice in accounts] == ["0", "0", in_flight]


def test_prediction_and_experiment_are_of_one_queue(says):
    assert "slow: commits 1200 a second, lag grows 800 a second" in says["lag-predict"]
    assert "8000 wait, 1.0 s to catch up" in says["lag-predict"]


def test_what_people_cost_each_design(table):
    people = [table[name].operations_usd_per_day for name in premium.RHYTHMS]
    assert people == [4, 4, 5, 8]
    assert people[0] / 100 * 60 == pytest.approx(2.4)  # "a couple of minutes"


def test_the_six_daily_tables_are_gigabytes_and_cents_a_month(says, table):
    kept = premium.counts_per_user(1e6)
    gigabytes = 6 * state_room.values_bytes(kept) / 1e9
    assert gigabytes == pytest.approx(4.8)
    assert 0.05 < gigabytes * engine("flink").state_usd_per_gb_month < 1
    assert "six daily tables: at most 4.8 GB, $0.48 a month" in says["state-size"]
    assert table[NIGHTLY].state_hot_bytes == 0


def test_the_answers_to_the_calculators_tasks(says):
    calm, steep = billion()[STREAMING], billion(curve=day_curve(6))[STREAMING]
    assert (calm.design.nodes, steep.design.nodes, steep.state_nodes) == (19, 50, 1)
    assert steep.cost_usd_per_day / calm.cost_usd_per_day == pytest.approx(2.5, abs=0.05)
    assert "19 nodes + 1 standby beside 4" in says["smaller-table"]
    for line in ("$12 a node-hour, $4 a day of people: 28.8 ×", "$200 a day of people: 3.4 ×"):
        assert line in says["calculator-answers"]
    assert "0 users: $872 a day 10 K users: $5,768 a day" in says["calculator-answers"]
    assert "100 M users: $5,770 a day" in says["calculator-answers"]
    assert "fraud breaks even at $20.19 a minute" in says["worth-outage"]
    steps = calculators.latency_value()._controls["usd_per_minute"].options
    assert {20, 50} <= {value for _, value in steps}


def test_a_peak_of_peaks_and_the_first_state_are_dear():
    calm, steep = billion(), billion(curve=day_curve(6))
    assert steep[STREAMING].cost_usd_per_day > 2 * calm[STREAMING].cost_usd_per_day
    bills = [
        billion(state=premium.counts_per_user(users) if users else None)[STREAMING].cost_usd_per_day
        for users in (0, 1e4, 1e8)
    ]
    assert bills[1] - bills[0] > 100 * (bills[2] - bills[1])


def test_cheap_machines_and_dear_people_bring_the_ratio_towards_two():
    ratios = []
    for people in (4, 200, 1e6):
        plans = premium.designs(
            workload("billion"), node_usd_per_hour=0.68, operations_usd_per_day=people
        )
        bills = [evaluate(plans[name]).cost_usd_per_day for name in (STREAMING, NIGHTLY)]
        ratios.append(bills[0] / bills[1])
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == pytest.approx(2, abs=0.01)
    assert claims.figures("C14") == (2,)


def test_each_step_of_freshness_has_its_own_break_even(table):
    def even(slower, faster):
        slow, fast = table[slower], table[faster]
        return break_even_usd_per_minute(
            premium.premium(fast, slow), slow.latency_worst_seconds, fast.latency_worst_seconds
        )

    assert 0.01 < even(NIGHTLY, HOURLY) < 0.1  # "cents"
    assert 100 < even(MICRO_BATCH, STREAMING) < 1000  # "hundreds"


def test_the_strong_answer(table):
    def over(slower):
        return premium.premium(table[STREAMING], table[slower])

    assert 365 * over(NIGHTLY) == pytest.approx(515_000, rel=0.005)
    assert premium.premium(table[HOURLY], table[NIGHTLY]) == pytest.approx(64, abs=0.5)
    assert table[HOURLY].latency_worst_seconds / 60 == pytest.approx(67, abs=0.5)
    assert table[MICRO_BATCH].latency_worst_seconds == pytest.approx(68, abs=0.5)
    assert table[MICRO_BATCH].cost_usd_per_day > 0.75 * table[STREAMING].cost_usd_per_day
    fraud = Lateness(100, threshold_seconds=5)
    least = fraud.break_even_usd_per_minute(
        365 * over(HOURLY), table[HOURLY].latency_worst_seconds, 0.3
    )
    assert least == pytest.approx(20, abs=0.5)
    lost = {name: fraud.usd_per_year(one.latency_worst_seconds) for name, one in table.items()}
    assert lost[HOURLY] - lost[MICRO_BATCH] > 0.95 * (lost[HOURLY] - lost[STREAMING])


def test_checks_arithmetic_and_the_warm_pool(table):
    assert 528 - 290 == 238 < 300 < 528
    warm = evaluate(table[MICRO_BATCH].design.but(engine=engine("spark_warm")))
    assert warm.cost_usd_per_day < 0.25 * table[MICRO_BATCH].cost_usd_per_day
    outages = 365 * premium.premium(table[STREAMING], table[HOURLY]) / 20_000
    assert outages == pytest.approx(25, abs=0.5)


def test_nightly_is_the_cheapest_in_every_draw():
    found = compare_uncertain(list(premium.table_designs().values())).set_index("plan")
    assert found.loc[NIGHTLY, "wins"] == 1
    swings = premium.premium_swings(
        *(premium.table_designs()[name] for name in (STREAMING, NIGHTLY))
    )
    assert swings["constant"].tolist()[:2] == ["flink.standby_nodes", "node.node_usd_per_hour"]


def test_figures_of_the_prose_are_those_tested(says):
    said = prose(executed(TestLesson3.name))
    figures = ("515,000 dollars a year", "64 dollars a day", "67 minutes", "68 seconds")
    for figure in (*figures, "about 20 dollars every day", "about $36"):
        assert figure in said
    assert "pays from 25 outages a year" in says["worth-outage"]
