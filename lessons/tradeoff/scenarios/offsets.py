"""Offsets of a queue's consumers drawn for practice: healthy, slow or dead by construction."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradeoff.scenarios.bills import Drawn

EVERY, LASTS, NOW = 10, 600, 300  # seconds between samples, of the whole table, and that are recent
CONSUMERS = {
    "keeps pace": ("healthy", 2),
    "keeps pace, fewer arrive": ("healthy", 4),
    "late by a constant": ("healthy", 3),
    "catching up": ("healthy", 2),
    "restarted, catching up": ("healthy", 3),
    "nothing to read": ("healthy", 8),
    "slow all along": ("slow", 4),
    "slow lately": ("slow", 3),
    "slow since it caught up": ("slow", 3),
    "slow since more arrive": ("slow", 3),
    "restarted, slow": ("slow", 3),
    "dead all along": ("dead", 5),
    "died": ("dead", 5),
    "died far behind": ("dead", 5),
}
"""Kinds of `consumer`: the state they are in, and how many of each a check draws.

Many have nothing to read, or a committed offset that stands still would tell the dead by itself.
"""
RUSH = {"nothing to read": 0.0, "keeps pace, fewer arrive": 0.3, "slow since more arrive": 3.0}


def pace(kind: str, share: float, faster: float) -> tuple[float, float, float]:
    """What a consumer reads before and after its turn, as shares of the arrivals at first, and
    by how many seconds of them it starts late; `share` is a slow one's, `faster` above 1."""
    return {
        "keeps pace": (9.0, 9.0, 0.0),
        "keeps pace, fewer arrive": (9.0, 9.0, 0.0),
        "late by a constant": (1.0, 1.0, 1500.0),
        "catching up": (1.5, 1.5, 1500.0),
        "restarted, catching up": (0.0, faster, 0.0),
        "nothing to read": (9.0, 9.0, 0.0),
        "slow all along": (share, share, 0.0),
        "slow lately": (9.0, share, 0.0),
        "slow since it caught up": (2.5, share, 200.0),
        "slow since more arrive": (9.0, 3 * share, 0.0),
        "restarted, slow": (0.0, share, 0.0),
        "dead all along": (0.0, 0.0, 1.0),
        "died": (9.0, 0.0, 0.0),
        "died far behind": (share, 0.0, 1500.0),
    }[kind]


def consumer(rng: np.random.Generator, kind: str) -> Drawn:
    """Ten minutes of one consumer's offsets, a sample every ten seconds."""
    rate = float(np.exp(rng.uniform(np.log(20), np.log(4000))))
    share, faster = float(rng.uniform(0.2, 0.75)), float(rng.uniform(1.2, 1.4))
    turns = int(rng.integers(20, 27)) * 10  # before what is recent
    early, late, behind = pace(kind, share, faster)
    if behind > 1000 or (kind.endswith("all along") and rng.random() < 0.5):
        behind = float(rng.uniform(700, 3000))
    pauses = int(rng.choice([5, 10, 20, 20]))
    phase = 5 * int(rng.integers(4))
    start = int(rng.integers(10**7, 10**8))
    return sampled(rng, kind, rate, early, late, round(behind * rate), turns, pauses, phase, start)


def sampled(
    rng: np.random.Generator | None,
    kind: str,
    rate: float,
    early: float,
    late: float,
    behind: int,
    turns: int,
    pauses: int,
    phase: int,
    start: int,
) -> Drawn:
    """A consumer that reads at a share of `rate`, `early` and from second `turns` on `late`.

    `rate` events a second arrive, from then on `RUSH` times as many, evenly without `rng`. It
    starts `behind` events late and commits every `pauses` seconds, `phase` before the full ones. A
    share of exactly 1 keeps its distance.
    """
    step = 5
    read, end, committed = float(start - behind), start, start - behind
    rows = []
    for now in range(0, LASTS + 1, step):
        if now:
            mean = rate * step * (1.0 if now <= turns else RUSH.get(kind, 1.0))
            arrived = int(mean) if rng is None else int(rng.poisson(mean))
            end += arrived
            share, done = early if now <= turns else late, int(read)
            read = min(float(end), read + (arrived if share == 1 else share * rate * step))
            if (now + phase) % pauses == 0 and share:
                committed = done  # what it reads at this moment is in flight
        if now % EVERY == 0:
            rows.append((now, end, committed))
    table = pd.DataFrame(rows, columns=["seconds", "end_offset", "committed_offset"])
    return Drawn({"samples": table}, CONSUMERS[kind][0], kind)
