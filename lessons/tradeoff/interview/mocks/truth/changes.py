"""What would change the answer: the same case with one number moved, and the model asked again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tradeoff.interview.mocks.truth import remedies
from tradeoff.interview.mocks.truth.board import Sketch, described, evaluated
from tradeoff.interview.mocks.truth.case import Case
from tradeoff.interview.mocks.truth.estimates import usd
from tradeoff.interview.mocks.truth.problem import NO_LIMIT, Problem
from tradeoff.model import Consumer, tier_of, words

SECONDS = 3.0
FACTORS = (2.0, 1.5, 3.0, 1.25, 4.0, 6.0)
DOUBT = 0.07  # as near to a limit nobody is asked whether it is kept


@dataclass(frozen=True)
class Change:
    """A number moved: in words, and what the right answer is then."""

    moved: str
    says: str


def changes(case: Case) -> list[Change]:
    """More volume, a fresher need, a need given up: what each does to the right answer."""
    found = [_grown(case), _fresher(case), _relaxed(case)]
    return [one for one in found if one is not None]


def growth(problem: Problem, sketch: Sketch) -> tuple[float, bool]:
    """How many times the volume to ask about, and whether the sketch then serves all consumers.

    The bill does not count. A factor is chosen at which the answer is clear.
    """
    free = problem.but(budget_usd_per_day=NO_LIMIT)
    best = (FACTORS[0], True)
    for factor in FACTORS:
        grown = evaluated(free.but(events_per_day=factor * free.work.events_per_day), sketch)
        kept = [limit.used for limit in grown.limits if limit.of in ("latency", "throughput")]
        best = (factor, max(kept) <= 1)
        if abs(max(kept) - 1) > DOUBT:
            break
    return best


def _grown(case: Case) -> Change:
    problem, right = case.problem, case.right
    volume = problem.work.events_per_day
    for factor in (1.5, 2.0, 3.0, 4.0, 6.0, 10.0):
        grown = problem.but(events_per_day=factor * volume, budget_usd_per_day=NO_LIMIT)
        board = evaluated(grown, right.sketch)
        if not board.serves:
            then = _then(_from(grown, case), problem.budget_usd_per_day)
            moved = f"{words.count(factor * volume)} a day instead of {words.count(volume)}"
            return Change(moved, f"the design as it stands fails ({board.missed[0]}); then {then}")
    said = f"{words.count(10 * volume)} a day, ten times today's"
    return Change(said, f"the same design serves, at {usd(board.usd_per_day)} a day.")


def _fresher(case: Case) -> Change | None:
    problem = case.problem
    freshest = min(problem.consumers, key=lambda one: one.freshness_seconds or 0)
    if (freshest.freshness_seconds or 0) <= 10:
        return None
    needy = replace(freshest, tier=tier_of(SECONDS), freshness_seconds=SECONDS, deadline_hour=None)
    priced = _from(problem, case).but(budget_usd_per_day=NO_LIMIT)
    then = _then(_with(priced, freshest, needy), problem.budget_usd_per_day)
    return Change(f"{freshest.name} needing {words.duration(SECONDS)}", then)


def _relaxed(case: Case) -> Change | None:
    problem = case.problem
    freshest = min(problem.consumers, key=lambda one: one.freshness_seconds or 0)
    need = freshest.freshness_seconds or 0
    for looser in (5 * 60.0, 3 * 3_600.0, 2 * 86_400.0):
        if looser < 2 * need:
            continue
        calm = replace(freshest, tier=tier_of(looser), freshness_seconds=looser)
        moved = _with(problem, freshest, calm)
        best = remedies.right(remedies.ladder(moved))
        if best is not None and best.name != case.right.name:
            then = _then(moved, problem.budget_usd_per_day)
            return Change(f"{freshest.name} content with {words.duration(looser)}", then)
    return None


def _with(problem: Problem, old: Consumer, new: Consumer) -> Problem:
    others = [new if one is old else one for one in problem.consumers]
    return problem.but(consumers=tuple(others))


def _from(problem: Problem, case: Case) -> Problem:
    """The problem as it is once the right answer is built; two paths are left as one was."""
    sketch = case.right.sketch
    return problem.but(today=sketch) if len(sketch.paths) == 1 else problem


def _then(problem: Problem, budget: float) -> str:
    best = remedies.right(remedies.ladder(problem))
    if best is None:
        return "no kind of change that the model knows serves everyone."
    does = remedies.REMEDIES.get(best.name, best.name)
    above = f", above today's budget of {usd(budget)}" if best.usd_per_day > budget else ""
    return f"{does} ({described(best.sketch)}), {usd(best.usd_per_day)} a day{above}."
