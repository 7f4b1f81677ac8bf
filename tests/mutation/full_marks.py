"""What kills a mutant: its behaviour's own check, on the public seed or on one like a teacher's.

`mutate.py` copies this beside the solution's module and lets mutmut run it; the ordinary test run
does not collect it. ASSIGNMENT is in the environment.
"""

import os
import re

import pytest
import solution
from teacher import SEED
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import PUBLIC_SEED, sheet, verdict
from tradeoff.checks.record import answers, copies

ASSIGNMENT = os.environ["ASSIGNMENT"]
BEHAVIOURS = [behaviour.name for behaviour in find(ASSIGNMENT).behaviours]


def mutated() -> str:
    """The function that mutmut has changed, where there is one."""
    found = re.search(r"\.x_(\w+)__mutmut_", os.environ.get("MUTANT_UNDER_TEST", ""))
    return found[1] if found else ""


@pytest.mark.parametrize("seed", [PUBLIC_SEED, SEED])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_full_marks(name: str, seed: str) -> None:
    if name != mutated() in BEHAVIOURS:
        return  # a behaviour's own check must tell, not that of one that builds on it
    asked = sheet(ASSIGNMENT, name, seed)
    given = answers(getattr(solution, name), copies(case.arguments for case in asked.cases))
    for case, answer in zip(asked.cases, given, strict=True):
        found = verdict(asked.behaviour, case, answer)
        assert found.right, found.said
