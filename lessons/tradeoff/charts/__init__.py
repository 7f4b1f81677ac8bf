"""Altair figures in the course's look, drawn without network; importing this sets them up.

A figure is a function from a tidy DataFrame to an Altair chart. As the last line of a cell it is
drawn once, in the kernel, as SVG: it stays in the saved notebook and follows JupyterLab's light or
dark theme. `View` holds a chart in the page instead, and takes new rows.
"""

from tradeoff.charts.costs import (
    PARTS,
    bills_in_parts,
    lag,
    state_bill,
    stated_and_computed,
    worth_of_latency,
)
from tradeoff.charts.frontier import amortised, frontier, live_latency, measured_frontier
from tradeoff.charts.orders import (
    measured_runs,
    needs_and_cost,
    plans_compared,
    run_history,
    run_time_by_volume,
    stage_hours,
)
from tradeoff.charts.state import (
    entries_over_time,
    held_and_formula,
    loss_and_state,
    state_over_time,
)
from tradeoff.charts.systems import systems
from tradeoff.charts.theme import COLOURS, switch_on
from tradeoff.charts.trigger import (
    cost_by_interval,
    killed_loop,
    measured_saw_tooth,
    predicted_and_measured,
    trigger_tuner,
)
from tradeoff.charts.uncertainty import tornado
from tradeoff.charts.view import View

__all__ = [
    "COLOURS",
    "PARTS",
    "View",
    "amortised",
    "bills_in_parts",
    "cost_by_interval",
    "entries_over_time",
    "frontier",
    "held_and_formula",
    "killed_loop",
    "lag",
    "live_latency",
    "loss_and_state",
    "measured_frontier",
    "measured_runs",
    "measured_saw_tooth",
    "needs_and_cost",
    "plans_compared",
    "predicted_and_measured",
    "run_history",
    "run_time_by_volume",
    "stage_hours",
    "state_bill",
    "state_over_time",
    "stated_and_computed",
    "systems",
    "tornado",
    "trigger_tuner",
    "worth_of_latency",
]

switch_on()
