"""The look of every chart, and how a chart in a cell becomes a picture."""

from __future__ import annotations

from html import escape
from typing import Any

import altair as alt
import vl_convert

# Okabe and Ito's colours that stand out by about 3 : 1 on JupyterLab's light and dark backgrounds.
# None of them carries a meaning alone: shapes, dashes or labels repeat it.
COLOURS = {"blue": "#0072B2", "vermillion": "#D55E00", "green": "#009E73", "purple": "#CC79A7"}
INK = "currentColor"  # the text colour of the page: dark on light, light on dark


def look() -> alt.theme.ThemeConfig:
    """Vega-Lite's configuration: no background of its own, ink in the page's text colour."""
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12}
    lines = {
        "domainColor": INK,
        "domainOpacity": 0.5,
        "tickColor": INK,
        "tickOpacity": 0.5,
        "gridColor": INK,
        "gridOpacity": 0.12,
    }
    config: Any = {
        "background": "transparent",
        "view": {"stroke": None},
        "title": {"color": INK, "fontSize": 15, "anchor": "start", "offset": 12},
        "axis": {**text, **lines, "titleFontWeight": "normal", "labelLimit": 260},
        "legend": {**text, "symbolBaseStrokeColor": INK},
        "range": {"category": list(COLOURS.values())},
        "text": {"color": INK, "fontSize": 12},
        "rule": {"color": INK},
        "point": {"size": 90, "strokeWidth": 2.5, "opacity": 1},
    }
    return {"config": config}


def drawn(spec: dict[str, Any], **_: Any) -> dict[str, str]:
    """The mime bundle of a chart: SVG inside HTML, so that it takes the page's text colour."""
    described = spec.get("description", "")
    svg = vl_convert.vegalite_to_svg(spec)
    svg = svg.replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)
    label = f'role="img" aria-label="{escape(described)}"'
    return {"text/html": f"<div {label}>{svg}</div>", "text/plain": described}


def switch_on() -> None:
    """Make `look` and `drawn` what Altair uses from here on."""
    alt.theme.register("tradeoff", enable=False)(look)
    alt.theme.enable("tradeoff")
    alt.renderers.register("tradeoff", drawn)
    alt.renderers.enable("tradeoff")
