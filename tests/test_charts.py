"""Figures: described, titled, with units, in colours that stand out, drawn without network."""

import re

import altair as alt
import pandas as pd
import pytest
from tradeoff import charts, data
from tradeoff.charts import theme
from tradeoff.model import tornado
from tradeoff.scenarios import operating_points, orders, proposals


def table(**columns):
    return pd.DataFrame(columns)


def nights():
    runs = data.order_runs().iloc[::60]
    hours = (runs["end"] - runs["start"]).dt.total_seconds() / 3600
    return runs.assign(hours=hours, millions=runs["rows_new"] / 1e6)


def stages():
    months = pd.to_datetime(["2026-01-01", "2026-02-01"])
    return pd.DataFrame(
        [
            {"month": month, "stage": stage, "hours": hours}
            for month in months
            for stage, hours in (("read", 2.0), ("transform", 7.0), ("write", 1.5))
        ]
    )


def curves():
    return pd.DataFrame(
        {"design": ["nightly"] * 2 + ["hourly"] * 2, "millions": [1, 9] * 2, "hours": [1, 6, 0, 1]}
    )


def compared():
    plans = orders.redesigns()
    return charts.plans_compared(proposals.bills(plans), proposals.needs(plans))


FIGURES = {
    "run_history": lambda: charts.run_history(nights(), {"deadline": 4, "window": 7}),
    "stage_hours": lambda: charts.stage_hours(stages()),
    "run_time_by_volume": lambda: charts.run_time_by_volume(nights(), curves(), 7),
    "plans_compared": compared,
    "measured_runs": lambda: charts.measured_runs(
        pd.DataFrame({"pipeline": ["old", "new"], "millions": [18.0, 20.5], "seconds": [0.3, 0.5]})
    ),
    "needs_and_cost": lambda: charts.needs_and_cost("needs", "bills"),
    "tornado": lambda: charts.tornado(tornado(orders.nightly())),
    "frontier": lambda: charts.frontier("designs", "picked", "asked", operating_points.named()),
    "amortised": lambda: charts.amortised(
        table(store=["sqlite", "duckdb"], events=[10, 1e4], events_per_second=[3e4, 2e6]),
        table(store=["sqlite"] * 2, events=[1, 1e6], events_per_second=[4e3, 9e5]),
    ),
    "measured_frontier": lambda: charts.measured_frontier(
        table(
            store=["sqlite", "duckdb"],
            events=[10, 1e4],
            latency_seconds=[0.02, 3.1],
            throughput_per_second=[3e3, 2e6],
            keeps_up=[False, True],
        ),
        5_000,
    ),
    "live_latency": lambda: charts.live_latency(
        table(run=["1 s", "5 s"], arrived_seconds=[1.0, 2.0], latency_seconds=[0.4, 3.0])
    ),
    "bills_in_parts": lambda: charts.bills_in_parts("parts", "totals", "unit"),
    "worth_of_latency": lambda: charts.worth_of_latency("curve", "designs", "bars"),
    "stated_and_computed": lambda: charts.stated_and_computed(
        table(name=["nightly", "stream"], low=[5, 300], high=[20, 900], computed=[11, 1300])
    ),
    "state_bill": lambda: charts.state_bill(
        table(day=[1, 30], gigabytes=[2.0, 60.0], usd=[1.0, 24.0]), 64e9
    ),
    "lag": lambda: charts.lag(
        table(
            consumer=["slow"] * 2 + ["dead"] * 2,
            seconds=[0, 1] * 2,
            end_offset=[0, 500] * 2,
            committed_offset=[0, 300, 0, 0],
            lag=[0, 200, 0, 500],
        ),
        {"killed": 0.5},
    ),
    "state_over_time": lambda: charts.state_over_time("lines", "marks"),
    "systems": lambda: charts.systems(
        table(
            system=["nightly, DuckDB", "Flink"],
            rhythm=["batch", "streaming"],
            latency_p50_seconds=[43_200.0, 0.02],
            latency_p99_seconds=[85_536.0, 0.4],
            events_per_second=[1.7e6, 1.3e4],
            machine=["2 cores"] * 2,
            measured_on=["2026-11-25"] * 2,
        ),
        table(
            engine=["DuckDB"] * 2,
            rhythm=["batch"] * 2,
            latency_seconds=[900.0, 85_536.0],
            events_per_second=[1e5, 2e6],
        ),
        table(
            workload=["nightly Spark", "custom C++"],
            claims=["C4a, C4b", "C4i"],
            latency_low=[43_200.0, 0.0],
            latency_high=[90_000.0, 0.001],
            rate_low=[5e4, None],
            rate_high=[1.3e5, None],
        ),
        "recorded run",
    ),
    "loss_and_state": lambda: charts.loss_and_state(
        table(
            says=["0 min", "1 h"],
            held_mean=[20.0, 90.0],
            late_percent=[9.0, 0.4],
            wrong_percent=[30.0, 2.0],
        )
    ),
    "entries_over_time": lambda: charts.entries_over_time(
        table(
            when=pd.to_datetime(["2013-01-01", "2013-01-02"] * 2),
            entries=[3, 5, 3, 90],
            watermark=["1 h", "1 h", "none", "none"],
        )
    ),
    "held_and_formula": lambda: charts.held_and_formula(
        table(case=["a", "a"], hours=[1, 2], simulated=[10, 21], formula=[10.0, 20.0])
    ),
    "trigger_tuner": lambda: charts.trigger_tuner("teeth", "limits", "curve", "marks", "notes"),
    "cost_by_interval": lambda: charts.cost_by_interval(
        table(line=["busy", "busy"], seconds=[10, 600], usd=[90.0, 12.0])
    ),
    "measured_saw_tooth": lambda: charts.measured_saw_tooth(
        table(trigger=["1 s", "4 s"], arrival_seconds=[0.5, 0.9], age_seconds=[0.8, 3.3])
    ),
    "predicted_and_measured": lambda: charts.predicted_and_measured(
        table(
            trigger=["1 s"] * 2,
            figure=["p50", "worst"],
            predicted_seconds=[0.7, 1.2],
            measured_seconds=[0.8, 1.3],
            error_percent=[14.0, 8.0],
        )
    ),
    "killed_loop": lambda: charts.killed_loop(
        table(arrival_seconds=[0.0, 5.0], age_seconds=[1.0, 4.0]), table(seconds=[2.5])
    ),
}


