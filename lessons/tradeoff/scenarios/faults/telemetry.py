"""What all generated pipelines share: a run's stages, its odd runs, and the table they make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tradeoff.model import Cadence, Design, Rhythm, Workload, engine
from tradeoff.model.stages import STAGES


def sized_run(
    rng: np.random.Generator,
    rows: float,
    run_seconds: float,
    slowest_stage: str,
    fixed_share: float,
) -> Design:
    """A pipeline whose run over `rows` takes `run_seconds`, most of it in one stage.

    `fixed_share` of the run does not grow with rows; at most half of its transform.
    """
    shares = dict(zip(STAGES, rng.dirichlet([4, 4, 4]), strict=True))
    top = rng.uniform(0.55, 0.75)
    rest = sum(share for stage, share in shares.items() if stage != slowest_stage)
    shares = {stage: share / rest * (1 - top) for stage, share in shares.items()}
    shares[slowest_stage] = top
    fixed = min(fixed_share, 0.5 * shares["transform"]) * run_seconds
    base = engine("spark_warm")
    batch = replace(base, start_up_seconds=0.0, overhead_seconds=0.0)
    nodes = int(rng.integers(1, 9))
    rate = nodes * batch.slots_per_node * batch.events_per_second_per_slot
    seconds = {stage: share * run_seconds for stage, share in shares.items()}
    work = Workload(
        "generated",
        events_per_day=rows,
        work_per_event=(seconds["transform"] - fixed) * rate / rows,
        source_events_per_second=rows / seconds["read"],
        sink_events_per_second=rows / seconds["write"],
        fixed_seconds_incremental=fixed,
    )
    return Design(work, batch, Rhythm.BATCH, Cadence.every("1 h"), nodes=nodes)


def odd_runs(rng: np.random.Generator, rows: np.ndarray, first: str, last: str) -> np.ndarray:
    """Rows that arrive, when the first run loads what had waited or the ends bring little."""
    arrived = rows.copy()
    if first != "usual":
        arrived[0] *= rng.uniform(4, 8) if first == "heavy" else rng.uniform(0.1, 0.3)
    if last == "light":  # a holiday, or a delivery that came in part
        arrived[-1] *= rng.uniform(0.1, 0.3)
    return np.maximum(np.rint(arrived), 1.0)


def table(
    rng: np.random.Generator,
    *,
    starts: pd.Series,
    stages: pd.DataFrame,
    rows_new: np.ndarray,
    rows_read: np.ndarray,
    cost_usd: pd.Series,
    state_bytes: np.ndarray,
) -> pd.DataFrame:
    """A run history with the columns of `data.order_runs`, state_bytes, and pages at random."""
    took = stages.sum(axis=1)
    paged = rng.random(len(starts)) < rng.uniform(0, 0.5)
    return pd.DataFrame(
        {
            "start": starts,
            "end": starts + pd.to_timedelta(took, unit="s").astype("timedelta64[us]"),
            "rows_new": rows_new.astype("int64"),
            "rows_read": np.maximum(rows_read, 1).astype("int64"),
            "rows_written": (rows_new * rng.choice([1.0, 1e-3])).astype("int64"),
            "read_seconds": stages["read"],
            "transform_seconds": stages["transform"],
            "write_seconds": stages["write"],
            "cost_usd": cost_usd,
            "pages": paged.astype("int64"),
            "state_bytes": state_bytes,
        }
    )
