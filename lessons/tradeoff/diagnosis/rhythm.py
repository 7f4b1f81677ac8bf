"""Two faults that a typical run does not show: a peak that does not fit, a stream nobody needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeoff.diagnosis import robust
from tradeoff.diagnosis.options import Option, Workshop
from tradeoff.diagnosis.questions import (
    BORDERLINE,
    CAN_T_TELL,
    DAY_HOURS,
    Check,
    Finding,
    Limits,
    Then,
    clock,
    spikes,
)
from tradeoff.diagnosis.robust import Estimate
from tradeoff.model import words

CYCLES = 7  # runs of an hour of the day, the last ones, by which that hour is known
LATELY = 3  # of them, the last ones must agree
# What a stream costs over a batch that serves everyone: from the first on nobody needs the stream,
# up to the second nothing is gained by the batch, in between the model's prices do not decide.
NOT_NEEDED, NEEDED = 2.0, 1.25

PEAK = "Under-provisioned at the peak?"
STREAM = "Streaming that nobody needs?"


@dataclass(frozen=True)
class Busiest:
    """The hour of the day whose runs take longest: o'clock, their hours, and those of late."""

    hour: float
    hours: Estimate
    lately: float

    def against(self, window: float) -> str:
        """`below`, `above` or `borderline`, as `Estimate.against`."""
        side = self.hours.against(window)
        # What was mended within the week still weighs in the median of the week.
        return "borderline" if side == "above" and self.lately <= window else side


def busiest(then: Then, limits: Limits) -> Busiest | None:
    """The busiest hour of the day; None unless runs are due more than once a day, for a week.

    None as well where an hour that is not known yet seems to be busier, and the busiest of those
    known fits: the last day of a week makes some hours known before others.
    """
    if limits.interval_hours > DAY_HOURS / 2:
        return None
    runs = then.runs
    slots = np.floor(runs["hour"].to_numpy() / limits.interval_hours + 1e-9)
    hours = runs["seconds"].to_numpy() / 3600
    found, unknown = [], [0.0]
    for slot in np.unique(slots):
        last = hours[slots == slot][-CYCLES:]
        known = robust.median(last) if len(last) == CYCLES else None
        if known is not None:
            o_clock = float(slot * limits.interval_hours)
            found.append(Busiest(o_clock, known, float(np.median(last[-LATELY:]))))
        elif len(last) >= LATELY:  # fewer are a rerun at an odd hour
            unknown.append(float(np.median(last)))
    top = max(found, key=lambda one: one.hours.mid, default=None)
    if top is None or top.against(limits.run_window_hours) == "above":
        return top
    return top if top.hours.mid >= max(unknown) else None


def peak(then: Then, limits: Limits, found: Busiest | None) -> Finding:
    """Whether runs of the busiest hour miss a window that typical ones meet."""
    window = limits.run_window_hours
    if then.hours_now is None:
        return Finding(PEAK, CAN_T_TELL, "Too few runs to know a typical one.")
    if limits.interval_hours > DAY_HOURS / 2:
        return Finding(PEAK, "no", "It runs once a day: no hour is busier than another.")
    if found is None:
        few = f"An hour is known by {CYCLES} runs of it, and the busiest here has fewer."
        return Finding(PEAK, CAN_T_TELL, few)
    figures = {"busiest_hour": found.hour, "busiest_run_hours": found.hours.mid}
    said = (
        f"A run at {clock(found.hour)}, the busiest, takes {_hours(found.hours.mid)} of its "
        f"{_hours(window)}, a typical one {_hours(then.hours_now.mid)}"
    )
    if then.hours_now.against(window) == "above":
        return Finding(PEAK, "no", f"{said}: it is not the peak alone.", figures)
    side = found.against(window)
    if side == "above":
        said += ": the cluster is sized for the mean and not for the peak"
        return Finding(PEAK, "yes", f"{said}.", figures)
    if side == "borderline":
        return Finding(PEAK, BORDERLINE, f"{said}: too close to call.", figures)
    return Finding(PEAK, "no", f"{said}.", figures)


