"""Every kind of change at its best point, held to a case's limits: what makes an answer right.

A kind (`REMEDIES`) fixes what may be changed; within it nodes, intervals and engines are searched
on a grid with the model. The right answer is the smallest change that serves everyone. A case is
fit to be asked when it is right by a margin (`clear`): the right answer keeps every limit with
`ROOM` to spare, and each other kind passes a limit, or costs more than the right one, by at least
`MARGIN`. A kind that holds all of the right change and touches more beside it ("run it less often"
with fewer nodes, where fewer nodes are enough) is no other answer; it must only not be cheaper by
the margin.

What is shown of a kind that no budget allows is its cheapest point that serves everyone
(`at_its_best`): the point closest to the limits is too small for its readers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from tradeoff.diagnosis.options import Option, smallest
from tradeoff.interview.mocks.truth.board import (
    Board,
    Path,
    Sketch,
    Span,
    described,
    design,
    evaluated,
    plan,
    touched,
)
from tradeoff.interview.mocks.truth.problem import NO_LIMIT, Problem
from tradeoff.model import Consumer, Rhythm, State, evaluate, sweep
from tradeoff.model import engine as engine_of
from tradeoff.model.quantities import DAY_SECONDS, HOUR_SECONDS
from tradeoff.scenarios.search import INTERVALS_SECONDS

MARGIN = 0.1  # of a limit passed, or of the right answer's bill
ROOM = 0.05  # of each limit, that the right answer leaves
MOST_NODES = 24

REMEDIES = {
    "do nothing": "leave it as it is",
    "idempotent sink": "make the sink idempotent",
    "more nodes": "give it more nodes",
    "fewer nodes": "give it fewer nodes",
    "more often": "run it more often, nothing else",
    "less often": "run it less often",
    "incremental": "read only what is new, at the same interval",
    "incremental, more often": "read only what is new and run more often",
    "incremental, less often": "read only what is new and run less often",
    "bound the state": "bound the state with a watermark or a time to live",
    "batch": "go back to batch",
    "micro-batch": "move it to micro-batches",
    "streaming": "stream it, event by event",
    "split": "give the freshest consumer a path of its own",
}


@dataclass(frozen=True)
class Remedy:
    """One kind of change at its best.

    `option` has its bill and what it misses; `used` is the most it uses of a limit (above 1: how
    far the worst one is passed).
    """

    name: str
    board: Board
    option: Option

    @property
    def sketch(self) -> Sketch:
        return self.board.sketch

    @property
    def serves(self) -> bool:
        return self.option.serves

    @property
    def usd_per_day(self) -> float:
        return self.board.usd_per_day

    @property
    def used(self) -> float:
        return self.board.used


def ladder(problem: Problem) -> list[Remedy]:
    """Every kind of change that this problem allows, at its cheapest that serves.

    Where none of a kind serves, the point that comes closest to its limits.
    """
    old = problem.today.paths[0]
    nodes = _nodes_of(old)
    larger = [count for count in nodes if count > old.nodes]
    smaller = [count for count in nodes if count < old.nodes]
    found = [_remedy(problem, "do nothing", problem.today)]
    if problem.side_effects:
        found.append(
            _remedy(problem, "idempotent sink", Sketch(problem.today.paths, idempotent_sink=True))
        )
    if problem.work.state is not None and old.watermark_seconds is None:
        kept = old.but(watermark_seconds=problem.late_seconds)
        found.append(_best(problem, "bound the state", kept, [old.nodes]))
    if larger:
        found.append(_best(problem, "more nodes", old, larger))
    if smaller:
        found.append(_best(problem, "fewer nodes", old, smaller))
    if old.interval_seconds is not None:
        shorter = [each for each in _intervals(old) if each < old.interval_seconds * 0.99]
        longer = [each for each in _intervals(old) if each > old.interval_seconds * 1.01]
        new = old.but(incremental=True)
        for words, some in (("more often", shorter), ("less often", longer)):
            if some:
                found.append(_best(problem, words, old, nodes, some))
                if not old.incremental:
                    found.append(_best(problem, f"incremental, {words}", new, nodes, some))
        if not old.incremental:
            found.append(_best(problem, "incremental", new, nodes))
    found += _other_rhythms(problem, old)
    if len({one.tier for one in problem.consumers}) > 1:
        found.append(_split(problem))
    return found


def at_its_best(problem: Problem, remedies: Sequence[Remedy]) -> list[Remedy]:
    """A ladder as it is shown: what only the budget forbids stands at a size that serves everyone.

    Where no point of a kind keeps all other limits, the one that comes closest stays.
    """
    paid = ladder(problem.but(budget_usd_per_day=NO_LIMIT))
    return [
        _remedy(problem, one.name, other.sketch) if other.serves and not one.serves else one
        for one, other in zip(remedies, paid, strict=True)
    ]


def right(remedies: Sequence[Remedy]) -> Remedy | None:
    """The smallest change that serves everyone; of equals the cheapest; None: none serves."""
    chosen = smallest([one.option for one in remedies])
    return next((one for one in remedies if one.option is chosen), None)


def clear(remedies: Sequence[Remedy], margin: float = MARGIN, room: float = ROOM) -> bool:
    """Whether the right answer is right by the margin over every other kind of change."""
    best = right(remedies)
    if best is None or best.used > 1 - room + 1e-9:
        return False
    return all(_beaten(one, best, margin) for one in remedies if one is not best)


def _beaten(one: Remedy, best: Remedy, margin: float) -> bool:
    more = set(one.option.touches) > set(best.option.touches) and bool(best.option.touches)
    least = 1 - margin if more else 1 + margin
    return one.used >= 1 + margin or one.usd_per_day >= least * best.usd_per_day


def called(now: Sketch, problem: Problem) -> str:
    """What kind of change a sketch is: one of `REMEDIES`, or "another engine"."""
    old, touches = problem.today.paths[0], touched(now, problem.today)
    new = now.paths[0]
    if len(now.paths) > 1:
        return "split"
    if "engine" in touches:
        return new.rhythm if new.rhythm != old.rhythm else "another engine"
    parts = []
    if "query" in touches:
        parts.append("incremental" if new.incremental else "full read")
    if "interval" in touches:
        every, before = new.interval_seconds or 0, old.interval_seconds or 0
        named = f"as {new.rhythm}" if every == before else "less often"
        parts.append("more often" if every < before else named)
    if "watermark" in touches:
        parts.append("bound the state" if new.watermark_seconds else "unbound the state")
    if "sink" in touches:
        parts.append("idempotent sink" if now.idempotent_sink else "a sink that is not idempotent")
    if not parts and "nodes" in touches:
        parts.append("more nodes" if new.nodes > old.nodes else "fewer nodes")
    return ", ".join(parts) or "do nothing"


def _remedy(problem: Problem, name: str, sketch: Sketch) -> Remedy:
    board = evaluated(problem, sketch)
    option = Option(
        name,
        tuple(sorted(touched(sketch, problem.today))),
        (board.usd_per_day,) * 3,
        board.missed,
        (described(sketch),),
        plan=plan(problem, sketch),
    )
    return Remedy(name, board, option)


def _best(
    problem: Problem,
    name: str,
    path: Path,
    nodes: Iterable[int],
    intervals: Iterable[float] = (),
) -> Remedy:
    """The cheapest point that serves with room; else the one that passes its limits by least."""
    # What is built anew gets a sink that bears an event twice, where that matters.
    anew = path.engine != problem.today.paths[0].engine
    sink = problem.today.idempotent_sink or (problem.side_effects and anew)
    found, _ = _point(problem, path, nodes, intervals, problem.consumers)
    return _remedy(problem, name, Sketch((found,), sink))


def _point(
    problem: Problem,
    path: Path,
    nodes: Iterable[int],
    intervals: Iterable[float],
    consumers: Sequence[Consumer],
) -> tuple[Path, float]:
    """The best point of the grid for these consumers, and the most that it uses of a limit."""
    counts = list(nodes)
    tries: list[Span] = list(intervals) or [path.interval_seconds]
    # Daily runs have a window, more frequent ones have none: two designs to sweep around.
    rows: list[tuple[float, float, Path]] = []
    for daily in (True, False):
        some = [one for one in tries if (one is not None and one >= DAY_SECONDS) == daily]
        if not some:
            continue
        base = design(problem, path.but(interval_seconds=some[0]))
        timed = [one for one in some if one is not None]
        axes: dict[str, Any] = {"nodes": counts}
        if timed:
            axes["interval_seconds"] = timed
        frame = sweep(base, **axes)
        used = _used(problem, frame, consumers, base.run_window_hours)
        bills = frame["cost_usd_per_day"].to_numpy(dtype=float)
        row = int(np.lexsort((bills, np.maximum(used, 1.0 - ROOM)))[0])
        count, each = list(product(counts, some))[row]
        made = path.but(interval_seconds=each, nodes=count)
        rows.append((max(float(used[row]), 1.0 - ROOM), float(bills[row]), made))
    used_most, _, made = min(rows, key=lambda one: one[:2])
    return made, used_most


def _used(
    problem: Problem, frame: pd.DataFrame, consumers: Sequence[Consumer], window: float | None
) -> np.ndarray:
    """The most that each row of a sweep uses of a limit, (rows,), as `Board.used` counts it."""
    columns = {name: frame[name].to_numpy() for name in _DECIDING}
    behind = np.where(columns["keeps_up"], 0.0, np.maximum(columns["utilisation_peak"], 1 + 1e-6))
    used = [behind, columns["cost_usd_per_day"] / problem.budget_usd_per_day]
    if window is not None:
        used.append(columns["run_longest_seconds"] / (window * HOUR_SECONDS))
    for one in consumers:
        used.append(columns["latency_worst_seconds"] / (one.freshness_seconds or np.inf))
        if one.deadline_hour is not None:
            used.append(columns["yesterday_complete_hour"] / one.deadline_hour)
    used.append(np.where(columns["state_grows"], np.inf, 0.0))
    return np.asarray(np.max(used, axis=0))


_DECIDING = (
    "keeps_up",
    "utilisation_peak",
    "run_longest_seconds",
    "latency_worst_seconds",
    "yesterday_complete_hour",
    "state_grows",
    "cost_usd_per_day",
)


def _intervals(path: Path) -> list[float]:
    most = DAY_SECONDS if path.rhythm == Rhythm.BATCH else HOUR_SECONDS
    return [each for each in INTERVALS_SECONDS if each <= most]


def _fresh_paths(problem: Problem, served: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """A new path of each engine on offer, with the rhythm it is made for."""
    state: State | None = problem.work.state
    for name in problem.engines:
        offered = engine_of(name)
        rhythm = offered.rhythms[-1]
        streams = rhythm is Rhythm.STREAMING
        yield (
            rhythm.value,
            Path(
                name,
                rhythm.value,
                None if streams else HOUR_SECONDS,
                int(offered.minimum_nodes),
                served,
                watermark_seconds=problem.late_seconds if state else None,
            ),
        )


def _nodes_of(path: Path) -> range:
    return range(int(engine_of(path.engine).minimum_nodes), MOST_NODES + 1)


def _other_rhythms(problem: Problem, old: Path) -> list[Remedy]:
    found: dict[str, Remedy] = {}
    for rhythm, path in _fresh_paths(problem, problem.names):
        if (path.engine, path.rhythm) == (old.engine, old.rhythm):
            continue
        name = rhythm if rhythm != old.rhythm else "another engine"
        intervals = [] if path.interval_seconds is None else _intervals(path)
        one = _best(problem, name, path, _nodes_of(path), intervals)
        best = found.get(name)
        if best is None or _rank(one) < _rank(best):
            found[name] = one
    return list(found.values())


def _rank(one: Remedy) -> tuple[float, float]:
    return max(one.used, 1 - ROOM), one.usd_per_day


def _split(problem: Problem) -> Remedy:
    """Today's path for the less fresh, if it serves them; the cheapest one for the freshest."""
    tiers = {one.tier for one in problem.consumers}
    fresh = [one for one in problem.consumers if one.tier == min(tiers)]
    rest = [one for one in problem.consumers if one not in fresh]
    old = problem.today.paths[0].but(consumers=tuple(one.name for one in rest))
    kept = _point(problem, old, [old.nodes], [], rest)
    if kept[1] > 1:
        kept = _cheapest(problem, rest)
    own = _cheapest(problem, fresh)
    sink = problem.today.idempotent_sink or problem.side_effects
    return _remedy(problem, "split", Sketch((kept[0], own[0]), sink))


def _cheapest(problem: Problem, consumers: Sequence[Consumer]) -> tuple[Path, float]:
    names = tuple(one.name for one in consumers)
    found = []
    for _, path in _fresh_paths(problem, names):
        intervals = [] if path.interval_seconds is None else _intervals(path)
        point = _point(problem, path, _nodes_of(path), intervals, consumers)
        bill = evaluate(design(problem, point[0])).cost_usd_per_day
        found.append((point[1], bill, point[0]))
    used, _, path = min(found, key=lambda one: one[:2])
    return path, used
