"""What could be changed, from the smallest change up, each priced in the model and held to account.

A change is as large as the number of things it touches: the cluster, the schedule, the query, a
second path, the engine. The smallest that serves every consumer is the one to take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.diagnosis.fitted import Fitted
from tradeoff.diagnosis.questions import Limits, unmet
from tradeoff.model import (
    Cadence,
    Consumer,
    Design,
    Engine,
    Evaluation,
    Plan,
    Rhythm,
    Workload,
    evaluate,
    sweep,
    words,
)
from tradeoff.scenarios.search import INTERVALS_SECONDS, cheapest_path, cheapest_plan

MOST_NODES = 32
MOST_SEARCHED = 4  # consumers: there are 15 ways to group four of them
HEADROOM = 1.25  # designs are chosen to serve this many times today's volume
GROWTH = np.geomspace(1.0, 8.0, 49)  # volumes at which a plan's room is looked for
FAST = ("spark_streaming", "flink")
CALLED = {
    "spark_streaming": "Spark micro-batches, always on",
    "spark_warm": "Spark on a warm pool",
    "flink": "Flink, always on",
}

BATCH = "Batch instead of streaming"

# What each change touches; the order is that of the ladder.
CLUSTER, SCHEDULE, QUERY, PATH, ENGINE = "cluster", "schedule", "query", "second path", "engine"


@dataclass(frozen=True)
class Option:
    """One way to change the pipeline.

    Attributes
    ----------
    name : what is done.
    touches : the things it changes; fewer is smaller.
    usd_per_day : what a day costs: the likely figure, least and most over the fit's readings.
    missed : which needs it does not meet, in words; empty when it serves every consumer.
    sure : whether the answer is the same for every reading of the fit.
    paths : cadence and size of each path, in words.
    room : how many times today's volume it still serves (8 stands for 8 or more).
    gives : the need that is missed first beyond that.
    plan : the designs; None for today's pipeline, which was measured and not modelled.
    """

    name: str
    touches: tuple[str, ...]
    usd_per_day: tuple[float, float, float]
    missed: tuple[str, ...]
    paths: tuple[str, ...]
    sure: bool = True
    room: float | None = None
    gives: str = ""
    plan: Plan | None = field(default=None, repr=False)

    @property
    def how(self) -> str:
        """All paths in one line."""
        return "; ".join(self.paths)

    @property
    def serves(self) -> bool:
        """True when every consumer, window and budget is met, whatever the reading."""
        return not self.missed and self.sure


@dataclass(frozen=True)
class Workshop:
    """What the designs are built from: the fitted pipeline, its limits and who reads it."""

    fit: Fitted
    limits: Limits
    consumers: tuple[Consumer, ...]
    start_hour: int

    @property
    def window(self) -> float | None:
        return min(self.limits.run_window_hours, 24.0) if self.limits.window_given else None

    def design(self, fixed_seconds: float, **changes: Any) -> Design:
        """Today's pipeline in the model, with changes."""
        today = self.fit.today(fixed_seconds)
        return Design(
            self.fit.workload(fixed_seconds),
            today,
            Rhythm.BATCH,
            Cadence.every(self.fit.interval_hours * 3600),
            nodes=self.fit.nodes,
            incremental=False,
            consumers=self.consumers,
            start_hour=self.start_hour,
            run_window_hours=self.window,
        ).but(**changes)

    def other(self, name: str) -> Design:
        """All events on another engine, one path."""
        rented = self.fit.offered(name)
        rhythm = rented.rhythms[-1]
        streams = rhythm is Rhythm.STREAMING
        return self.design(
            self.fit.fixed_seconds.mid,
            engine=rented,
            rhythm=rhythm,
            cadence=Cadence.per_event() if streams else Cadence.every("1 min"),
            incremental=True,
            nodes=int(rented.minimum_nodes),
        )

    def engines(self) -> list[Engine]:
        return [self.fit.today(self.fit.fixed_seconds.mid), *map(self.fit.offered, FAST)]

    # --- the rungs --------------------------------------------------------------------------------

    def ladder(self, rereads: bool | None) -> list[Option]:
        """Every kind of change at its best, smallest first."""
        mid, nodes = self.fit.fixed_seconds.mid, self.fit.nodes
        today = self.fit.interval_hours * 3600
        larger = range(nodes + 1, max(MOST_NODES, 4 * nodes) + 1)
        shorter = [each for each in INTERVALS_SECONDS if each < today * 0.99]
        found = [
            self.best("Larger cluster", (CLUSTER,), self.design(mid), nodes=larger),
        ]
        if shorter:
            found.append(
                self.best(
                    "More often, same query",
                    (SCHEDULE,),
                    self.design(mid),
                    interval_seconds=shorter,
                )
            )
        new = self.design(mid, incremental=True)
        if rereads is not False:
            found.append(self.best("Only new rows", (QUERY,), new, nodes=[nodes]))
        if shorter:
            found.append(
                self.best(
                    "More often, only new rows",
                    (SCHEDULE, QUERY),
                    new,
                    nodes=range(nodes, max(MOST_NODES, 4 * nodes) + 1),
                    interval_seconds=shorter,
                )
            )
        if len({one.tier for one in self.consumers}) > 1:
            found.append(self.split())
        small = [each for each in INTERVALS_SECONDS if each <= 3600]
        stream = self.other("flink")
        for name, touches, design, axes in (
            (
                "One micro-batch path",
                (SCHEDULE, QUERY, ENGINE),
                self.other("spark_streaming"),
                {"interval_seconds": small},
            ),
            ("Stream everything", (SCHEDULE, QUERY, ENGINE, "logic"), stream, {}),
        ):
            counts = range(int(design.engine.minimum_nodes), max(MOST_NODES, 4 * nodes) + 1)
            found.append(self.best(name, touches, design, nodes=counts, **axes))
        searched = self.searched()
        known = [one.usd_per_day[1] for one in found if one.serves]
        if searched and searched.usd_per_day[1] < 0.98 * min(known, default=math.inf):
            found.append(searched)
        return found

    def best(self, name: str, touches: tuple[str, ...], design: Design, **axes: Any) -> Option:
        """The cheapest point of the axes that serves with room; else that with fewest misses."""
        frame = sweep(design, **axes)
        grown = sweep(design.but(events_per_day=HEADROOM * self.fit.rows_per_day), **axes)
        misses = self._misses(frame) + self._misses(grown)
        row = int(np.lexsort((frame["cost_usd_per_day"], misses))[0])
        changes: dict[str, Any] = {}
        if "nodes" in axes:
            changes["nodes"] = int(frame["nodes"].to_numpy()[row])
        if "interval_seconds" in axes:
            interval = float(frame["interval_seconds"].to_numpy()[row])
            changes["cadence"] = Cadence.every(interval)
        return self.option(name, touches, Plan(name, [design.but(**changes)]))

    def batch(self) -> Option | None:
        """The cheapest batch on a cluster that is started for each run; None if none serves."""
        started = self.fit.offered("spark_ephemeral")
        found = cheapest_path(self._grown(), self.consumers, [started], self.start_hour)
        if found is None:
            return None
        return self.option(BATCH, (SCHEDULE, CLUSTER), Plan(BATCH, [self._shrunk(found[0])]))

    def split(self) -> Option:
        """Each tier on the cheapest path that serves it, on any engine that is offered."""
        touches = (SCHEDULE, QUERY, PATH)
        paths: list[Design] = []
        for tier in sorted({one.tier for one in self.consumers}):
            group = [one for one in self.consumers if one.tier == tier]
            found = cheapest_path(
                self._grown(), group, self.engines(), self.start_hour, self.window
            )
            if found is None:
                names = " and ".join(one.name for one in group)
                missed = (f"nothing on offer serves {names}",)
                return Option("Split by tier", touches, (math.nan,) * 3, missed, ("no design",))
            paths.append(self._shrunk(found[0]))
        return self.option("Split by tier", touches, Plan("Split by tier", paths))

    def searched(self) -> Option | None:
        """The cheapest of all plans: consumers grouped in every way, on every engine."""
        if not 1 <= len(self.consumers) <= MOST_SEARCHED:
            return None
        found = cheapest_plan(
            self._grown(), self.consumers, self.engines(), self.start_hour, self.window
        )
        if found is None:
            return None
        paths = [self._shrunk(path) for path in found[0].paths]
        touches = (SCHEDULE, QUERY, ENGINE, *([PATH] if len(paths) > 1 else []))
        return self.option("Cheapest by search", touches, Plan("cheapest", paths))

    def _grown(self) -> Workload:
        work = self.fit.workload(self.fit.fixed_seconds.mid)
        return work.at(HEADROOM * work.events_per_day)

    def _shrunk(self, path: Design) -> Design:
        return path.but(events_per_day=path.workload.events_per_day / HEADROOM)

    def _misses(self, frame: pd.DataFrame) -> np.ndarray:
        """How many needs each row of a sweep leaves unmet, far misses before near ones."""
        ratios = [frame["utilisation_peak"].where(~frame["keeps_up"], 0.0) * 10]
        if self.window is not None:
            ratios.append(frame["run_longest_seconds"] / (self.window * 3600))
        if self.limits.budget_usd_per_day is not None:
            ratios.append(frame["cost_usd_per_day"] / self.limits.budget_usd_per_day)
        for one in self.consumers:
            ratios.append(frame["latency_worst_seconds"] / (one.freshness_seconds or math.inf))
            if one.deadline_hour is not None:
                ratios.append(frame["yesterday_complete_hour"] / one.deadline_hour)
        return np.asarray(sum((ratio > 1 + 1e-9).astype(int) for ratio in ratios))

    def option(self, name: str, touches: tuple[str, ...], plan: Plan) -> Option:
        """A plan priced at every reading of the fit, with what it misses and its room."""
        plans = [self._under(plan, fixed) for fixed in self.fit.readings]
        found = [[evaluate(path) for path in each.paths] for each in plans]
        missed = [self._missed(each) for each in found]
        bills = [_bill(each) for each in found]
        room, gives = (None, "") if missed[0] else self._room(plan)
        return Option(
            name,
            touches,
            (min(bills), bills[0], max(bills)),
            tuple(missed[0]),
            tuple(self._how(one, len(found[0]) > 1) for one in found[0]),
            sure=len({bool(each) for each in missed}) == 1,
            room=room,
            gives=gives,
            plan=plan,
        )

    def _under(self, plan: Plan, fixed_seconds: float) -> Plan:
        """The same designs under another reading of what rows do not change."""
        if fixed_seconds == self.fit.fixed_seconds.mid:
            return plan
        whole, today = self.fit.workload(fixed_seconds), self.fit.today(fixed_seconds)
        return Plan(
            plan.name,
            [
                path.but(
                    workload=whole.at(path.workload.events_per_day),
                    engine=today if path.engine.name == today.name else path.engine,
                )
                for path in plan.paths
            ],
        )

    def _missed(self, found: Sequence[Evaluation]) -> list[str]:
        """Needs that the paths leave unmet, each as a figure for what is allowed."""
        missed: list[str] = []
        for one in found:
            if not one.keeps_up:
                missed.append("a backlog left at the day's end")
            window = one.design.run_window_hours
            if window is not None and one.run_longest_seconds > window * 3600 * (1 + 1e-9):
                run = words.duration(one.run_longest_seconds)
                missed.append(f"a run of {run} (window {window:g} h)")
            for consumer in one.design.consumers:
                age, ready = one.latency_worst_seconds / 3600, one.yesterday_complete_hour
                missed += unmet(consumer, age, ready)
            if one.state_grows:
                missed.append("state that grows without end")
        budget, bill = self.limits.budget_usd_per_day, _bill(found)
        if budget is not None and bill > budget * (1 + 1e-9):
            missed.append(f"{words.usd(bill)} a day (budget {words.usd(budget)})")
        return missed

    def _how(self, found: Evaluation, of_several: bool) -> str:
        path = found.design
        said = [CALLED[path.engine.name]] if path.engine.name in CALLED else []
        if path.cadence.kind != "per event":
            said.append(f"every {words.duration(path.cadence.interval_seconds)}")
        if path.rhythm is Rhythm.BATCH and path.incremental:
            said.append("only new rows")
        said.append(f"{path.nodes} node{'s' * (path.nodes > 1)}")
        if path.cadence.kind != "per event":
            longest = found.run_longest_seconds
            over = longest > path.cadence.interval_seconds * (1 + 1e-9) and found.keeps_up
            said.append(f"longest run {words.duration(longest)}")
            if over and not found.rejected:
                said.append("which overruns at the peak and catches up")
        whose = " and ".join(one.name for one in path.consumers)
        return (f"{whose}: " if of_several else "") + ", ".join(said)

    def _room(self, plan: Plan) -> tuple[float, str]:
        """How many times today's volume the plan serves, on the grid of `GROWTH`, and what gives.

        Only needs count: a larger bill is no failure of the design.
        """
        room, gives = float(GROWTH[-1]), ""
        free = replace(self, limits=replace(self.limits, budget_usd_per_day=None))
        for path in plan.paths:
            volumes = path.workload.events_per_day * GROWTH
            misses = replace(free, consumers=path.consumers)._misses(
                sweep(path, events_per_day=volumes)
            )
            bad = np.flatnonzero(misses > 0)
            if len(bad) and GROWTH[max(bad[0] - 1, 0)] < room:
                room = float(GROWTH[max(bad[0] - 1, 0)])
                beyond = evaluate(path.but(events_per_day=float(volumes[bad[0]])))
                gives = free._missed([beyond])[0]
                if len(plan.paths) > 1:
                    gives += f" (path of {' and '.join(one.name for one in path.consumers)})"
        return room, gives

    # --- what would change the answer ------------------------------------------------------------

    def most_fixed_seconds(self, plan: Plan, usd_per_day: float) -> tuple[float, bool] | None:
        """Most fixed seconds an incremental run may keep, and whether a need is missed beyond that.

        If none is, the plan costs more than `usd_per_day` (what the next one costs) beyond. None
        when neither happens, or when there is hardly a fixed part.
        """
        mine = [path for path in plan.paths if path.incremental and path.rhythm is Rhythm.BATCH]
        largest = max((path.workload.fixed_seconds for path in mine), default=0.0)
        if largest < 60:
            return None
        tried = np.linspace(0.0, largest, 61)
        misses = np.zeros(len(tried), dtype=bool)
        bill = np.full(len(tried), _bill([evaluate(path) for path in plan.paths]))
        for path in mine:
            frame = sweep(path, fixed_seconds_incremental=tried)
            misses |= replace(self, consumers=path.consumers)._misses(frame) > 0
            bill += frame["cost_usd_per_day"].to_numpy() - evaluate(path).cost_usd_per_day
        bad = np.flatnonzero(misses | (bill > usd_per_day))
        return (float(tried[max(bad[0] - 1, 0)]), bool(misses[bad[0]])) if len(bad) else None

    def without(self, consumers: Iterable[Consumer]) -> Workshop:
        """The same workshop for fewer consumers."""
        gone = set(consumers)
        return replace(self, consumers=tuple(one for one in self.consumers if one not in gone))


def _bill(found: Sequence[Evaluation]) -> float:
    return float(sum(one.figures["cost_usd_per_day"] for one in found))


def smallest(options: Sequence[Option]) -> Option | None:
    """Of those that serve everyone the one that touches least; of equals the cheapest."""
    serving = [option for option in options if option.serves]
    return min(serving, key=lambda one: (len(one.touches), one.usd_per_day[1]), default=None)
