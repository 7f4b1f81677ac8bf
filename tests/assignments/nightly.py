"""A small assignment for the tests of the autograder; found as "nightly:ASSIGNMENT"."""

from typing import Any

import numpy as np
import pandas as pd
from tradeoff.checks import Assignment, Behaviour, Case, Verdict
from tradeoff.checks.forms import NUMBER, TRUE_OR_FALSE, one_of

STAGES = ("read", "transform", "write")


def _late_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(24):
        nights = int(rng.integers(3, 9))
        deadline = int(rng.integers(5, 10))
        ends = rng.uniform(2.0, deadline - 0.1, nights).round(2)
        late = number % 2 == 0
        if late:
            ends[rng.integers(nights)] = deadline + 0.5
        runs = pd.DataFrame({"pipeline": f"p{rng.integers(10**12):012d}", "end_hour": ends})
        cases.append(
            Case(
                {"runs": runs, "deadline_hour": deadline},
                truth=late,
                label="one late night" if late else "never late",
                size=nights,
            )
        )
    return cases


def _late_verdict(case: Case, answer: Any) -> Verdict:
    latest = case.arguments["runs"]["end_hour"].max()
    return Verdict(answer == case.truth, f"the latest run ended at {latest:g}")


def _slowest_cases(rng: np.random.Generator) -> list[Case]:
    cases = []
    for number in range(30):
        slowest = STAGES[number % 3]
        seconds = {stage: float(rng.integers(10, 100)) for stage in STAGES}
        seconds[slowest] += 100.0
        cases.append(Case({"seconds": seconds}, slowest, f"{slowest}-bound", sum(seconds.values())))
    return cases


def _equals_truth(case: Case, answer: Any) -> Verdict:
    return Verdict(answer == case.truth)


def _backlog_cases(rng: np.random.Generator) -> list[Case]:
    arrived = [int(rows) for rows in rng.integers(1_000, 9_000, 12)]
    return [
        Case({"arrived": rows, "read": rows // 2}, rows - rows // 2, "half read", rows)
        for rows in arrived
    ]


def _backlog_verdict(case: Case, answer: Any) -> Verdict:
    # Divides by the answer: the kind of mistake an author makes, met only by an answer of 0.
    return Verdict(abs(case.truth / answer - 1.0) < 0.01)


ASSIGNMENT = Assignment(
    "nightly",
    (
        Behaviour(
            "misses_deadline",
            12.0,
            "Which night decides: the average one or the worst?",
            _late_cases,
            _late_verdict,
            TRUE_OR_FALSE,
        ),
        Behaviour(
            "slowest_stage",
            12.0,
            "Where do the seconds go?",
            _slowest_cases,
            _equals_truth,
            one_of(*STAGES),
        ),
        Behaviour(
            "backlog_rows",
            6.0,
            "What arrived that nobody read?",
            _backlog_cases,
            _backlog_verdict,
            NUMBER,
        ),
    ),
)
