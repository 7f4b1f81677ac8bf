"""The 47 figures of the course's text, each out of the model, and what holds the constants."""

import math

import pytest
from tradeoff import data
from tradeoff.model import Cadence, Design, catalogue, claims, evaluate

TABLE = data.claims().set_index("id")
CONSTANTS = data.constants()


@pytest.fixture(scope="module")
def scenarios() -> claims.Scenarios:
    return claims.Scenarios()


@pytest.mark.parametrize(
    "claim_id", [pytest.param(row, id=f"{row}-{TABLE.kind[row]}") for row in TABLE.index]
)
def test_the_model_gives_the_claims_figure(claim_id, scenarios):
    row = TABLE.loc[claim_id]
    for figure in claims.figures(claim_id, scenarios):
        assert claims.within(figure, row.low, row.high), f"{row.claim}: {figure:g} {row.unit}"


def test_every_claim_is_computed_and_every_kind_is_counted():
    assert list(TABLE.index) == list(claims.CLAIMS)
    kinds = TABLE.kind.value_counts().to_dict()
    assert kinds == {"output": 21, "conditional": 11, "identity": 11, "calibration": 4}
    assert (TABLE.kind == "conditional").sum() <= (TABLE.reading != "").sum()


@pytest.mark.parametrize(
    ("subject", "field", "recorded"),
    CONSTANTS[["subject", "field", "constrained_by"]].to_numpy().tolist(),
)
def test_a_constant_moved_by_30_percent_breaks_the_claims_on_record(subject, field, recorded):
    """Empty means that the text leaves the constant open; the column says so to the reader."""
    assert " ".join(claims.constrained_by(subject, field)) == recorded


def test_constants_have_a_range_around_the_mid_and_a_source():
    assert (CONSTANTS.low <= CONSTANTS.mid).all()
    assert (CONSTANTS.mid <= CONSTANTS.high).all()
    assert not CONSTANTS.duplicated(["subject", "field"]).any()


@pytest.mark.parametrize(
    ("pipeline", "points"),
    [("routes", {18e6: 3.0, 80e6: 11.0}), ("orders", {4e6: 3.0, 18e6: 11.0})],
)
def test_a_named_pipelines_constants_follow_from_its_two_published_points(pipeline, points):
    """Slope and intercept of the run time fix work per event and fixed work: two for two."""
    (low, low_hours), (high, high_hours) = points.items()
    slope = (high_hours - low_hours) * 3600 / (high - low)
    intercept = low_hours * 3600 - low * slope
    work, batch = catalogue.workload(pipeline), catalogue.engine("spark_ephemeral")
    transform = slope - 1 / work.source_events_per_second - 1 / work.sink_events_per_second
    slots = catalogue.cluster(pipeline) * batch.slots_per_node * batch.events_per_second_per_slot
    assert math.isclose(work.work_per_event, transform * slots, rel_tol=1e-9)
    fixed = intercept - batch.start_up_seconds - batch.overhead_seconds
    assert math.isclose(work.fixed_seconds, fixed, rel_tol=1e-9)


# What the syllabus says of the text's strains: conditional readings, shown from the other side.


def test_cold_starts_every_five_minutes_cost_more_than_twice_the_nightly_run(scenarios):
    cold = evaluate(
        Design(
            scenarios.workload("routes"),
            scenarios.engine("spark_ephemeral"),
            "batch",
            Cadence.every("5 min"),
            nodes=4,
        )
    )
    assert cold.cost_usd_per_day > 2 * scenarios.routes_nightly.cost_usd_per_day


def test_an_always_on_cluster_costs_the_same_at_any_trigger(scenarios):
    clicks = scenarios.workload("clicks")
    bills = {scenarios.triggered(clicks, every).cost_usd_per_day for every in ("30 s", "4 min")}
    assert len(bills) == 1


def test_hourly_incremental_runs_cost_almost_twice_the_nightly_at_18_million(scenarios):
    routes = scenarios.workload("routes").at(18e6)
    hourly = evaluate(
        Design(routes, scenarios.engine("spark_ephemeral"), "batch", Cadence.every("1 h"), nodes=4)
    )
    nightly = scenarios.nightly("routes", 18e6)
    assert 1.8 < hourly.cost_usd_per_day / nightly.cost_usd_per_day < 2.0


def test_a_cadence_change_without_incrementality_makes_things_worse(scenarios):
    nightly = scenarios.routes_nightly
    hourly_full = evaluate(nightly.design.but(cadence=Cadence.every("1 h")))
    assert hourly_full.run_longest_seconds == pytest.approx(nightly.run_longest_seconds)
    assert hourly_full.cost_usd_per_day > 2 * nightly.cost_usd_per_day
    assert not hourly_full.fits_window


def test_the_peak_hour_of_an_hourly_run_outlasts_its_hour(scenarios):
    hourly = scenarios.hourly("routes")
    assert hourly.run_mean_seconds < 3600 < hourly.run_longest_seconds


def test_the_stateless_premium_grows_below_a_billion_events_a_day(scenarios):
    def premium(volume):
        stream = scenarios.streaming(scenarios.billion_stateless.at(volume))
        batch = evaluate(
            Design(
                scenarios.billion_stateless.at(volume),
                scenarios.engine("spark_ephemeral"),
                "batch",
                Cadence.every("24 h"),
                nodes=4,
                incremental=False,
            )
        )
        return stream.cost_usd_per_day / batch.cost_usd_per_day

    assert 2 <= premium(1e9) <= 5 < premium(3e8) < premium(1e8)
