"""The whiteboard: a candidate's design as inputs of the model, evaluated, with what it misses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from tradeoff.model import (
    Billing,
    Design,
    Evaluation,
    Plan,
    evaluate,
    words,
)
from tradeoff.model.quantities import DAY_SECONDS

if TYPE_CHECKING:
    from tradeoff.interview.mocks.truth.problem import Problem

Span = float | None  # seconds; None: none
SLACK = 1e-9
# What a change touches, as people say it, and in the order in which changes grow.
TOUCHES = {
    "sink": "the sink",
    "nodes": "the cluster",
    "interval": "the schedule",
    "watermark": "the state's bound",
    "query": "the query",
    "path": "a second path",
    "engine": "the engine",
}


@dataclass(frozen=True)
class Path:
    """One path on the board, in the words of `Design.from_facts`.

    `interval_seconds` is None for a stream. `watermark_seconds` bounds what the logic remembers
    (a watermark, or a time to live beyond the window); None: nothing does.
    """

    engine: str
    rhythm: str
    interval_seconds: Span
    nodes: int
    consumers: tuple[str, ...]
    incremental: bool = True
    watermark_seconds: Span = None

    def but(self, **changes: Any) -> Path:
        """This path with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Sketch:
    """Everything on the board: the paths, and whether the sink bears an event twice."""

    paths: tuple[Path, ...]
    idempotent_sink: bool = False

    def facts(self) -> dict[str, Any]:
        """As plain data: what `from_facts` reads back."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Sketch:
        """A sketch from plain data. Raises TypeError or KeyError for other keys."""
        paths = [Path(**{**one, "consumers": tuple(one["consumers"])}) for one in facts["paths"]]
        return cls(tuple(paths), facts["idempotent_sink"])


@dataclass(frozen=True)
class Limit:
    """One limit of a problem: what a design uses of it (1 is the limit) and the words for it.

    `consumer` is whose need it is; empty for a limit of the pipeline.
    """

    of: str
    used: float
    says: str
    consumer: str = ""

    @property
    def kept(self) -> bool:
        return self.used <= 1 + SLACK


@dataclass(frozen=True)
class Board:
    """A sketch evaluated.

    Attributes
    ----------
    found : the model's evaluation of each path.
    limits : every limit of the problem, with how much of it the design uses.
    """

    problem: Problem
    sketch: Sketch
    found: tuple[Evaluation, ...]
    limits: tuple[Limit, ...]

    @property
    def usd_per_day(self) -> float:
        """The bill of all paths; of several, the sum of their bills in whole dollars, as shown."""
        return _bill(self.found)

    @property
    def serves(self) -> bool:
        """Whether every limit is kept."""
        return all(limit.kept for limit in self.limits)

    @property
    def missed(self) -> tuple[str, ...]:
        """The limits that are passed, in words."""
        return tuple(limit.says for limit in self.limits if not limit.kept)

    @property
    def unserved(self) -> tuple[str, ...]:
        """Consumers who do not get what they need, or get it from a path that falls behind."""
        behind = {name for one in self.found if not one.keeps_up for name in _names(one.design)}
        missed = behind | {limit.consumer for limit in self.limits if not limit.kept}
        return tuple(name for name in self.problem.names if name in missed)

    @property
    def used(self) -> float:
        """The most that is used of a limit: above 1, how far the worst one is passed."""
        return max(limit.used for limit in self.limits)


def evaluated(problem: Problem, sketch: Sketch) -> Board:
    """The board of a sketch.

    Raises ValueError or TypeError, a sentence, for what the model refuses and for a consumer
    that is on no path or on two.
    """
    served = [name for path in sketch.paths for name in path.consumers]
    for name in problem.names:
        if served.count(name) != 1:
            raise ValueError(f"{name} must be on one path, and is on {served.count(name)}")
    found = tuple(evaluate(one) for one in plan(problem, sketch).paths)
    return Board(problem, sketch, found, tuple(_limits(problem, sketch, found)))


def plan(problem: Problem, sketch: Sketch) -> Plan:
    """The sketch as designs of the model. Raises as `evaluated`."""
    several = len(sketch.paths) > 1
    paths = [
        design(problem, path).but(
            name=f"Path {number}, for {' and '.join(path.consumers)}," if several else "This design"
        )
        for number, path in enumerate(sketch.paths, 1)
    ]
    return Plan("whiteboard", paths)


def design(problem: Problem, path: Path) -> Design:
    """One path as a design of the model. Raises ValueError or TypeError for what it refuses."""
    engine, work = problem.engine(path.engine), problem.work
    if path.nodes < engine.minimum_nodes:
        raise ValueError(
            f"{engine.name} needs at least {engine.minimum_nodes:g} nodes, got {path.nodes}"
        )
    if work.state is not None:
        work = replace(work, state=replace(work.state, watermark_seconds=path.watermark_seconds))
    if engine.billing is Billing.ALWAYS_ON:
        # It is handed each change as it is committed: reading stops being a stage.
        work = replace(work, source_events_per_second=None)
    facts = {
        "engine": path.engine,
        "rhythm": path.rhythm,
        "interval_seconds": path.interval_seconds,
        "nodes": path.nodes,
        "incremental": path.incremental,
        "start_hour": problem.start_hour,
        "consumers": path.consumers,
    }
    made = Design.from_facts(facts, work, problem.consumers, [engine])
    return made.but(run_window_hours=problem.window_of(path.interval_seconds))


def _limits(problem: Problem, sketch: Sketch, found: tuple[Evaluation, ...]) -> list[Limit]:
    limits = []
    for path, one in zip(sketch.paths, found, strict=True):
        limits += _of_path(problem, path, one)
    bill = _bill(found)
    budget = problem.budget_usd_per_day
    said = f"it costs {words.usd(round(bill))} a day, the budget is {words.usd(budget)}"
    limits.append(Limit("cost", bill / budget, said))
    if problem.side_effects:
        said = "a rerun repeats effects outside: its sink is not idempotent"
        limits.append(Limit("none", 0.0 if sketch.idempotent_sink else math.inf, said))
    return limits


def _of_path(problem: Problem, path: Path, one: Evaluation) -> list[Limit]:
    figures = one.figures
    load = 0.0 if one.keeps_up else max(one.utilisation_peak, 1.0 + 1e-6)
    # The model's own sentences: one for each limit that it finds passed.
    said = dict(zip(_kinds(one), one.rejected, strict=True))
    limits = [Limit("throughput", load, said.get("behind", ""))]
    window = one.design.run_window_hours
    if window is not None:
        used = figures["run_longest_seconds"] / (window * 3_600)
        limits.append(Limit("throughput", used, said.get("window", "")))
    for who in one.design.consumers:
        need = who.freshness_seconds or math.inf
        used = figures["latency_worst_seconds"] / need
        limits.append(Limit("latency", used, said.get(f"age {who.name}", ""), who.name))
        if who.deadline_hour is not None:
            used = figures["yesterday_complete_hour"] / who.deadline_hour
            limits.append(Limit("latency", used, said.get(f"due {who.name}", ""), who.name))
    limits.append(Limit("state", math.inf if one.state_grows else 0.0, said.get("state", "")))
    late, held = problem.late_seconds, path.watermark_seconds
    if late is not None and held is not None and one.state_local_bytes > 0:
        says = (
            f"its watermark is {words.duration(held)}, events come up to {words.duration(late)} "
            "late: the latest are dropped"
        )
        limits.append(Limit("state", late / held if held < late else 0.0, says))
    return limits


def _kinds(one: Evaluation) -> list[str]:
    """Which limits the model's reasons speak of, in its order."""
    figures, kinds = one.figures, []
    if not one.keeps_up:
        kinds.append("behind")
    window = one.design.run_window_hours
    if window is not None and figures["run_longest_seconds"] > window * 3_600 * (1 + SLACK):
        kinds.append("window")
    for who in one.design.consumers:
        need = who.freshness_seconds or math.inf
        if figures["latency_worst_seconds"] > need * (1 + SLACK):
            kinds.append(f"age {who.name}")
        due = who.deadline_hour
        if due is not None and figures["yesterday_complete_hour"] > due + SLACK:
            kinds.append(f"due {who.name}")
    return [*kinds, "state"] if one.state_grows else kinds


