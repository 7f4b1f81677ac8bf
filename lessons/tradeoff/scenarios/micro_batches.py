"""Micro-batch loops to predict, price and judge, each built outwards from its answer.

A batch takes ``overhead_seconds + seconds_per_event × its events``. A loop is drawn by its period
(from one batch's start to the next) and its run; the arguments that lead there follow from them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

HOUR, DAY = 3_600.0, 86_400.0
FITS, OVERRUNS, ASAP, BEHIND = "fits", "overruns", "as soon as possible", "falls behind"
LOOPS = FITS, OVERRUNS, ASAP, BEHIND
ALWAYS_ON, BUSY = "always on", "busy seconds"
RHYTHMS = STREAMING, MICRO_BATCH, HOURLY = "streaming", "micro-batch", "hourly batch"
TRIGGERS = WAITS, PEAK, ALL_SERVE, BELOW, TOO_MUCH = (
    "the run decides",
    "the busiest hour decides",
    "every interval serves",
    "below what the overhead allows",
    "falls behind in the busiest hour",
)
WISHES = {"real time": STREAMING, "every few minutes": MICRO_BATCH, "once an hour": HOURLY}
EFFECTS = "none", "a mail for each event", "an upsert by key"
TOGETHER, RESULT_FIRST, OFFSET_FIRST = "one transaction", "result first", "offset first"
COMMITS = TOGETHER, RESULT_FIRST, OFFSET_FIRST


def significant(value: float, digits: int = 4) -> float:
    """Rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


@dataclass(frozen=True)
class Loop:
    """A trigger with its batches; `period` and `run` in seconds are None when it falls behind.

    `share`: seconds of event work that arrive in a second.
    """

    kind: str
    interval_seconds: float | None
    overhead_seconds: float
    share: float
    events_per_second: float
    period: float | None = None
    run: float | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "interval_seconds": self.interval_seconds,
            "overhead_seconds": self.overhead_seconds,
            "seconds_per_event": significant(self.share / self.events_per_second, 6),
            "events_per_second": self.events_per_second,
        }


def loop_of(kind: str, period: float, share: float, slack: float, rate: float) -> Loop:
    """A loop of that period.

    `slack`: of a loop that fits, the part of the time its events leave that its overhead takes; of
    one that overruns, interval over period; of one that falls behind, overhead over interval.
    """
    if kind == BEHIND:
        return Loop(kind, significant(period), significant(slack * period), share, rate)
    if kind == FITS:
        overhead = significant(slack * (1 - share) * period)
        return Loop(kind, period, overhead, share, rate, period, overhead + share * period)
    interval = None if kind == ASAP else significant(slack * period)
    return Loop(kind, interval, significant((1 - share) * period, 6), share, rate, period, period)


def loop(rng: np.random.Generator, kind: str) -> Loop:
    """A drawn loop of one of `LOOPS`; without a trigger it may turn in a twentieth of a second."""
    share = rng.uniform(1.05, 2.0) if kind == BEHIND else rng.uniform(0.1, 0.8)
    slack = rng.uniform(0.2, 0.8)
    if kind == FITS:
        slack = rng.uniform(0.4, 0.95)
    shortest, longest = (0.05, 300) if kind == ASAP else (2, 1_200)
    period = significant(log_uniform(rng, shortest, longest))
    return loop_of(kind, period, float(share), float(slack), significant(log_uniform(rng, 5, 5e4)))


@dataclass(frozen=True)
class Choice:
    """A consumer, intervals on offer, and the largest that serves (None: none does)."""

    kind: str
    arguments: dict[str, Any]
    truth: float | None


def day(rng: np.random.Generator, peak_per_second: float, ratio: float) -> list[int]:
    """Events in each hour of a day whose busiest hour has `ratio` times its quietest."""
    hours = np.arange(24)
    away = np.minimum((hours - rng.integers(24)) % 24, (rng.integers(24) - hours) % 24)
    shape = 1 / ratio + (1 - 1 / ratio) * np.exp(-((away / 3.0) ** 2))
    shape = shape / shape.max()
    return [int(round(events)) for events in shape * peak_per_second * HOUR]


