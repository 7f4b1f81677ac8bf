"""The trade-off model in closed form: workload, engine, rhythm, cadence, cost, state, tiers."""

from tradeoff.model.catalogue import ENGINES, WORKLOADS, cluster, constant, engine, workload
from tradeoff.model.cost import (
    break_even_usd_per_minute,
    cost_of_latency,
    value_of_latency,
)
from tradeoff.model.design import Design, Plan
from tradeoff.model.engine import Billing, Engine
from tradeoff.model.evaluate import Evaluation, compare, evaluate, sized
from tradeoff.model.rhythm import Cadence, Rhythm
from tradeoff.model.sweep import serves, sweep
from tradeoff.model.tiers import TIER_SECONDS, Consumer, tier_of
from tradeoff.model.uncertainty import compare_uncertain, tornado, uncertain
from tradeoff.model.workload import FLAT, State, Workload, day_curve

__all__ = [
    "ENGINES",
    "FLAT",
    "TIER_SECONDS",
    "WORKLOADS",
    "Billing",
    "Cadence",
    "Consumer",
    "Design",
    "Engine",
    "Evaluation",
    "Plan",
    "Rhythm",
    "State",
    "Workload",
    "break_even_usd_per_minute",
    "cluster",
    "compare",
    "compare_uncertain",
    "constant",
    "cost_of_latency",
    "day_curve",
    "engine",
    "evaluate",
    "serves",
    "sized",
    "sweep",
    "tier_of",
    "tornado",
    "uncertain",
    "value_of_latency",
    "workload",
]
