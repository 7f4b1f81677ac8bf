"""The frontier explorer: what holds of every calculator, and its answers against the model."""

import re

import pandas as pd
import pytest
from corners import CalculatorChecks, text_of
from tradeoff import calculators, evaluate
from tradeoff.calculators.frontier import ENGINES, INTERVALS, PRESETS, SHORT, Settings, solve
from tradeoff.model import Cadence, Design, claims, engine, words
from tradeoff.model.frontier import design_of, efficient
from tradeoff.scenarios import operating_points


class TestFrontier(CalculatorChecks):
    make = staticmethod(calculators.frontier)


SETTINGS = [Settings(), *PRESETS.values(), Settings(engine="spark_streaming", interval_seconds=30)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_answer_is_the_models_for_that_design(settings):
    outcome = solve(settings)
    interval = 0 if settings.engine == "flink" else settings.interval_seconds
    nodes = int(outcome.offered.loc[outcome.picked, "nodes"])
    found = evaluate(design_of(settings.workload(), engine(settings.engine), interval, nodes))
    nightly = solve(
        Settings(
            work=settings.work,
            events_per_day=settings.events_per_day,
            least_nodes=settings.least_nodes,
        )
    )
    gain = settings.events_per_day / found.cost_usd_per_day
    assert outcome.events_per_usd == pytest.approx(gain)
    assert outcome.times_dearer == pytest.approx(nightly.events_per_usd / gain)
    said = text_of(outcome.meaning)
    assert said.startswith(f"{words.count(gain)} events per dollar with events at most")
    assert words.duration(found.latency_worst_seconds) in said
    assert f"An event costs {outcome.times_dearer:.3g} ×" in said
    [label] = [row["label"] for row in outcome.rows["picked"]]
    assert label == f"{words.count(gain)} per $"


def test_the_defaults_and_a_preset_are_the_texts_billion():
    text = claims.Scenarios()
    nightly, stream = solve(Settings()), solve(PRESETS["A billion, streamed"])
    assert nightly.found.cost_usd_per_day == pytest.approx(text.billion_nightly.cost_usd_per_day)
    assert stream.found.cost_usd_per_day == pytest.approx(text.billion_streaming.cost_usd_per_day)
    assert stream.times_dearer == pytest.approx(claims.figures("C5c")[0])


@pytest.mark.parametrize("settings", SETTINGS)
def test_marks_of_the_frontier_are_those_nothing_beats(settings):
    rows = pd.DataFrame(solve(settings).rows["designs"])
    best = efficient(rows["latency"], rows["gain"])
    # Rounding for the picture makes near ties equal; what is drawn as beaten must be.
    assert not (best & (rows["standing"] == "beaten")).any()
    assert set(rows["billing"]) == set(SHORT.values())
    assert (rows["standing"] == "frontier").sum() >= 3


def test_a_beaten_design_names_one_that_beats_it():
    outcome = solve(Settings(engine="spark_streaming", interval_seconds=3_600))
    here = outcome.offered.loc[outcome.picked]
    assert not here["efficient"]
    name = re.search(r"beaten by (.+?): no older", outcome.meaning)[1]
    billing, every = name.split(" every ")
    [code] = [code for code, short in SHORT.items() if short == billing]
    [other] = [
        row for row in outcome.offered.itertuples() if row.engine == code and row.says == every
    ]
    assert other.latency_worst_seconds <= here["latency_worst_seconds"]
    assert other.events_per_usd >= here["events_per_usd"]


def test_the_dimension_that_binds_is_the_models():
    def binds(**changes):
        outcome = solve(Settings(**changes))
        assert f"<b>{outcome.found.binds.capitalize()}</b> binds" in outcome.meaning
        return outcome.found.binds, outcome.found.serves

    assert binds() == ("latency", False)
    assert binds(within_seconds=172_800) == ("latency", True)
    assert binds(engine="flink") == ("cost", False)
    roomy = {"within_seconds": 172_800, "usd_per_million": 1000}
    assert binds(engine="spark_warm", interval_seconds=20, **roomy)[0] == "throughput"


def test_firm_latency_and_firm_budget_are_answered_from_the_designs_on_offer():
    outcome = solve(Settings(within_seconds=1, usd_per_million=1))
    assert outcome.meets.empty
    said = text_of(outcome.meaning)
    stream = solve(Settings(engine="flink"))
    price = words.usd(1e6 / stream.events_per_usd)
    assert f"If latency is firm: stream, always on, {price} a million events." in said
    cheap = outcome.offered[outcome.offered["events_per_usd"] >= 1e6]
    freshest = cheap.loc[cheap["latency_worst_seconds"].idxmin()]
    assert f"events at most {words.duration(freshest['latency_worst_seconds'])} old" in said
    both = solve(Settings(within_seconds=120, usd_per_million=1))
    assert (both.meets["latency_worst_seconds"] <= 120).all()
    assert (both.meets["events_per_usd"] >= 1e6).all()
    assert both.meets["events_per_usd"].is_monotonic_decreasing
    nothing = text_of(solve(Settings(within_seconds=0.1, usd_per_million=0.01)).meaning)
    assert "nothing here is that fresh" in nothing
    assert "nothing here is that cheap" in nothing


def test_what_no_number_of_nodes_keeps_up_is_said_and_not_drawn():
    outcome = solve(Settings(engine="spark_ephemeral", interval_seconds=60))
    assert outcome.rows["picked"] == []
    assert "Not on offer" in outcome.meaning
    assert "No number of nodes" in outcome.meaning
    assert outcome.rows["designs"]


def test_an_interval_of_ones_own_gets_a_step_and_a_mark():
    tried = calculators.frontier(engine="spark_warm", interval_seconds=240)
    assert tried.settings.interval_seconds == 240
    says = words.duration(240)
    assert any(row["every"] == says for row in tried.outcome.rows["designs"])
    assert 240 not in INTERVALS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"work": "sorting"}, "work must be one of"),
        ({"engine": "low_latency"}, "engine must be one of"),
        ({"interval_seconds": 5_000}, "interval_seconds must be"),
        ({"least_nodes": 0}, "nodes must be"),
        ({"within_seconds": 0}, "freshness_seconds must be"),
        ({"usd_per_million": -1}, "usd_per_million must be"),
        ({"events_per_day": 0}, "events_per_day must be"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        Settings(**changes)


def test_the_named_workloads_are_the_texts_rows():
    table = operating_points.named().set_index("workload")
    bounds = claims.report().set_index("id")
    for row in table.itertuples():
        for claim in row.claims.split():
            low, high, unit = bounds.loc[claim, ["low", "high", "unit"]]
            scale = {"events/min": 60, "hours": 1 / 3600}.get(unit, 1)
            figure = row.throughput_per_second if "events" in unit else row.latency_seconds
            assert claims.within(figure * scale, low, high), claim
    assert len(table) == 5
    pool = Design(
        claims.Scenarios().billion_stateless,
        engine("spark_streaming"),
        "micro-batch",
        Cadence.every("1 min"),
        nodes=4,
    )
    minute = table.loc["Spark, 1-min trigger"]
    assert minute["cost_usd_per_day"] == pytest.approx(evaluate(pool).cost_usd_per_day)
    assert minute["events_per_usd"] == pytest.approx(1e9 / evaluate(pool).cost_usd_per_day)


def test_every_engine_has_a_short_name():
    assert set(SHORT) == set(ENGINES.values())
