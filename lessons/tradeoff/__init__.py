"""Batch, micro-batch, streaming: a course with a trade-off model, calculators and an autograder.

`import tradeoff` brings the model only (numpy and pandas); charts, calculators, checks and engines
are loaded by importing `tradeoff.charts`, `tradeoff.calculators`, `tradeoff.checks`,
`tradeoff.lab`.
"""

from tradeoff.model import *  # noqa: F403
from tradeoff.model import __all__ as _model

__all__ = [*_model]