@pytest.fixture(params=FIGURES)
def figure(request):
    return FIGURES[request.param]()


def test_every_figure_is_tried():
    drawing = {name for name in charts.__all__ if name not in ("COLOURS", "PARTS", "View")}
    assert drawing == set(FIGURES)


def parts(spec):
    """The spec and every layer and panel in it."""
    yield spec
    for key in ("layer", "hconcat", "vconcat"):
        for part in spec.get(key, ()):
            yield from parts(part)
    if "spec" in spec:  # of a facet
        yield from parts(spec["spec"])


def test_a_figure_is_titled_and_described(figure):
    spec = figure.to_dict()  # validates against Vega-Lite's schema, too
    assert spec["title"]
    assert len(spec["description"]) > 60


def test_every_measure_says_its_unit(figure):
    spec = figure.to_dict()
    titles = {
        axis.get("title")
        for part in parts(spec)
        for channel, axis in part.get("encoding", {}).items()
        if channel in ("x", "y") and axis.get("type") == "quantitative"
    }
    said = {title for title in titles if title}
    assert said
    assert [title for title in said if not re.search(r"\(.+\)$", title)] == []


def test_a_cell_gets_a_picture_that_needs_nothing_else(figure):
    bundle = theme.drawn(figure.to_dict())
    page = bundle["text/html"]
    addresses = set(re.findall(r"https?://[^\"' )]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in page
    assert 'role="img"' in page
    assert bundle["text/plain"] == figure.to_dict()["description"]


def test_a_picture_takes_the_pages_colours(figure):
    page = theme.drawn(figure.to_dict())["text/html"]
    assert "currentColor" in page
    used = set(re.findall(r"#[0-9a-fA-F]{3,6}\b", page))
    assert used <= set(charts.COLOURS.values())
    assert 'fill="white"' not in page


def test_altair_draws_with_it():
    assert alt.renderers.active == "tradeoff"
    assert alt.theme.active == "tradeoff"


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", charts.COLOURS.values())
@pytest.mark.parametrize("background", ["#ffffff", "#111111"])  # JupyterLab's light and dark
def test_colours_stand_out(colour, background):
    dark, light = sorted((luminance(colour), luminance(background)))
    assert (light + 0.05) / (dark + 0.05) > 2.9  # WCAG asks 3 of graphics; purple on white is 2.97


def test_a_view_is_sent_its_chart_once():
    rows = {"needs": [{"need": "a", "limit_used": 0.5, "verdict": "", "says": ""}], "bills": []}
    one, two = (charts.View(FIGURES["needs_and_cost"](), rows) for _ in range(2))
    assert one.library is two.library
    assert len(one._esm) < 5_000 < 500_000 < len(one.library._esm)
    assert {source["name"] for source in one.spec["data"]} >= set(rows)
    assert one.description == FIGURES["needs_and_cost"]().to_dict()["description"]