def choice(rng: np.random.Generator, kind: str) -> Choice:
    """A drawn choice of one of `TRIGGERS`; the tolerance is 3 % away from any other answer."""
    while True:
        peak = log_uniform(rng, 0.5, 2e4)
        events = day(rng, peak, rng.uniform(3, 8))
        busiest, mean = max(events) / HOUR, sum(events) / DAY
        share = float(rng.uniform(1.05, 1.3) if kind == TOO_MUCH else rng.uniform(0.3, 0.8))
        quiet = share * mean / busiest
        best = significant(log_uniform(rng, 4, 900), 3)
        larger = significant(best * rng.uniform(1.2, 1.9), 3)
        left = (1 - (quiet if kind == TOO_MUCH else share)) * best
        overhead = significant(left * rng.uniform(0.2, 0.9), 3)
        smaller = [significant(best * rng.uniform(0.1, 0.8), 3) for _ in range(rng.integers(1, 4))]
        beyond = [significant(larger * rng.uniform(1.2, 3), 3) for _ in range(rng.integers(0, 3))]

        def worst(interval: float, work: float, overhead: float = overhead) -> float:
            return interval * (1 + work) + overhead

        low, high = worst(best, share) * 1.03, worst(larger, share) * 0.97
        truth = None if kind in (BELOW, TOO_MUCH) else best
        offered = [*smaller, best, larger, *beyond]
        if kind == WAITS:
            low = max(low, larger * 1.01)
        elif kind == PEAK:
            low = max(low, worst(larger, quiet) * 1.03)
        elif kind == ALL_SERVE:
            high, offered = 3 * low, [*smaller, best]
        elif kind == BELOW:
            # The first interval that the loop could keep, and one far below it.
            settled = overhead / (1 - share)
            low, high = 1.3 * settled, 0.97 * 2 * settled
            offered = [significant(settled * part, 3) for part in (rng.uniform(0.1, 0.3), 0.6, 1.1)]
            offered += [significant(settled * rng.uniform(2, 5), 3)]
        else:
            low, high = worst(best, quiet) * 1.03, worst(larger, quiet)
        if low < high and len(set(offered)) == len(offered):
            break
    given = {
        "tolerance_seconds": significant(rng.uniform(low, high)),
        "intervals": [offered[i] for i in rng.permutation(len(offered))],
        "overhead_seconds": overhead,
        "seconds_per_event": significant(share / busiest, 6),
        "events_per_hour": events,
    }
    return Choice(kind, given, truth)


@dataclass(frozen=True)
class Situation:
    kind: str
    facts: dict[str, Any]
    rhythm: str


def situation_of(
    kind: str, rhythm: str, need: float, facts: dict[str, Any], share: float
) -> Situation:
    rate = facts["events_per_second"]
    known = {"freshness_seconds": need, "seconds_per_event": significant(share / rate, 6)}
    return Situation(kind, {**known, **facts}, rhythm)


FLOOR, TWO_RUNS, SNAPSHOT, REACHED, HOUR_AND_RUN, HOURS = (
    "fresher than one batch allows",
    "fresher than a wait and a batch allow",
    "fresher than the snapshots allow",
    "a micro-batch is fresh enough",
    "an hour, and the run comes on top",
    "an hourly batch is fresh enough",
)
SITUATIONS = {
    **dict.fromkeys((FLOOR, TWO_RUNS, SNAPSHOT), STREAMING),
    **dict.fromkeys((REACHED, HOUR_AND_RUN), MICRO_BATCH),
    HOURS: HOURLY,
}


