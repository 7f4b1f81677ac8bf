"""Batch, micro-batch, streaming: a course with a trade-off model, calculators and an autograder.

`import tradeoff` brings the model and the fit to measured runs (numpy and pandas only); the rest is
loaded by importing its room: `tradeoff.simulate`, `tradeoff.diagnosis`, `tradeoff.charts`,
`tradeoff.calculators`, `tradeoff.checks`, `tradeoff.lab`.
"""

from tradeoff.fit import BatchFit, fit_batches
from tradeoff.model import *  # noqa: F403
from tradeoff.model import __all__ as _model

__all__ = [*_model, "BatchFit", "fit_batches"]
