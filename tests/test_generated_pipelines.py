"""The generator builds what it says, and the reference diagnosis is right on all of it.

DIAGNOSE_PIPELINES=10000 in the environment draws that many over all groups, some minutes;
`-rP` shows how many were right of each.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tradeoff.diagnosis
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tradeoff.diagnosis import causes, diagnose, options
from tradeoff.model import evaluate, tier_of
from tradeoff.model.stages import STAGES
from tradeoff.scenarios import faults
from tradeoff.scenarios.faults import CAUSES, EDGES, RECENT, History
from tradeoff.scenarios.search import cheapest_path

PIPELINES = int(os.environ.get("DIAGNOSE_PIPELINES", "300"))
ANSWERS = ("outgrown", "rereads", "slowest_stage", "shared", "fails", "failing", "cause")
INSIDE, OUTSIDE, CLOCK = EDGES
BATCHES = CAUSES[:6]
TROUBLES = ("latency", "cost", "state")


def several(rng: np.random.Generator) -> History:
    """Troubles beside a cause, any of them; some at the peak."""
    if rng.random() < 0.2:
        return faults.pipeline(rng, "under-provisioned peak", also=("cost",))
    also = rng.choice(TROUBLES, int(rng.integers(1, 4)), replace=False).tolist()
    return faults.pipeline(rng, str(rng.choice(BATCHES)), also=also)


def inside(rng: np.random.Generator) -> History:
    cause = rng.choice(["healthy", "tier mismatch", "over budget", "state growth"])
    return faults.pipeline(rng, str(cause), edge=INSIDE)


def of(cause: str) -> Callable[[np.random.Generator], History]:
    return lambda rng: faults.pipeline(rng, cause)


GROUPS = {cause: of(cause) for cause in CAUSES} | {
    "several at once": several,
    INSIDE: inside,
    OUTSIDE: lambda rng: faults.pipeline(rng, "outgrown window", edge=OUTSIDE),
    CLOCK: lambda rng: faults.pipeline(rng, str(rng.choice(BATCHES)), edge=CLOCK),
}


def diagnosed(drawn: History) -> tradeoff.diagnosis.Diagnosis:
    return diagnose(drawn.runs, drawn.consumers, **drawn.limits)


def hours(runs: pd.DataFrame) -> pd.Series:
    return (runs["end"] - runs["start"]).dt.total_seconds() / 3600


# --- the diagnosis is right -----------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_right_on_every_generated_pipeline(group):
    rng = np.random.default_rng([20_260_425, *group.encode()])
    count = -(-PIPELINES // len(GROUPS))
    wrong = []
    for number in range(count):
        drawn = GROUPS[group](rng)
        found = diagnosed(drawn)
        for name in ANSWERS:
            told, truth = getattr(found, name), getattr(drawn, name)
            if told != truth:
                wrong.append((number, drawn.label, name, told, truth))
    print(f"{group}: {count - len({number for number, *_ in wrong})} of {count} right")
    assert wrong == []


def test_the_diagnosis_knows_nothing_of_the_generator():
    """Of the scenarios it uses the search for a cheapest plan alone, which knows no pipeline."""
    folder = Path(tradeoff.diagnosis.__file__).parent
    used = {name for path in folder.glob("*.py") for name in imported(path)}
    assert used == {"tradeoff.scenarios.search"}
    assert imported(folder.parent / "scenarios" / "search.py") == set()
    script = "import sys, tradeoff.diagnosis; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = {name for name in done.stdout.split() if name.startswith("tradeoff.scenarios.")}
    assert loaded == {"tradeoff.scenarios.search"}, done.stderr


def imported(path: Path) -> set[str]:
    """Modules of the scenarios that a file imports, by any of the two statements."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{each.name}" for each in node.names)}
    modules = {name for name in found if name.startswith("tradeoff.scenarios")}
    return {".".join(name.split(".")[:3]) for name in modules}


