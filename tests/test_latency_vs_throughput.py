"""Lesson 1's exercise: what it draws is what it says, and its prose holds the model's figures."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tradeoff import engine, workload
from tradeoff.checks import authoring
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import judge, sheet
from tradeoff.checks.record import answers, copies
from tradeoff.model.frontier import offers
from tradeoff.scenarios import measured

NAME = "latency_vs_throughput"
AUTOMATIC = 70
ROOT = Path(__file__).resolve().parents[1]
RUNS = range(40)
SEEDS = ("public", "2026", "another year")


def rng(number):
    return np.random.default_rng(number)


# --- what is drawn --------------------------------------------------------------------------------


@pytest.mark.parametrize("still_waiting", [True, False])
@pytest.mark.parametrize("number", RUNS)
def test_an_event_log_has_the_figures_it_was_built_from(number, still_waiting):
    log = measured.event_log(rng(number), still_waiting)
    rows = log.table.to_dict("records")
    seen = [row for row in rows if not math.isnan(row["visible_seconds"])]
    end = max(row["visible_seconds"] for row in seen)
    assert (len(seen) < len(rows)) == still_waiting
    assert len(seen) == log.visible
    for row in seen:
        stamps = [row[f"{name}_seconds"] for name in ("arrived", "started", "done", "visible")]
        assert stamps == sorted(stamps)
    arrived = [row["arrived_seconds"] for row in rows]
    assert arrived == sorted(arrived)
    assert arrived[-1] < end
    assert end - arrived[0] == pytest.approx(log.span_seconds)
    ages = sorted(
        (end if math.isnan(row["visible_seconds"]) else row["visible_seconds"])
        - row["arrived_seconds"]
        for row in rows
    )
    # Whatever the convention of a percentile, it lies between these two.
    for share, truth in ((0.5, log.p50_seconds), (0.99, log.p99_seconds)):
        place = share * len(ages)
        for neighbour in (ages[max(0, math.floor(place) - 1)], ages[math.ceil(place)]):
            assert neighbour == pytest.approx(truth, rel=0.02)
    assert ages[-1] > 1.2 * log.p99_seconds
    work = [row["done_seconds"] - row["started_seconds"] for row in seen]
    assert sum(work) / len(work) == pytest.approx(log.processing_seconds, rel=1e-6)


@pytest.mark.parametrize("number", RUNS)
def test_timings_come_from_two_constants_and_scatter_in_proportion(number):
    drawn = measured.batch_timings(rng(number))
    events, seconds = drawn.table["events"], drawn.table["seconds"]
    exact = drawn.overhead_seconds + events * drawn.seconds_per_event
    assert (abs(seconds / exact - 1) < 0.0501).all()
    half_speed = drawn.overhead_seconds / drawn.seconds_per_event
    assert events.min() < 0.35 * half_speed
    assert events.max() > 250 * half_speed


@pytest.mark.parametrize("kind", measured.SIZING)
@pytest.mark.parametrize("number", RUNS)
def test_the_sizes_that_serve_are_those_that_trying_finds(number, kind):
    drawn = measured.batch_sizes(rng(number), kind)
    overhead, each, rate, within = drawn.given.values()
    top = math.ceil(min(drawn.largest, 1e6)) + 2
    n = np.arange(1, top + 1)
    took = overhead + n * each
    serves = n[(took <= n / rate) & ((n - 1) / rate + took <= within)]
    if kind == "some sizes serve":
        least, largest = drawn.served
        assert abs(serves[0] - least) <= 1
        assert abs(serves[-1] - largest) <= 1
    else:
        assert drawn.served is None
        assert not len(serves)


@pytest.mark.parametrize("twins", [True, False])
@pytest.mark.parametrize("number", RUNS)
def test_a_tables_frontier_is_what_comparing_all_pairs_finds(number, twins):
    drawn = measured.design_table(rng(number), twins)
    rows = drawn.designs.to_dict("records")
    assert drawn.designs["design"].is_unique
    able = {
        row["design"]: (row["latency_seconds"], row["usd_per_million_events"])
        for row in rows
        if row["keeps_up"]
    }
    unbeaten = {
        name
        for name, (late, usd) in able.items()
        if not any(
            other[0] <= late and other[1] <= usd and other != (late, usd) for other in able.values()
        )
    }
    assert unbeaten == set(drawn.frontier)
    places = [able[name] for name in drawn.frontier]
    assert (len(set(places)) < len(places)) == twins
    assert len(able) < len(rows)


@pytest.mark.parametrize("label", measured.BINDS)
@pytest.mark.parametrize("number", RUNS)
def test_a_day_is_limited_by_what_its_label_says(number, label):
    day = measured.pipeline_day(rng(number), label)
    hours, targets = day.hours, day.targets
    peak = hours.sort_values("arrived_events").iloc[-1]
    done = peak["visible_events"] / peak["arrived_events"]
    late = hours["p99_seconds"].max() / targets["within_seconds"]
    unit = hours["usd"].sum() / hours["visible_events"].sum() * 1e6
    dear = unit / targets["usd_per_million_events"]
    # Each figure is clearly on its side of its limit, or a symptom; or the need is just met.
    assert done < 0.9 if day.binds == "throughput" else done > 0.97
    if day.binds == "latency":
        assert late > 1.1
    elif day.binds != "throughput":
        assert late < 0.8 or late == 1.0
    assert dear > 1.1 if day.binds == "cost" else dear < 0.97


# --- what is asked --------------------------------------------------------------------------------


def test_the_solution_is_right_on_every_seed():
    solved = authoring.functions(authoring.Draft(NAME, ROOT).notebook("solutions"))
    for behaviour in find(NAME).behaviours:
        for seed in SEEDS:
            found = authoring.judged(NAME, behaviour.name, solved[behaviour.name], seed)
            assert found.passed, (behaviour.name, seed)


def ratios(hours, targets, column):
    """What a rule on one column could look at, its target beside it."""
    if column == "usd":
        values = hours["usd"] / hours["visible_events"].mean() * 1e6
        values = values / targets["usd_per_million_events"]
    elif column == "p99_seconds":
        values = hours[column] / targets["within_seconds"]
    elif column == "visible_events":
        values = hours[column] / hours[column].mean()
    else:
        values = hours[column]
    return [
        values.max(),
        values.mean(),
        values.min(),
        values.std() / values.mean(),
        values.iloc[-1],
    ]


@pytest.mark.parametrize("column", ["p99_seconds", "usd", "visible_events", "busy_share"])
def test_a_rule_on_one_column_gets_less_than_40_percent(column):
    asked = "constraining_dimension"
    cases = [case for seed in ("a", "b", "c", "public") for case in sheet(NAME, asked, seed).cases]
    seen = np.array([ratios(**case.arguments, column=column) for case in cases])
    truths = np.array([case.truth for case in cases])
    best = (0.0, 0, 0.0, "", "")
    for feature in range(seen.shape[1]):
        for limit in np.quantile(seen[:, feature], np.linspace(0.02, 0.98, 49)):
            above = seen[:, feature] > limit
            for low in set(truths):
                for high in set(truths):
                    right = float((np.where(above, high, low) == truths).mean())
                    best = max(best, (right, feature, float(limit), low, high))
    _, feature, limit, low, high = best

    def rule(hours, targets):
        return high if ratios(hours, targets, column)[feature] > limit else low

    paper = sheet(NAME, asked, "2026")
    given = list(answers(rule, copies(case.arguments for case in paper.cases)))
    assert judge(paper, given).score < 0.4


# --- the figures of the prose ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def book():
    return authoring.Draft(NAME, ROOT).notebook("solutions")


@pytest.fixture(scope="module")
def shown(book):
    """What the notebook's own cells make of the two pipelines of the written answers."""
    made = authoring.functions(book)
    for cell in book.cells:
        if cell.id in ("evening", "stock"):
            exec(cell.source, made)
    return made


