"""The mock interview of 25 minutes: a case, a clock, a whiteboard that the model evaluates.

    from tradeoff.interview import mocks
    mocks.CASES                                     # the cases, by name
    case = mocks.draw("closing-logistics", seed=1)  # with numbers
    mocks.Mock(case, now)                           # the interview without a screen

`cases` tells them; `truth` is what the model computes of one when it is drawn (what fails, what is
right, by what margin); `talk` is the interview and what is kept of it; `screens` shows it.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

import tradeoff.interview.mocks.cases  # noqa: F401 (it registers them)
from tradeoff.interview.mocks.talk.session import Mock
from tradeoff.interview.mocks.talk.tries import Keeper, Try, tries
from tradeoff.interview.mocks.truth.case import CASES, INDUSTRY, Case, draw

__all__ = ["CASES", "Case", "Keeper", "Mock", "Try", "choose", "draw", "industries", "tries"]


def industries() -> dict[str, str]:
    """The industry of each case: what one may know of it before it begins."""
    return dict(INDUSTRY)


def choose(name: str | None, seed: int | None, now: datetime) -> Case:
    """A case by name, with numbers from the seed; what is left out is drawn from the time.

    A case in which nothing was answered yet is preferred. Raises ValueError for a name that is not
    there and a seed below 0.
    """
    if seed is not None and seed < 0:
        raise ValueError(f"the seed must be 0 or more, got {seed}")
    drawn = int(now.timestamp()) % 100_000 if seed is None else seed
    if name is None:
        tried = {one.case for one in tries() if one.answered}
        fresh = [each for each in CASES if each not in tried] or list(CASES)
        name = str(np.random.default_rng(drawn).choice(fresh))
    if name not in CASES:
        raise ValueError(f"no case {name!r}; there are {', '.join(CASES)}")
    return draw(name, drawn)