def at_the_peak(typical: Check, finding: Finding, then: Then, limits: Limits) -> Check:
    """Throughput against its limit: where typical runs fit, the busiest hour's decide."""
    if typical.side != "below" or finding.verdict == "no":
        return typical
    if finding.verdict == CAN_T_TELL:
        waited = then.runs["start"].diff() > pd.Timedelta(hours=1.5 * limits.interval_hours)
        odd = spikes(then.runs) | waited.to_numpy()  # a run after a missed one carries both
        usual = then.recent[~odd[-len(then.recent) :]]
        late = float((usual["seconds"] > limits.run_window_hours * 3600).mean())
        if not late:
            return typical
        few = "the history is too short to tell a busy hour from chance"
        return Check(CAN_T_TELL, f"typical runs fit, {late:.0%} of recent ones did not, and {few}")
    run, window = finding.figures["busiest_run_hours"], limits.run_window_hours
    says = f"the run at {clock(finding.figures['busiest_hour'])} takes {_hours(run)} of its "
    side = "above" if finding.verdict == "yes" else BORDERLINE
    return Check(side, f"{says}{_hours(window)}", run / window)


def needed(workshop: Workshop | None, limits: Limits, named: bool) -> tuple[Finding, Option | None]:
    """Whether a cluster that never sleeps serves a need, and the batch that would serve it too.

    The batch is the cheapest on a cluster that is started for each run, at any interval.
    """
    if limits.interval_hours >= 1:
        return Finding(STREAM, "no", "It is a batch, not a stream."), None
    if workshop is None:
        return Finding(STREAM, CAN_T_TELL, "The history does not allow to price a batch."), None
    if workshop.fit.always_on is None:
        blind = "Cost does not tell whether its cluster is paid around the clock."
        return Finding(STREAM, CAN_T_TELL, blind), None
    if not workshop.fit.always_on:
        return Finding(STREAM, "no", "It pays for its runs, not around the clock."), None
    if not named:
        return Finding(STREAM, CAN_T_TELL, "Nobody said who reads the result."), None
    batch, today = workshop.batch(), workshop.fit.usd_around_the_clock
    freshest = min(one.freshness_seconds or math.inf for one in workshop.consumers)
    who = next(one for one in workshop.consumers if one.freshness_seconds == freshest)
    needs = f"{who.name} needs rows within {words.duration(freshest)}"
    if batch is None or not batch.serves:
        return Finding(STREAM, "no", f"{needs}, and no batch serves that."), None
    least, likely, most = batch.usd_per_day
    figures = {"usd_per_day": today, "batch_usd_per_day": likely}
    said = f"{needs}. A batch ({batch.how}) serves everyone at {words.usd(likely)} a day, "
    said += f"this costs {words.usd(today)}"
    if today >= NOT_NEEDED * most:
        return Finding(STREAM, "yes", f"{said}.", figures), batch
    if today <= NEEDED * least:
        return Finding(STREAM, "no", f"{said}.", figures), batch
    return Finding(STREAM, BORDERLINE, f"{said}: too close to call.", figures), batch


def not_wasted(cost: Check, finding: Finding) -> Check:
    """Cost against its limit: what nobody needs is beyond it, whatever the budget."""
    if finding.verdict != "yes":
        return cost
    today, batch = finding.figures["usd_per_day"], finding.figures["batch_usd_per_day"]
    says = (
        f"a day costs {words.usd(today)} for a stream that nobody needs, a batch serves everyone "
        f"at {words.usd(batch)}"
    )
    if cost.side == "above":
        says = f"{says}; {cost.says}"
    return Check("above", says, max(today / batch, cost.used or 0.0))


def _hours(hours: float) -> str:
    return words.duration(hours * 3600)
