"""A chart held in the page: it is sent once, and later changes send rows only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import anywidget
import ipywidgets  # type: ignore[import-untyped]
import traitlets
import vl_convert

Rows = Mapping[str, list[dict[str, Any]]]

# Runs once in a page; views wait for what it leaves there.
LIBRARY = "export default { initialize() { globalThis.tradeoffEmbed = vegaEmbed; } };"


class Library(anywidget.AnyWidget):
    """Vega itself (0.9 MB), sent to a page once for all its views; `library` makes it."""

    _esm = traitlets.Unicode().tag(sync=True)


@cache
def library() -> Library:
    """This kernel's `Library`, bundled at the first call (about a second)."""
    # vl-convert has Vega in one script with all it depends on, so nothing is fetched.
    return Library(_esm=vl_convert.javascript_bundle(LIBRARY))


class View(anywidget.AnyWidget):
    """A chart over named rows: `View(chart, rows)` shows it, `view.rows = ...` changes it.

    Parameters
    ----------
    chart : an Altair chart whose data are `alt.NamedData(name)`.
    rows : for each of those names its rows, as plain dictionaries.
    """

    _esm = Path(__file__).with_name("view.js")
    library = traitlets.Instance(Library).tag(sync=True, **ipywidgets.widget_serialization)
    spec = traitlets.Dict().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    rows = traitlets.Dict().tag(sync=True)

    def __init__(self, chart: alt.TopLevelMixin, rows: Rows) -> None:
        spec = chart.to_dict()
        compiled = vl_convert.vegalite_to_vega(spec)
        _pass_over_wordless(compiled)
        super().__init__(
            library=library(),
            spec=compiled,
            description=spec.get("description", ""),
            rows=dict(rows),
        )


def _pass_over_wordless(part: dict[str, Any]) -> None:
    """Hide from screen readers the marks of a Vega spec that have nothing to say, such as rules."""
    for mark in part.get("marks", ()):
        if mark["type"] == "group":
            _pass_over_wordless(mark)
        elif "description" not in mark.get("encode", {}).get("update", {}):
            mark["aria"] = False
