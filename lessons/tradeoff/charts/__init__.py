"""Altair figures in the course's look, drawn without network; importing this sets them up.

A figure is a function from a tidy DataFrame to an Altair chart. As the last line of a cell it is
drawn once, in the kernel, as SVG: it stays in the saved notebook and follows JupyterLab's light or
dark theme. `View` holds a chart in the page instead, and takes new rows.
"""

from tradeoff.charts.orders import (
    measured_runs,
    needs_and_cost,
    plans_compared,
    run_history,
    run_time_by_volume,
    stage_hours,
)
from tradeoff.charts.theme import COLOURS, switch_on
from tradeoff.charts.uncertainty import tornado
from tradeoff.charts.view import View

__all__ = [
    "COLOURS",
    "View",
    "measured_runs",
    "needs_and_cost",
    "plans_compared",
    "run_history",
    "run_time_by_volume",
    "stage_hours",
    "tornado",
]

switch_on()