def test_the_late_evening_is_a_lack_of_throughput(book, shown):
    evening = shown["evening"]
    targets = {"within_seconds": 300.0, "usd_per_million_events": 1.5}
    assert shown["constraining_dimension"](evening, targets) == "throughput"
    peak = evening.loc[evening["arrived_events"].idxmax()]
    assert peak["hour"] == 20
    assert peak["arrived_events"] / 1e6 == pytest.approx(91.7, abs=0.05)
    assert peak["visible_events"] == 75e6
    assert peak["visible_events"] / peak["arrived_events"] == pytest.approx(0.82, abs=0.005)
    waiting = (evening["arrived_events"] - evening["visible_events"]).cumsum() / 1e6
    assert waiting.idxmax() == 21  # that is, by 10 pm
    assert waiting.max() == pytest.approx(36.6, abs=0.3)
    assert waiting.iloc[-1] == pytest.approx(0, abs=0.01)
    assert evening["p99_seconds"].max() / 60 == pytest.approx(30, abs=1)
    assert (evening["p99_seconds"][:19] == 20).all()
    late = evening.loc[evening["p99_seconds"] > 300, "hour"]
    assert late.tolist() == [19, 20, 21, 22]
    assert evening["arrived_events"].mean() / 1e6 == pytest.approx(41.7, abs=0.05)
    unit = evening["usd"].sum() / evening["visible_events"].sum() * 1e6
    assert unit < targets["usd_per_million_events"]


