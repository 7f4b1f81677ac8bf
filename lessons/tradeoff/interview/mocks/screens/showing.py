"""The board in words: figures of each path, and whom it does not serve, as the model says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tradeoff.interview.mocks.talk.wording import plain
from tradeoff.interview.mocks.truth.board import Board, how
from tradeoff.model import words

# How the model's sentence begins for a path that is not rejected.
SERVES = re.compile("(serves every consumer|keeps up) at")


@dataclass(frozen=True)
class Shown:
    """One path of a board: its title, figures by name, and the model's sentence."""

    title: str
    figures: tuple[tuple[str, str], ...]
    sentence: str


def shown(board: Board) -> tuple[Shown, ...]:
    """Each path of a board as it is shown."""
    return tuple(
        Shown(
            f"Path {number}, for {' and '.join(path.consumers)}: {how(path)}",
            (
                ("oldest event", words.duration(one.latency_worst_seconds)),
                ("half are older than", words.duration(one.latency_p50_seconds)),
                ("used at the peak", f"{one.utilisation_peak:.0%}"),
                ("a day", plain(words.usd(round(one.cost_usd_per_day)))),
                (
                    "state, all copies",
                    words.size(one.state_hot_bytes) if one.state_hot_bytes else "none",
                ),
            ),
            plain(SERVES.sub(rf"\1{_but(board)} at", one.sentence)),
        )
        for number, (path, one) in enumerate(zip(board.sketch.paths, board.found, strict=True), 1)
    )


def _but(board: Board) -> str:
    """What of the whole board forbids a path that serves its consumers: the model sees only it."""
    others = [limit.of for limit in board.limits if not limit.kept and limit.says in _others(board)]
    if not others:
        return ""
    together = "all paths together " if len(board.sketch.paths) > 1 else ""
    limits = "the budget" if set(others) == {"cost"} else "all limits"
    return f", but {together}not within {limits},"


def _others(board: Board) -> list[str]:
    """What the board misses beyond what its paths say themselves."""
    of_paths = {reason for one in board.found for reason in one.rejected}
    return [reason for reason in board.missed if reason not in of_paths]


def whole(board: Board) -> str:
    """The board in a few sentences: its bill, whom it does not serve, and which limits of the
    whole it passes; what a path misses is in its own sentence."""
    bill = words.usd(round(board.usd_per_day))
    budget = words.usd(board.problem.budget_usd_per_day)
    said = [f"{bill} a day in all, of a budget of {budget}."]
    if board.unserved:
        said.append(f"Not served: {', '.join(board.unserved)}.")
    if board.serves:
        said.append("Every limit is kept.")
    if others := _others(board):
        said.append(f"Missed: {'; '.join(others)}.")
    return plain(" ".join(said))
