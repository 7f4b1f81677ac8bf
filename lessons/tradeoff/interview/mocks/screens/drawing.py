"""Changing the board by one thing at a time: what a terminal's line or a widget's control does."""

from __future__ import annotations

from dataclasses import replace

from tradeoff.interview.mocks.truth.board import Path, Sketch
from tradeoff.interview.mocks.truth.problem import Problem
from tradeoff.interview.numbers.drawn import UnitError, parse
from tradeoff.model import Rhythm
from tradeoff.model.quantities import HOUR_SECONDS

# What may be changed of a path, and what is to be typed for it.
FIELDS = {
    "engine": "one of the platform's engines",
    "rhythm": "batch, micro-batch or streaming",
    "every": "the interval: 24 h, 1 h, 4 min",
    "nodes": "a whole number",
    "incremental": "yes (only new rows) or no (full read)",
    "watermark": "how long state waits for late events, or time to live: 1 h; none",
}
YES, NO = ("yes", "y", "on", "true"), ("no", "n", "off", "false")


def changed(problem: Problem, sketch: Sketch, place: int, name: str, said: str) -> Sketch:
    """The sketch with one field of one path changed; what no longer goes with it follows.

    Raises ValueError, a sentence, for a field, a value or a path that is not there.
    """
    if not 0 <= place < len(sketch.paths):
        raise ValueError(f"there is no path {place + 1}: there are {len(sketch.paths)}")
    path = sketch.paths[place]
    setters = {
        "engine": lambda: with_engine(problem, path, said),
        "rhythm": lambda: with_rhythm(problem, path, said),
        "every": lambda: _every(path, said),
        "nodes": lambda: path.but(nodes=_whole(said)),
        "incremental": lambda: path.but(incremental=_flag(said)),
        "watermark": lambda: path.but(watermark_seconds=_span(said)),
    }
    if name not in setters:
        raise ValueError(f"change one of {', '.join(FIELDS)}, got {name!r}")
    paths = [*sketch.paths[:place], setters[name](), *sketch.paths[place + 1 :]]
    return replace(sketch, paths=tuple(paths))


def with_engine(problem: Problem, path: Path, name: str) -> Path:
    """The path on another engine: its rhythm, interval and nodes follow where they must."""
    engine = problem.engine(name)
    rhythm = path.rhythm if path.rhythm in engine.rhythms else engine.rhythms[-1].value
    least = int(engine.minimum_nodes)
    interval = path.interval_seconds
    if rhythm == Rhythm.STREAMING:
        return path.but(
            engine=name,
            rhythm=rhythm,
            interval_seconds=None,
            incremental=True,
            nodes=max(path.nodes, least),
        )
    if interval is None or (rhythm == Rhythm.MICRO_BATCH and interval > HOUR_SECONDS):
        interval = HOUR_SECONDS if rhythm == Rhythm.BATCH else 60.0
    return path.but(
        engine=name, rhythm=rhythm, interval_seconds=interval, nodes=max(path.nodes, least)
    )


def with_rhythm(problem: Problem, path: Path, rhythm: str) -> Path:
    """The path in another rhythm, on the first engine on offer that runs it, if it must change."""
    try:
        wanted = Rhythm(rhythm)
    except ValueError:
        raise ValueError(
            f"rhythm must be one of {', '.join(each.value for each in Rhythm)}, got {rhythm!r}"
        ) from None
    for name in (path.engine, *problem.engines):
        if wanted in problem.engine(name).rhythms:
            moved = with_engine(problem, path.but(rhythm=wanted.value), name)
            return moved.but(rhythm=wanted.value)
    raise ValueError(f"no engine on offer runs {wanted.value!r}")


def split(problem: Problem, sketch: Sketch, consumer: str) -> Sketch:
    """The sketch with a path of its own for one consumer, like the path it was on, on few nodes.

    Raises ValueError for a consumer that is not there or has a path of its own already.
    """
    place = path_of(sketch, consumer)
    old = sketch.paths[place]
    if len(old.consumers) == 1:
        raise ValueError(f"{consumer} has a path of its own")
    kept = old.but(consumers=tuple(name for name in old.consumers if name != consumer))
    paths = [*sketch.paths[:place], kept, *sketch.paths[place + 1 :]]
    least = int(problem.engine(old.engine).minimum_nodes)
    return replace(sketch, paths=(*paths, old.but(consumers=(consumer,), nodes=least)))


def join(problem: Problem, sketch: Sketch, consumer: str) -> Sketch:
    """The sketch with that consumer back on the first path."""
    place = path_of(sketch, consumer)
    if place == 0:
        raise ValueError(f"{consumer} is on the first path")
    first = sketch.paths[0]
    named = {*first.consumers, consumer}
    first = first.but(consumers=tuple(name for name in problem.names if name in named))
    paths = [first]
    for number, path in enumerate(sketch.paths[1:], 1):
        left = tuple(name for name in path.consumers if name != consumer or number != place)
        if left:
            paths.append(path.but(consumers=left))
    return replace(sketch, paths=tuple(paths))


def path_of(sketch: Sketch, consumer: str) -> int:
    """The place of the path a consumer is on. Raises ValueError for one that is on none."""
    for place, path in enumerate(sketch.paths):
        if consumer in path.consumers:
            return place
    known = ", ".join(name for path in sketch.paths for name in path.consumers)
    raise ValueError(f"consumers are {known}, got {consumer!r}")


def _every(path: Path, said: str) -> Path:
    if path.rhythm == Rhythm.STREAMING:
        raise ValueError("a stream has no interval: change its rhythm or engine first")
    return path.but(interval_seconds=_seconds(said))


def _seconds(said: str) -> float:
    try:
        found = parse(said, "s")
    except UnitError as error:
        raise ValueError(str(error)) from None
    if found <= 0:
        raise ValueError(f"a time must be above 0, got {said!r}")
    return found


def _span(said: str) -> float | None:
    return None if said.strip().lower() in ("none", *NO) else _seconds(said)


def _whole(said: str) -> int:
    try:
        found = int(said)
    except ValueError:
        raise ValueError(f"nodes must be a whole number, got {said!r}") from None
    if not 1 <= found <= 1_000:
        raise ValueError(f"nodes must be from 1 to 1000, got {found}")
    return found


def _flag(said: str) -> bool:
    if said.lower() in YES:
        return True
    if said.lower() in NO:
        return False
    raise ValueError(f"say yes or no, got {said!r}")
