"""What an interview's pipeline is and must do: the part of a case that the model computes with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tradeoff.interview.mocks.truth.board import Sketch, Span
from tradeoff.model import Consumer, Engine, Workload
from tradeoff.model import engine as engine_of
from tradeoff.model.quantities import DAY_SECONDS

NO_LIMIT = 1e9  # USD a day: a budget that stops nothing


@dataclass(frozen=True)
class Problem:
    """A pipeline as it runs today, who reads it, and its limits.

    Attributes
    ----------
    work : the whole workload; a path for some consumers carries the share that they need.
    today : the one path there is.
    engines : names of what the platform offers.
    budget_usd_per_day : what all paths together may cost.
    start_hour : o'clock of the first run of a day, for intervals above an hour.
    run_window_hours : the longest a daily run may take; runs that are more frequent start clusters
        outside the window and have only the next trigger as their limit.
    late_seconds : how late an event may come and must still count; what a watermark must hold.
    side_effects : whether each event has an effect outside (a payment, a message): a rerun repeats
        it unless the sink is idempotent.
    """

    work: Workload
    consumers: tuple[Consumer, ...]
    today: Sketch
    engines: tuple[str, ...]
    budget_usd_per_day: float
    start_hour: int = 0
    run_window_hours: float | None = None
    late_seconds: float | None = None
    side_effects: bool = False

    def but(self, **changes: Any) -> Problem:
        """This problem with some fields changed; `events_per_day` reaches into the workload."""
        if "events_per_day" in changes:
            changes["work"] = self.work.at(changes.pop("events_per_day"))
        return replace(self, **changes)

    def engine(self, name: str) -> Engine:
        """An engine on offer. Raises ValueError for another."""
        if name not in self.engines:
            raise ValueError(f"engine must be one of {', '.join(self.engines)}, got {name!r}")
        return engine_of(name)

    def window_of(self, interval_seconds: Span) -> float | None:
        """The run window of a path at this interval."""
        daily = interval_seconds is not None and interval_seconds >= DAY_SECONDS
        return self.run_window_hours if daily else None

    @property
    def names(self) -> tuple[str, ...]:
        """The consumers' names."""
        return tuple(one.name for one in self.consumers)
