"""Calculators: one line in a cell, controls above a picture, settings and outcome as values.

calculators.redesign()                                      # the pipeline as it is today
tried = calculators.redesign(every="1 h", incremental=True)
tried.settings, tried.outcome.cost_usd_per_day              # works without a browser, too
"""

from tradeoff.calculators.calculator import Calculator
from tradeoff.calculators.redesign import redesign

__all__ = ["Calculator", "redesign"]