@pytest.mark.parametrize("seed", range(4))
def test_what_it_says_of_a_stream_nobody_needs_holds_in_the_model(seed):
    drawn = faults.pipeline(np.random.default_rng(seed), "unneeded streaming")
    found = diagnosed(drawn)
    (path,) = found.instead.plan.paths
    true = evaluate(drawn.slower.but(cadence=path.cadence))
    assert true.serves, true.sentence
    today = found.options[0].usd_per_day[1]
    saves = today - found.instead.usd_per_day[1]
    offered = [drawn.slower.engine]
    _, least = cheapest_path(drawn.slower.workload, drawn.slower.consumers, offered)
    assert drawn.saves_usd_per_day * 0.97 < saves < (today - least) * 1.03
    assert found.headline.startswith("Streaming nobody needs: batch every ")
    assert " serves everyone for $" in found.headline
    assert found.smallest.name == options.BATCH
    assert found.smallest.usd_per_day[1] < today / 2
    assert not found.options[0].serves


def test_a_stream_that_somebody_needs_is_left_alone():
    rng = np.random.default_rng(5)
    drawn = next(
        one
        for one in (faults.pipeline(rng, "healthy") for _ in range(100))
        if "stream" in one.label
    )
    found = diagnosed(drawn)
    assert found.findings["rhythm"].says.endswith("and no batch serves that.")
    assert found.recommendation.startswith("Change nothing: ")


def test_a_stream_whose_cost_tells_nothing_is_not_called_unneeded():
    drawn = faults.pipeline(np.random.default_rng(6), "unneeded streaming")
    for runs in (drawn.runs.drop(columns="cost_usd"), drawn.runs.head(3)):
        limits = {**drawn.limits, "budget_usd_per_day": None}
        found = diagnose(runs, drawn.consumers, **limits)
        assert found.findings["rhythm"].verdict == "can't tell"
    took = hours(drawn.runs)
    by_the_run = drawn.runs.assign(cost_usd=took * 30)
    found = diagnose(by_the_run, drawn.consumers, **limits)
    assert found.findings["rhythm"].verdict == "no"
    assert found.cause == causes.HEALTHY


@pytest.mark.parametrize("stage", STAGES)
def test_a_peak_that_does_not_fit_is_named_with_its_hour(stage):
    drawn = faults.pipeline(
        np.random.default_rng(7), "under-provisioned peak", rereads=False, slowest_stage=stage
    )
    found = diagnosed(drawn)
    assert found.headline.startswith("Under-provisioned at the peak: a run at 20:")
    assert found.outgrown is False
    late = hours(drawn.runs) > drawn.limits["run_window_hours"]
    assert 0.05 < late.mean() < 0.4
    assert set(drawn.runs.loc[late, "start"].dt.hour) >= {20}
    keep, *others = found.options
    assert not keep.serves
    assert "takes" in keep.missed[0]
    if stage == "transform":  # where nodes help, the smallest change is more of them
        assert found.smallest.name == "Larger cluster"
    # A week that shows each hour less than seven times shows no pattern.
    short = diagnose(drawn.runs.tail(100), drawn.consumers, **drawn.limits)
    assert short.findings["peak"].verdict == "can't tell"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 300))
@example(155, 289)  # six days and a bit: some hours of a week are known, the busy ones not yet
@example(165, 48)  # a day whose two busiest runs alone are late
def test_with_fewer_runs_a_peak_is_seen_or_not_told(seed, kept):
    drawn = faults.pipeline(np.random.default_rng(seed), "under-provisioned peak")
    found = diagnose(drawn.runs.tail(kept), drawn.consumers, **drawn.limits)
    if kept >= 7 * 24 / drawn.limits["interval_hours"]:
        assert found.cause in ("under-provisioned peak", None)
    elif kept >= 24 / drawn.limits["interval_hours"]:  # its busy hours are in it
        assert found.fails in ("throughput", None)


def test_a_peak_that_was_mended_this_week_is_not_held_against_it():
    drawn = faults.pipeline(np.random.default_rng(7), "under-provisioned peak", rereads=False)
    runs = drawn.runs.copy()
    took = hours(runs) * np.where(np.arange(len(runs)) < len(runs) * 11 / 14, 1.0, 0.5)
    runs["end"] = runs["start"] + pd.to_timedelta(took, unit="h").dt.round("us")
    found = diagnose(runs, drawn.consumers, **drawn.limits)
    assert found.findings["peak"].verdict != "yes"


