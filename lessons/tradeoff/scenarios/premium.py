"""One workload nightly, hourly, as a micro-batch and as a stream: what each bill is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from tradeoff.model import (
    Billing,
    Cadence,
    Design,
    Evaluation,
    Rhythm,
    State,
    Workload,
    cluster,
    engine,
    evaluate,
    sized,
    tornado,
    workload,
)
from tradeoff.model.quantities import check

NIGHTLY, HOURLY, MICRO_BATCH, STREAMING = "nightly", "hourly", "micro-batch", "streaming"
RHYTHMS = (NIGHTLY, HOURLY, MICRO_BATCH, STREAMING)
CLUSTER_NODES = 4  # of a workload whose cluster the text does not give
# A start-up (190 s a run) and a volume that make the four rows of the text's cost table: a run is
# fixed work plus events, so 40 min for a day and 5 min for an hour have one solution (C12).
TABLE_EVENTS_PER_DAY, TABLE_START_UP_SECONDS = 154e6, 190.0


def counts_per_user(users: float) -> State:
    """The text's state: 100 numbers of 8 bytes a user, over seven days. See `State`."""
    kept = workload("billion").state
    assert kept is not None
    return replace(kept, keys=users)


def designs(
    work: Workload,
    *,
    nodes: int | None = None,
    node_usd_per_hour: float | None = None,
    operations_usd_per_day: float | None = None,
    start_up_seconds: float | None = None,
    trigger: str = "1 min",
) -> dict[str, Design]:
    """The four designs of `RHYTHMS` by name, for one workload.

    Nightly reads the day whole and hourly what is new, each on a cluster started for the run; the
    micro-batch and the stream are always on and read a change stream, whose source sets no limit.

    Parameters
    ----------
    nodes : of each design; None: the micro-batch and the stream are sized for their peak, a batch
        has its cluster in the text (or four nodes), or more if its runs need them. A design that no
        number of nodes serves keeps its least; `Evaluation.keeps_up` says so.
    node_usd_per_hour, operations_usd_per_day, start_up_seconds : in place of the catalogue's; the
        operations are those of a batch (a micro-batch costs 1.25 times that, a stream twice), the
        start-up is that of a cluster for one run.
    trigger : interval of the micro-batch.

    Raises ValueError for numbers that the model does not take.
    """
    prices: dict[str, Any] = {
        name: value
        for name, value in (
            ("node_usd_per_hour", node_usd_per_hour),
            ("operations_usd_per_day", operations_usd_per_day),
        )
        if value is not None
    }
    started: dict[str, Any] = (
        {} if start_up_seconds is None else {"start_up_seconds": start_up_seconds}
    )
    batch = replace(engine("spark_ephemeral"), **prices, **started)
    changes = work.at(work.events_per_day, source_events_per_second=None)
    small = replace(engine("spark_streaming"), **prices)
    stream = replace(engine("flink"), **prices)
    drawn = {
        NIGHTLY: Design(work, batch, Rhythm.BATCH, Cadence.every("24 h"), incremental=False),
        HOURLY: Design(work, batch, Rhythm.BATCH, Cadence.every("1 h")),
        MICRO_BATCH: Design(changes, small, Rhythm.MICRO_BATCH, Cadence.every(trigger)),
        STREAMING: Design(changes, stream, Rhythm.STREAMING, Cadence.per_event()),
    }
    if nodes is not None:
        check("nodes", nodes)
        return {name: design.but(nodes=nodes, name=name) for name, design in drawn.items()}
    return {name: _sized(design).but(name=name) for name, design in drawn.items()}


def _sized(design: Design) -> Design:
    """For the peak; a batch at least on the workload's cluster, a stream at its engine's least."""
    least = int(design.engine.minimum_nodes)
    if design.engine.billing is not Billing.ALWAYS_ON:
        try:
            least = cluster(design.workload.name)
        except KeyError:
            least = CLUSTER_NODES
    try:
        return design.but(nodes=max(sized(design).nodes, least))
    except ValueError:  # nodes do not help: the caller sees that it does not keep up
        return design.but(nodes=least)


def table_designs() -> dict[str, Design]:
    """The four designs whose runs and nodes are those of the text's cost table (C12)."""
    work = workload("clicks").at(TABLE_EVENTS_PER_DAY)
    made = designs(work, nodes=4, start_up_seconds=TABLE_START_UP_SECONDS)
    stream = made[STREAMING]
    counting = stream.workload.at(TABLE_EVENTS_PER_DAY, state=counts_per_user(1e6))
    return {**made, STREAMING: stream.but(workload=counting)}


def premium(fast: Evaluation, slow: Evaluation) -> float:
    """USD a day that the faster design costs more than the slower one."""
    return float(fast.cost_usd_per_day - slow.cost_usd_per_day)


def premium_swings(fast: Design, slow: Design) -> pd.DataFrame:
    """`tornado` of the premium: both designs see each constant at its low and high together.

    Columns as `tornado`'s: constant, unit, low, high, at_low, at_high, mid, swing (USD a day).
    Nodes stay as bought: a constant that would ask for more of them shows in the peak's load.
    """
    swings = [
        {row["constant"]: row for row in tornado(design).to_dict("records")}
        for design in (fast, slow)
    ]
    mids = [evaluate(design).cost_usd_per_day for design in (fast, slow)]
    mid = mids[0] - mids[1]
    rows = []
    for constant in sorted({*swings[0], *swings[1]}):
        known = next(rows_of[constant] for rows_of in swings if constant in rows_of)
        # A constant that does not move a design leaves its bill where it is.
        bills = [rows_of.get(constant, {}) for rows_of in swings]
        low, high = (
            bills[0].get(end, mids[0]) - bills[1].get(end, mids[1]) for end in ("at_low", "at_high")
        )
        rows.append(
            {
                "constant": constant,
                **{name: known[name] for name in ("unit", "low", "high")},
                **{"at_low": low, "at_high": high, "mid": mid},
                "swing": max(low, high, mid) - min(low, high, mid),
            }
        )
    columns = ["constant", "unit", "low", "high", "at_low", "at_high", "mid", "swing"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("swing", ascending=False, ignore_index=True, kind="stable")
