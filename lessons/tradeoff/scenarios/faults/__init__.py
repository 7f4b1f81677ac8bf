"""Pipelines with a known fault: run histories and redesign problems whose truth is constructed.

`pipeline` draws the telemetry of one cause, alone or with others; `history` is the part of it
that the graded exercise uses, and `redesign` draws pipelines to rebuild. Every cause is drawn
apart from every symptom: volume grows in pipelines that fit and in those that do not, long runs
may fit a long window, a pipeline may reread its source and be fine, a stream may be needed, pages
say nothing. So no column alone gives a diagnosis away. Run times come from the model's stages,
bills of streams from its engines, state from its state. The truth is what was put in: nothing is
diagnosed here.

The causes, and by what margin each shows (typical: the median of the last 28 runs; shares are of
the run window):

healthy
    All within limits: a typical run takes at most 0.82, that of the busiest hour included. One in
    four is a stream, and somebody needs it: data within 15 minutes, where no cluster could start.
outgrown window
    Volume grew and runs with it: 1.3 to 1.8 now, at most 0.65 at the volume of then.
slower runs
    Volume is level (within 3 %), and runs became slower one day: 1.3 to 1.8 now, 0.45 to 0.75
    then.
under-provisioned peak
    Runs every hour or half-hour, two weeks of them. Typical ones fit, below 0.75; those of the
    busiest hour of the day take 1.2 to 1.3.
tier mismatch
    A consumer needs a fresher tier than interval and run give: at most 0.65 of the age it gets.
over budget
    A day's runs cost 1.3 to 2.5 times the budget (else at most 0.55).
state growth
    Keys come and none is ever dropped (no window, no watermark): the limit is 3 to 15 days away.
    Else state is level, often at 0.9 to 0.955 of its limit.
unneeded streaming
    Micro-batches on a cluster that never sleeps, and nobody needs data within 8 hours: in the
    model a batch every four hours serves everyone for a third of the bill, or less.

Beside its cause each history has, drawn apart from it: whether runs reread their source (they are
not incremental: they read at least 3 times what is new, else at most 1.15 times; a stream reads
once), its slowest stage, so that it is read-, write- or transform-bound (0.55 of a run or more),
and whether the consumers who share it need different tiers. ``also`` adds further troubles.
``edge`` is one of `EDGES`: a quiet pipeline one second inside or one second outside its window
(equal loads, no noise), or a history through the night in which the clock changes.

All others have noise (3 % of volume, 2 % of a stage), weekends (0.85 to 1.15), one-off spikes
(2.5 to 5 times) or backfills, and batches have missing nights; a batch's first run and its last
are odd ones four times in five, so that neither stands for its time. In between the margins,
where telemetry this noisy cannot tell, nothing is drawn.
"""

from tradeoff.scenarios.faults.consumers import READERS
from tradeoff.scenarios.faults.histories import (
    FITS,
    RECENT,
    RUNS,
    TROUBLES,
    History,
    history,
)
from tradeoff.scenarios.faults.pipelines import CAUSES, EDGES, pipeline
from tradeoff.scenarios.faults.redesigns import MENUS, Redesign, readers_by_tier, redesign

__all__ = [
    "CAUSES",
    "EDGES",
    "FITS",
    "MENUS",
    "READERS",
    "RECENT",
    "RUNS",
    "TROUBLES",
    "History",
    "Redesign",
    "history",
    "pipeline",
    "readers_by_tier",
    "redesign",
]