def _bill(found: Sequence[Evaluation]) -> float:
    bills = [float(one.cost_usd_per_day) for one in found]
    return bills[0] if len(bills) == 1 else float(sum(round(bill) for bill in bills))


def _names(made: Design) -> list[str]:
    return [one.name for one in made.consumers]


def touched(now: Sketch, then: Sketch) -> frozenset[str]:
    """What a sketch changes of the one path there was: names of `TOUCHES`."""
    old = then.paths[0]
    # The path that stays is the one most like the old path.
    main = min(now.paths, key=lambda path: len(_changed(path, old)))
    found = set(_changed(main, old))
    if len(now.paths) > 1:
        found.add("path")
    if now.idempotent_sink != then.idempotent_sink:
        found.add("sink")
    return frozenset(found)


def _changed(path: Path, old: Path) -> set[str]:
    pairs = {
        "nodes": (path.nodes, old.nodes),
        # Batch or micro-batch on one engine is a name for how often it runs.
        "interval": ((path.rhythm, path.interval_seconds), (old.rhythm, old.interval_seconds)),
        "query": (path.incremental, old.incremental),
        "watermark": (path.watermark_seconds, old.watermark_seconds),
        "engine": (path.engine, old.engine),
    }
    found = {name for name, (new, before) in pairs.items() if new != before}
    # Another engine brings a schedule, a query and a cluster of its own: it is one large change.
    return found if "engine" not in found else {*found, "interval", "query", "nodes"}


def how(path: Path) -> str:
    """A path in one line: "spark_ephemeral, batch every 1 h, 4 nodes, only new rows"."""
    every = ""
    if path.interval_seconds is not None:
        daily = path.interval_seconds >= DAY_SECONDS
        every = " once a day" if daily else f" every {words.duration(path.interval_seconds)}"
    nodes = f"{path.nodes} node{'s' if path.nodes > 1 else ''}"
    parts = [path.engine, f"{path.rhythm}{every}", nodes]
    if path.rhythm != "streaming":
        parts.append("only new rows" if path.incremental else "full read")
    if path.watermark_seconds is not None:
        parts.append(f"watermark {words.duration(path.watermark_seconds)}")
    return ", ".join(parts)


def described(sketch: Sketch) -> str:
    """The whole board in one line."""
    several = len(sketch.paths) > 1
    said = "; ".join(
        f"{how(path)}, for {' and '.join(path.consumers)}" if several else how(path)
        for path in sketch.paths
    )
    return f"{said}; idempotent sink" if sketch.idempotent_sink else said