def situation(rng: np.random.Generator, kind: str) -> Situation:
    """A drawn situation of one of `SITUATIONS`; its need is 5 % or more from another answer."""
    while True:
        share = float(rng.uniform(0.1, 0.8))
        overhead = significant(log_uniform(rng, 0.05, 60), 3)
        written = significant(log_uniform(rng, 1e8, 5e9), 3)
        snapshot = 0.0
        if kind == SNAPSHOT or rng.random() < 0.6:
            snapshot = overhead * rng.uniform(1, 15)
        state_bytes = significant(snapshot * written)
        fixed = overhead + state_bytes / written
        period, hourly = fixed / (1 - share), HOUR + fixed + share * HOUR
        if kind == FLOOR:
            need = period * rng.uniform(0.15, 0.9)
        elif kind == TWO_RUNS:
            need = period * rng.uniform(1.1, 1.85)
        elif kind == SNAPSHOT:
            need = 2 * overhead / (1 - share) * rng.uniform(1.1, 1.8)
        elif kind == REACHED:
            need = 2 * period * rng.uniform(1.1, 5)
        elif kind == HOUR_AND_RUN:
            need = max(HOUR * 0.98, hourly * rng.uniform(0.75, 0.95))
        else:
            need = hourly * rng.uniform(1.05, 1.3)
        floor = 2 * period
        sound = need < 0.95 * floor if SITUATIONS[kind] == STREAMING else need > 1.05 * floor
        if sound and period < 0.4 * HOUR and (kind != REACHED or need < 3_400):
            break
    facts = {
        "overhead_seconds": overhead,
        "events_per_second": significant(log_uniform(rng, 1, 5e4)),
        "state_bytes": state_bytes,
        "snapshot_bytes_per_second": written,
        "asks_for": str(rng.choice(list(WISHES))),
        "side_effects": str(rng.choice(EFFECTS)),
        "team_knows": str(rng.choice(["Spark", "Flink", "SQL"])),
    }
    return situation_of(kind, SITUATIONS[kind], significant(need), facts, share)


@dataclass
class BatchLog:
    """A loop that is killed now and then, writing its log; it keeps what happened to each order."""

    commit: str
    first: int
    attempts: list[dict[str, Any]] = field(default_factory=list)
    counted: Counter[int] = field(default_factory=Counter)
    mailed: Counter[int] = field(default_factory=Counter)
    arrived: int = 0

    def attempt(self, orders: int, mails: int | None = None, commits: int = 2) -> None:
        """A batch of so many orders; killed after so many mails, or after one commit of two.

        A batch never holds less than one that died before it did.
        """
        last = max(self.first + orders - 1, self.arrived)
        self.arrived = last
        held = range(self.first, last + 1)
        sent = len(held)
        if mails is not None:
            sent, commits = min(mails, len(held)), 0
        if self.commit == TOGETHER:
            written = saved = commits == 2
        else:
            ahead, behind = commits >= 1, commits == 2
            written, saved = (ahead, behind) if self.commit == RESULT_FIRST else (behind, ahead)
        row = {"attempt": len(self.attempts) + 1, "first_order": self.first, "last_order": last}
        row |= {"mailed": sent, "result_written": written, "offset_saved": saved}
        self.attempts.append(row)
        self.mailed.update(held[:sent])
        if written:
            self.counted.update(held)
        if saved:
            self.first = last + 1

    @property
    def table(self) -> pd.DataFrame:
        return pd.DataFrame(self.attempts)

    @property
    def killed(self) -> int:
        return sum(not (row["result_written"] and row["offset_saved"]) for row in self.attempts)

    def truth(self, keyed: bool) -> dict[str, list[int]]:
        """What happened, where the mail sink drops an order it has seen (`keyed`) or does not."""
        begin = self.attempts[0]["first_order"]
        ids = range(begin, self.arrived + 1)
        return {
            "lost": [order for order in ids if self.counted[order] == 0],
            "counted_twice": [order for order in ids if self.counted[order] > 1],
            "mailed_twice": [order for order in ids if self.mailed[order] > 1 and not keyed],
        }


def batch_log(rng: np.random.Generator, commit: str) -> BatchLog:
    """A drawn log with one to three deaths; its last batch is whole."""
    log = BatchLog(commit, first=int(rng.integers(100, 900)))
    deaths = int(rng.integers(1, 4))
    for _ in range(deaths):
        for _ in range(rng.integers(0, 3)):
            log.attempt(int(rng.integers(3, 8)))
        orders = int(rng.integers(3, 8))
        if rng.random() < 0.5:
            log.attempt(orders, mails=int(rng.integers(0, orders + 1)))
        else:
            log.attempt(orders, commits=1)
    for _ in range(rng.integers(1, 3)):
        log.attempt(int(rng.integers(3, 8)))
    return log
