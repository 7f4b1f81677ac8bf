"""Preparation for an interview: drills, mock interviews and the cheat sheet.

    from tradeoff import interview
    interview.drill()                  # questions, each when it is due; a plan for the days left
    interview.mock()                   # a system-design interview against the clock
    interview.cheat_sheet()            # the page for the evening before

The questions stand in `data/questions.toml`; `bank` reads and checks them. What a learner answered
is kept in the learner's own folder (`kept`). A name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradeoff.interview.drills.widget import drill
    from tradeoff.interview.mocks.screens.widget import mock
    from tradeoff.interview.sheet import cheat_sheet

__all__ = ["cheat_sheet", "drill", "mock"]

_PLACES = {"drill": "drills.widget", "mock": "mocks.screens.widget", "cheat_sheet": "sheet"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
