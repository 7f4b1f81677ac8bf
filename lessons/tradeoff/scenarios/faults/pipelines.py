"""One pipeline of any cause, alone or with others: the generator's front door."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tradeoff.model.stages import STAGES
from tradeoff.scenarios.faults import rhythms
from tradeoff.scenarios.faults.histories import CLOCK, INSIDE, OUTSIDE, History, batch

# What is built for each cause: how runs fit their window, and the trouble besides.
BATCHES: dict[str, tuple[str, tuple[str, ...]]] = {
    "healthy": ("fits", ()),
    "outgrown window": ("outgrown", ()),
    "slower runs": ("slowed", ()),
    "tier mismatch": ("fits", ("latency",)),
    "over budget": ("fits", ("cost",)),
    "state growth": ("fits", ("state",)),
}
PEAK, STREAM = "under-provisioned peak", "unneeded streaming"
CAUSES = (*BATCHES, PEAK, STREAM)
ALSO = ("latency", "cost", "state")
EDGES = (INSIDE, OUTSIDE, CLOCK)
NEEDED_STREAMS = 0.25  # of the healthy ones


def pipeline(
    rng: np.random.Generator,
    cause: str,
    *,
    rereads: bool | None = None,
    slowest_stage: str | None = None,
    also: Collection[str] = (),
    edge: str | None = None,
) -> History:
    """Draw a pipeline with this cause; what is left out is drawn.

    Parameters
    ----------
    cause : one of `CAUSES`.
    rereads : whether runs reread their source; a stream does not.
    slowest_stage : read, transform or write.
    also : further troubles, of latency, cost and state: beside a batch's cause any; beside the
        peak, cost; beside a stream none. The cause is then that of the first dimension that fails,
        in the order throughput, latency, cost, state.
    edge : one of `EDGES`, for batches. `one second inside` is for runs that fit, `one second
        outside` for a window that volume outgrew.

    Raises ValueError for other words and for what does not go together.
    """
    stage = str(rng.choice(STAGES)) if slowest_stage is None else slowest_stage
    for word, allowed in ((cause, CAUSES), (stage, STAGES), *((one, ALSO) for one in also)):
        if word not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, got {word!r}")
    if edge is not None and edge not in EDGES:
        raise ValueError(f"edge must be one of {', '.join(EDGES)}, got {edge!r}")
    plain = rereads is None and not also and edge is None
    streams = cause == STREAM or (cause == "healthy" and plain and rng.random() < NEEDED_STREAMS)
    if streams:
        if rereads or also or edge:
            raise ValueError(f"{cause!r} is a stream: it goes with no rereads, also or edge")
        return rhythms.stream(rng, cause == "healthy", stage)
    again = bool(rng.integers(2)) if rereads is None else rereads
    if cause == PEAK:
        if edge or set(also) - {"cost"}:
            raise ValueError(f"{cause!r} goes with no edge, and also with 'cost' alone")
        return rhythms.peak(rng, again, stage, also)
    fit, troubles = BATCHES[cause]
    if (edge == INSIDE and fit != "fits") or (edge == OUTSIDE and fit != "outgrown"):
        raise ValueError(f"{edge!r} does not go with {cause!r}")
    return batch(rng, fit, again, stage, {*troubles, *also}, edge=edge, finer_tier=True)