# --- the generator builds what it says ------------------------------------------------------------


@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_is_drawn_with_every_stage_and_with_and_without_rereading(cause):
    rng = np.random.default_rng(11)
    drawn = [faults.pipeline(rng, cause) for _ in range(40)]
    assert {one.cause for one in drawn} == {cause}
    assert {one.slowest_stage for one in drawn} == set(STAGES)
    assert {one.rereads for one in drawn} == {False} | ({True} if "stream" not in cause else set())
    for one in drawn:
        assert one.fails == (one.failing[0] if one.failing else "none")
        tiers = {tier_of(need) for need in one.consumers["freshness_seconds"]}
        assert one.shared == (len(tiers) > 1)


def test_consumers_of_one_tier_and_of_several_share_pipelines():
    rng = np.random.default_rng(12)
    found = {faults.pipeline(rng, "tier mismatch").shared for _ in range(20)}
    assert found == {False, True}


@pytest.mark.parametrize(("edge", "past"), [(INSIDE, -1.0), (OUTSIDE, 1.0)])
def test_one_second_decides(edge, past):
    cause = "healthy" if past < 0 else "outgrown window"
    for seed in range(6):
        drawn = faults.pipeline(np.random.default_rng(seed), cause, edge=edge)
        recent = hours(drawn.runs.tail(RECENT)) * 3600
        over = recent.median() - drawn.limits["run_window_hours"] * 3600
        assert over == pytest.approx(past, abs=0.01)
        assert drawn.outgrown == (past > 0)


def test_the_clock_changes_within_the_history_and_a_night_hides_an_hour():
    """On that night the wall clock's difference is an hour off; a run's time is not."""
    off = set()
    for seed in range(20):
        drawn = faults.pipeline(np.random.default_rng(seed), "healthy", edge=CLOCK)
        start, end = (drawn.runs[name].dt.tz_localize(None) for name in ("start", "end"))
        wall = (end - start).dt.total_seconds() / 3600
        off |= set((wall - hours(drawn.runs)).round().unique())
        offsets = drawn.runs["start"].map(lambda when: when.utcoffset())
        assert offsets.nunique() == 2
    assert off >= {0.0, 1.0} or off >= {0.0, -1.0}


def test_telemetry_has_odd_first_and_last_runs_and_missing_nights():
    rng = np.random.default_rng(13)
    first, last, missing = [], [], 0
    for _ in range(60):
        drawn = faults.pipeline(rng, "outgrown window", rereads=False)
        rows, took = drawn.runs["rows_new"], hours(drawn.runs)
        first.append(rows.iloc[0] / rows.head(RECENT).median())
        last.append(took.iloc[-1] / took.tail(RECENT).median())
        gaps = drawn.runs["start"].diff().dt.total_seconds() / 3600
        missing += int((gaps > 1.5 * drawn.limits["interval_hours"]).sum())
    for odd in (first, last):
        assert 0.2 < np.mean(np.array(odd) > 2) < 0.6
        assert 0.2 < np.mean(np.array(odd) < 0.5) < 0.6
    assert missing > 30


@pytest.mark.parametrize(
    ("cause", "given", "says"),
    [
        ("slow", {}, "must be one of healthy, outgrown window"),
        ("healthy", {"edge": "midnight"}, "edge must be one of one second inside"),
        ("healthy", {"also": ["noise"]}, "must be one of latency, cost, state"),
        ("healthy", {"slowest_stage": "sort"}, "must be one of read, transform, write"),
        ("healthy", {"edge": OUTSIDE}, "does not go with 'healthy'"),
        ("outgrown window", {"edge": INSIDE}, "does not go with 'outgrown window'"),
        ("unneeded streaming", {"rereads": True}, "is a stream"),
        ("under-provisioned peak", {"also": ["state"]}, "also with 'cost' alone"),
    ],
)
def test_what_does_not_go_together_is_refused(cause, given, says):
    with pytest.raises(ValueError, match=says):
        faults.pipeline(np.random.default_rng(0), cause, **given)
