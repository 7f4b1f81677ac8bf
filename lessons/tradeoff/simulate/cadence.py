"""When work on the events starts and ends: a loop of batches, or a queue."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tradeoff.model import Design
from tradeoff.model.columns import columns_of
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS
from tradeoff.model.timing import fixed_per_run, seconds_per_event

MOST_TRIGGERS = 5_000_000


@dataclass(frozen=True)
class Loop:
    """When batches start and how long they take, in seconds.

    `interval` is 0 without a trigger. `span` is the most history one run can cover: all of it for
    an incremental run, whose `each` is the time an arrival adds.
    """

    begin: float
    interval: float
    fixed: float
    each: float
    span: float

    @classmethod
    def of(cls, design: Design, events_per_arrival: int) -> Loop:
        columns = columns_of([design])
        each, fixed = seconds_per_event(columns).item(), fixed_per_run(columns).item()
        interval = design.cadence.interval_seconds
        # Nothing is left over at the trigger before the first one from midnight on.
        begin = design.start_hour * HOUR_SECONDS % interval - interval if interval else 0.0
        if design.incremental:
            return cls(begin, interval, fixed, each * events_per_arrival, math.inf)
        days = design.workload.full_read_days
        read = fixed + days * design.workload.events_per_day * each
        return cls(begin, interval, read, 0.0, max(interval, days * DAY_SECONDS))

    def run(self, chunks: Iterable[np.ndarray], until: float) -> np.ndarray:
        """Batches until all that arrived before `until` is taken.

        Shape (batches, 5): trigger, start, end, read-until, arrivals taken.
        """
        if self.interval and (until - self.begin) / self.interval > MOST_TRIGGERS:
            raise ValueError(
                f"a simulation takes at most {MOST_TRIGGERS:,} triggers: "
                f"interval_seconds of {self.interval:g} is too short for it"
            )
        rows, line = [], _Line(chunks)
        taken, turn, free, covered = 0, 1, self.begin, self.begin
        while covered < until:
            if self.interval:
                trigger = self.begin + turn * self.interval
                start = max(trigger, free)
                late = int((start - self.begin) // self.interval) if start > trigger else turn
                turn = max(turn, late) + 1
            else:
                trigger, start = math.nan, max(free, line.arrival(taken))
                if start == math.inf:
                    break
            covered = min(start, covered + self.span)
            arrived = line.arrived(covered)
            free = start + self.fixed + (arrived - taken) * self.each
            rows.append((trigger, start, free, covered, arrived - taken))
            taken = arrived
        return np.array(rows).reshape(-1, 5)


class _Line:
    """Arrivals as a line that is only walked forward, one chunk in hand."""

    def __init__(self, chunks: Iterable[np.ndarray]) -> None:
        self._chunks = iter(chunks)
        self._chunk = np.empty(0)
        self._before = 0

    def _next(self) -> bool:
        following = next(self._chunks, None)
        if following is None:
            return False
        self._before += len(self._chunk)
        self._chunk = following
        return True

    def arrived(self, time: float) -> int:
        """Arrivals up to and at `time`, which never decreases from call to call."""
        while (not len(self._chunk) or self._chunk[-1] <= time) and self._next():
            pass
        return self._before + int(self._chunk.searchsorted(time, "right"))

    def arrival(self, number: int) -> float:
        """Time of an arrival (0 is the first) not before the chunk in hand; inf after the last."""
        while number >= self._before + len(self._chunk):
            if not self._next():
                return math.inf
        return float(self._chunk[number - self._before])


class Queue:
    """First come, first served, by Lindley's recursion over whole chunks.

    The k-th event starts when it has arrived and the server is free. With C the summed service
    before it, start - C is the running maximum of arrival - C: one cumulative sum and one running
    maximum replace the loop over events. With several servers and one service time for all, the
    events go round the servers in turn, so each server is a queue of its own (a column here).
    """

    def __init__(self, each: float, servers: int | None, draw: np.random.Generator) -> None:
        self._each, self._draw = each, draw
        self._random = servers is None
        self.servers = servers or 1
        self._free = np.full(self.servers, -math.inf)  # next server first

    def serve(self, arrivals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When each event's service starts, and ends."""
        rounds = -(-len(arrivals) // self.servers)
        arrived = np.full(rounds * self.servers, math.inf)
        arrived[: len(arrivals)] = arrivals
        if self._random:
            took = self._draw.standard_exponential((rounds, 1)) * self._each
        else:
            took = np.full((rounds, 1), self._each * self.servers)
        before = np.cumsum(took, axis=0) - took
        slack = arrived.reshape(rounds, self.servers) - before
        np.maximum(slack[0], self._free, out=slack[0])
        starts = (np.maximum.accumulate(slack, axis=0) + before).ravel()[: len(arrivals)]
        ends = starts + np.broadcast_to(took, slack.shape).ravel()[: len(arrivals)]
        self._free = np.concatenate([self._free, ends])[-self.servers :]
        return starts, ends
