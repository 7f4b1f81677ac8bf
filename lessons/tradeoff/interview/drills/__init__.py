"""Drills: questions of the bank when they are due, readiness, a diagnostic, a plan to the day.

    from tradeoff.interview import drills
    drills.plan(days=6).said             # what to do on which day
    drills.export("answers.csv")         # every answer given so far
    session = drills.Session(drills.Store(), now, seed)      # without any screen

`session` is the drill itself, `terminal` and `widget` only show it. `judging` says what an answer
is worth, `schedule` when its question comes again, `choosing` which one comes next.
"""

from tradeoff.interview.drills.diagnostic import Diagnostic
from tradeoff.interview.drills.plan import plan
from tradeoff.interview.drills.readiness import readiness
from tradeoff.interview.drills.session import Session, State
from tradeoff.interview.drills.store import Review, Store, export

__all__ = ["Diagnostic", "Review", "Session", "State", "Store", "export", "plan", "readiness"]
