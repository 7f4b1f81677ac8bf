"""Who reads a generated pipeline's result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradeoff.model import tier_of

READERS = (
    "executives",
    "marketing",
    "operations",
    "finance",
    "fraud desk",
    "support",
    "warehouse",
    "partners",
)


def readers(
    rng: np.random.Generator,
    least_seconds: float,
    most_seconds: float,
    freshest_seconds: float | None = None,
    deadlines: bool = True,
) -> pd.DataFrame:
    """One to three consumers whose needs lie in a range, but for the freshest, if given.

    Columns name, freshness_seconds, and deadline_hour: midnight, or NaN where there is none, as for
    everybody without `deadlines`.
    """
    count = int(rng.integers(1, 4))
    needs = rng.uniform(least_seconds, most_seconds, count)
    if freshest_seconds is not None:
        needs[int(rng.integers(count))] = freshest_seconds
    due = np.where((rng.random(count) < 0.4) & deadlines, 24.0, np.nan)
    names = rng.choice(READERS, count, replace=False)
    return pd.DataFrame({"name": names, "freshness_seconds": needs.round(), "deadline_hour": due})


def shared(consumers: pd.DataFrame) -> bool:
    """Whether consumers of more than one tier share the pipeline."""
    return consumers["freshness_seconds"].map(tier_of).nunique() > 1
