"""The closed form and the simulation side by side, and where the first is meant to be exact."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from tradeoff.model import Design, Rhythm, evaluate
from tradeoff.model.quantities import HOUR_SECONDS, check
from tradeoff.simulate.run import WHOLE, simulate


def against_closed_form(
    designs: Iterable[Design],
    days: int = 1,
    *,
    arrivals_per_day: int = 1_000_000,
    **options: Any,
) -> pd.DataFrame:
    """Latencies of the closed form and of the simulation, one row a design and figure.

    Batches are simulated with blocks of events, about `arrivals_per_day` of them; streams event by
    event. `options` go to `simulate`.

    Columns: design (its name), figure (best, mean, p50, p95, worst; a stream's wait has no worst),
    closed_form_seconds, simulated_seconds, error_percent (of the closed form, by the simulated),
    exact (the closed form is meant to be exact here: see `is_exact`).
    """
    check("arrivals_per_day", arrivals_per_day, WHOLE)
    rows = []
    for design in designs:
        found = evaluate(design, horizon_days=days)
        stream = design.rhythm is Rhythm.STREAMING
        block = 1 if stream else math.ceil(design.workload.events_per_day / arrivals_per_day)
        simulated = simulate(design, days, **{"events_per_arrival": block} | options)
        for figure in ("best", "mean", "p50", "p95", *(() if stream else ("worst",))):
            closed = found.figures[f"latency_{figure}_seconds"]
            counted = getattr(simulated, f"latency_{figure}_seconds")
            rows.append(
                {
                    "design": design.name,
                    "figure": figure,
                    "closed_form_seconds": closed,
                    "simulated_seconds": counted,
                    "error_percent": 100.0 * (closed / counted - 1.0),
                    "exact": is_exact(design),
                }
            )
    return pd.DataFrame(rows)


def is_exact(design: Design) -> bool:
    """True where the closed form takes no short cut: runs end before the next trigger, and an
    interval divides the hour or is made of hours.
    """
    interval = design.cadence.interval_seconds
    if not interval:
        return False
    whole = interval > HOUR_SECONDS or math.isclose(
        HOUR_SECONDS / interval, round(HOUR_SECONDS / interval), rel_tol=1e-9
    )
    return whole and evaluate(design).run_longest_seconds <= interval
