"""Self-study's smallest failing pipeline: Hypothesis draws plain cases and shrinks what fails.

Only cases whose truth is known by construction are drawn (`Behaviour.small`), so what is shown is
right; a behaviour without a strategy shows its smallest failing public case instead.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from tradeoff.checks.assignment import Behaviour, Case
from tradeoff.checks.judge import CannotJudge, Finding, verdict
from tradeoff.checks.record import answers, copies, plain

SECONDS = 3.0
"""How long drawing and shrinking may take together; a call that is under way is waited for."""


class _Enough(KeyboardInterrupt):
    """The time is up. Hypothesis takes any other exception for the failure it is looking for."""


def smallest(
    behaviour: Behaviour, function: Callable[..., Any], seconds: float = SECONDS
) -> Finding | None:
    """The plainest drawn case that `function` gets wrong, or None.

    None also when the behaviour has no strategy, or nothing failed in time. The same function is
    shown the same case every time, but for what the clock cuts off.
    """
    if behaviour.small is None:
        return None
    from hypothesis import HealthCheck, Phase, find, settings

    best: Finding | None = None
    ends = time.monotonic() + seconds

    def fails(case: Case) -> bool:
        nonlocal best
        if time.monotonic() > ends:
            raise _Enough
        found = _try(behaviour, case, function)
        if found.verdict.right:
            return False
        best = found  # hardly ever plainer than a later one
        return True

    quick = settings(
        database=None,
        derandomize=True,
        max_examples=300,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    with no_files(), contextlib.suppress(_Enough, Exception):
        case = find(behaviour.small(), fails, settings=quick)
        best = _try(behaviour, case, function)
    if best is None or best.verdict.right or not _sound(behaviour, best.case):
        return None
    return best


def _try(behaviour: Behaviour, case: Case, function: Callable[..., Any]) -> Finding:
    (answer,) = answers(function, copies([case.arguments]))
    return Finding(case, answer, verdict(behaviour, case, answer))


def _sound(behaviour: Behaviour, case: Case) -> bool:
    try:
        return verdict(behaviour, case, {"returned": plain(case.truth)}).right
    except CannotJudge:
        return False


@contextlib.contextmanager
def no_files() -> Iterator[None]:
    """Hypothesis keeps notes on the code it runs in `./.hypothesis`: not in a learner's folder."""
    from hypothesis import configuration

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(None)
