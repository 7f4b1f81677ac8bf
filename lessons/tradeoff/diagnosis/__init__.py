"""Diagnosis of a real pipeline from its run history, and what to change."""

from tradeoff.diagnosis.history import Aside, History, HistoryError
from tradeoff.diagnosis.questions import Finding, Limits
from tradeoff.diagnosis.readers import read_runs
from tradeoff.diagnosis.verdict import Diagnosis, diagnose

__all__ = [
    "Aside",
    "Diagnosis",
    "Finding",
    "History",
    "HistoryError",
    "Limits",
    "diagnose",
    "read_runs",
]
