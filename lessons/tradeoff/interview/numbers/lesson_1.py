"""Numbers of lesson 1's questions: latency, throughput, the frontier."""

from __future__ import annotations

import numpy as np

from tradeoff.interview.numbers.drawn import Drawn, number
from tradeoff.model import words


@number
def worst_age_under_a_schedule(rng: np.random.Generator) -> Drawn:
    interval = float(rng.choice([15, 30, 60, 120, 360])) * 60
    run = float(np.ceil(interval * rng.uniform(0.15, 0.6) / 60) * 60)
    return Drawn(
        {"interval": words.duration(interval), "run": words.duration(run)},
        interval + run,
        "s",
        within=0.02,
        because=f"{words.duration(interval)} of waiting and {words.duration(run)} of running",
    )
