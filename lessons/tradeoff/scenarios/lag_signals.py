"""Which state a consumer of a queue is in, from samples of its offsets alone."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

STATES = ("healthy", "slow", "dead", "catching up", "idle")
LEAST_SAMPLES = 5


def verdicts(
    samples: pd.DataFrame,
    since_seconds: float,
    until_seconds: float,
    tolerance: float = 0.15,
) -> pd.DataFrame:
    """The state of each consumer in a window of time: one row a consumer.

    `samples` has the columns consumer, seconds, end_offset (the newest event's), committed_offset
    and lag (their difference), in order of time.

    Slopes are least squares over the samples in the window: arrivals_per_second (of the end
    offset), commits_per_second (of the committed offset), lag_per_second. Then

    =========== ==================================================================
    dead        events wait and nothing was committed in the whole window
    slow        it commits, and lag grows by more than `tolerance` of arrivals
    catching up lag shrinks by more than that
    healthy     it commits about as fast as events arrive, whatever its lag
    idle        nothing waits and nothing arrived
    =========== ==================================================================

    The window must be several times a consumer's usual time between commits: within one such
    time a slow consumer cannot be told from a dead one. Raises ValueError for fewer than five
    samples of a consumer in the window, or a tolerance outside 0 to 1.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must be between 0 and 1, got {tolerance!r}")
    inside = samples[samples["seconds"].between(since_seconds, until_seconds)]
    return pd.DataFrame(
        [
            _verdict(name, inside[inside["consumer"] == name], tolerance)
            for name in dict.fromkeys(samples["consumer"])
        ]
    ).set_index("consumer")


def _verdict(name: str, seen: pd.DataFrame, tolerance: float) -> dict[str, object]:
    if len(seen) < LEAST_SAMPLES:
        raise ValueError(
            f"the window must hold {LEAST_SAMPLES} samples of {name!r} or more, got {len(seen)}"
        )
    arrivals, commits, growth = _slopes(
        seen["seconds"], (seen["end_offset"], seen["committed_offset"], seen["lag"])
    )
    lag, committed = int(seen["lag"].iloc[-1]), seen["committed_offset"]
    waiting = bool((seen["lag"] > 0).all())
    if waiting and committed.iloc[0] == committed.iloc[-1]:
        state = "dead"
    elif arrivals == 0 and commits == 0:
        state = "idle"
    elif growth > tolerance * max(arrivals, commits):
        state = "slow"
    elif growth < -tolerance * max(arrivals, commits):
        state = "catching up"
    else:
        state = "healthy"
    return {
        "consumer": name,
        "arrivals_per_second": arrivals,
        "commits_per_second": commits,
        "lag_per_second": growth,
        "lag": lag,
        "state": state,
    }


def _slopes(seconds: pd.Series, columns: Iterable[pd.Series]) -> list[float]:
    """Least-squares slopes; exactly 0 for a column that does not move."""
    from_mean = seconds.to_numpy(float) - seconds.mean()
    spread = float((from_mean**2).sum())
    if spread == 0:
        raise ValueError("the samples of the window must differ in time")
    return [
        float((from_mean * (column.to_numpy(float) - column.iloc[0])).sum() / spread)
        for column in columns
    ]