def test_the_stock_levels_choice_is_the_models(shown):
    billion = workload("billion")
    assert billion.events_per_second / 1e3 == pytest.approx(12, abs=0.5)
    assert billion.peak_events_per_second / 1e3 == pytest.approx(25, abs=0.5)
    stock = shown["stock"].set_index("design")
    kept = shown["frontier"](shown["stock"])
    age, usd = stock["latency_seconds"], stock["usd_per_million_events"]
    minute, half, five = ("spark_warm, 1 min", "spark_warm, 30 s", "spark_warm, 5 min")
    assert {minute, half, five, "flink, per event"} <= set(kept)
    meets = [name for name in kept if age[name] <= 300 and usd[name] <= 0.6]
    assert meets == [minute]
    assert age[minute] == pytest.approx(100, abs=1)
    assert usd[minute] == pytest.approx(0.47, abs=0.005)
    assert usd[minute] * 1e3 == pytest.approx(465, abs=1)  # dollars a day, a billion events
    assert age[five] == pytest.approx(470, abs=1)
    assert usd[minute] - usd[five] == pytest.approx(0.12, abs=0.005)
    assert age[half] == pytest.approx(50, abs=1)
    assert usd[half] == pytest.approx(0.69, abs=0.005)
    assert age["flink, per event"] == pytest.approx(0.3, abs=0.02)
    assert usd["flink, per event"] == pytest.approx(5.77, abs=0.005)
    assert usd["flink, per event"] / usd[minute] == pytest.approx(12, abs=0.5)
    assert (usd["flink, per event"] - usd[minute]) * 1e3 == pytest.approx(5_000, rel=0.1)


def test_the_models_own_frontier_agrees_where_no_two_designs_are_alike(shown):
    engines = [engine(name) for name in ("spark_ephemeral", "spark_warm", "flink")]
    table = offers(workload("billion"), engines, [30, 60, 300, 3600])
    mine = pd.DataFrame(
        {
            "design": table.index.map(str),
            "latency_seconds": table["latency_worst_seconds"],
            "usd_per_million_events": 1e6 / table["events_per_usd"],
            "keeps_up": True,
        }
    )
    assert shown["frontier"](mine) == mine.loc[table["efficient"], "design"].tolist()
