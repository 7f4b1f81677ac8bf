"""Where the seconds of one run go: read, transform, write."""

from __future__ import annotations

from tradeoff.model.design import Design
from tradeoff.model.quantities import check
from tradeoff.model.rhythm import Rhythm

STAGES = ("read", "transform", "write")


def stage_seconds(design: Design, events: float) -> dict[str, float]:
    """Seconds of a batch run over `events` rows, by stage; their sum is the run's duration.

    Start-up, overhead and fixed work count as transform. Raises ValueError for a stream, which
    runs its stages at the same time.
    """
    if design.rhythm is Rhythm.STREAMING:
        raise ValueError("a stream reads, transforms and writes at once: it has no stages")
    rows = check("events_per_day", events)
    work, engine = design.workload, design.engine
    keeps_state = work.state is not None and design.rhythm is Rhythm.MICRO_BATCH
    slowdown = engine.stateful_slowdown if keeps_state else 1.0
    rate = design.nodes * engine.slots_per_node * engine.events_per_second_per_slot
    fixed = work.fixed_seconds_incremental if design.incremental else work.fixed_seconds
    return {
        "read": rows / work.source_events_per_second if work.source_events_per_second else 0.0,
        "transform": engine.start_up_seconds
        + engine.overhead_seconds
        + fixed
        + rows * work.work_per_event * slowdown / rate,
        "write": rows / work.sink_events_per_second if work.sink_events_per_second else 0.0,
    }
