"""Calculators: one line in a cell, controls above a picture, settings and outcome as values.

calculators.redesign()                                      # the pipeline as it is today
tried = calculators.redesign(every="1 h", incremental=True)
tried.settings, tried.outcome.cost_usd_per_day              # works without a browser, too
"""

from tradeoff.calculators.calculator import Calculator
from tradeoff.calculators.classify import classify
from tradeoff.calculators.costs import costs
from tradeoff.calculators.frontier import frontier
from tradeoff.calculators.latency_value import latency_value
from tradeoff.calculators.redesign import redesign
from tradeoff.calculators.state import state
from tradeoff.calculators.trigger import trigger

__all__ = [
    "Calculator",
    "classify",
    "costs",
    "frontier",
    "latency_value",
    "redesign",
    "state",
    "trigger",
]
