"""Lesson 4's exercise: its truths against the model and the operator, its text against both."""

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tradeoff.checks import authoring
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import judge, sheet
from tradeoff.checks.mistakes import mistaken
from tradeoff.model import State, engine
from tradeoff.model.state import full_after_days, over_time
from tradeoff.scenarios import late_streams, remembering
from tradeoff.scenarios.late_streams import COUNTS, EVENTS, RULES
from tradeoff.scenarios.transforms import STATEFUL, STATELESS
from tradeoff.simulate.windows import TumblingCount, held_over_time

NAME = "state_and_watermarks"
ROOT = Path(__file__).resolve().parents[1]
SEEDS = ("public", "2026", "another year")


@pytest.fixture(scope="module")
def solved() -> dict[str, Any]:
    """What the solution notebook defines, with the examples of its last parts."""
    book = authoring.Draft(NAME, ROOT).notebook("solutions")
    made = authoring.functions(book)
    exec(authoring.cell_named(book, "classify").source, made)  # fails if the notebook did
    for cell in book.cells:
        if cell.id in ("parcels", "week"):
            exec(cell.source.rsplit("week.head", 1)[0], made)
    return made


@pytest.fixture(scope="module")
def text() -> str:
    return "\n".join(cell.source for cell in book().cells)


def book() -> nbformat.NotebookNode:
    return authoring.Draft(NAME, ROOT).notebook("solutions")


# --- transforms -----------------------------------------------------------------------------------


def test_either_class_has_each_operation_and_each_store() -> None:
    rng = np.random.default_rng(0)
    for verdict in (STATELESS, STATEFUL):
        drawn = [remembering.transform(rng, verdict, number)[0] for number in range(210)]
        assert {each["operation"] for each in drawn} == set(remembering.OPERATIONS)
        assert set(remembering.STORES) <= {each["kept_in"] for each in drawn}


@pytest.mark.parametrize("fact", ["operation", "event", "result_for", "decided_by", "table"])
def test_a_rule_on_one_fact_gets_less_than_40_percent(fact: str) -> None:
    assert _best_rule(lambda facts: facts[fact]) < 0.4


@pytest.mark.parametrize("fact", ["memory_bytes", "kept_in"])
def test_memory_and_its_place_say_next_to_nothing(fact: str) -> None:
    def place(facts: dict[str, Any]) -> Any:
        return facts[fact] if fact == "kept_in" else len(str(facts[fact]))

    assert _best_rule(place) < 0.35


def _best_rule(seen: Callable[[dict[str, Any]], Any]) -> float:
    """What the most frequent class for each value of a fact, learned on other seeds, earns."""
    votes: dict[Any, Counter[str]] = defaultdict(Counter)
    for number in range(20):
        for case in sheet(NAME, "classify", f"learning {number}").cases:
            votes[seen(case.arguments["transform"])][case.truth] += 1
    earned = []
    for seed in SEEDS:
        paper = sheet(NAME, "classify", seed)
        values = [seen(case.arguments["transform"]) for case in paper.cases]
        given = [votes[value].most_common(1)[0][0] if votes[value] else "" for value in values]
        earned.append(judge(paper, [{"returned": answer} for answer in given]).score)
    return float(np.mean(earned))


# --- state ----------------------------------------------------------------------------------------


def model_of(state: dict[str, Any]) -> State:
    window, watermark = 3600 * state["window_hours"], state["watermark_hours"]
    return State(
        state["keys"],
        state["values"],
        state["bytes_each"],
        window,
        None if watermark is None else 3600 * watermark,
        window if state["per_window"] else None,
        new_keys_per_day=state["new_keys_per_day"],
    )


@pytest.mark.parametrize("kind", remembering.SIZES)
def test_sizes_are_those_of_the_model(kind: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        state, days = remembering.sized(rng, kind)
        held = over_time(model_of(state), state["events_per_day"], [days])[0]
        assert remembering.entries_after(state, days) == pytest.approx(held, rel=0.01)


@pytest.mark.parametrize("kind", remembering.ENDS)
def test_memory_ends_when_the_model_says_so(kind: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        state, memory, days = remembering.ending(rng, kind)
        node = replace(engine("flink"), state_index_overhead=state["index_overhead"])
        found = full_after_days(model_of(state), state["events_per_day"], node, memory, 3650)
        assert (found is None) == (days is None)
        if days is not None:
            assert found == pytest.approx(days, rel=0.02)


def test_entries_are_those_of_events_pushed_through_an_operator() -> None:
    for per_window, keys, new, watermark in (
        (True, 500, 0, 2.0),
        (True, 500, 0, None),
        (False, 3000, 0, 0.5),
        (False, 1, 200_000, 0.5),
    ):
        state = {
            "per_window": per_window,
            "keys": keys,
            "new_keys_per_day": new,
            "events_per_day": 200_000 if new else 20_000,
            "window_hours": 1.0,
            "watermark_hours": watermark,
            "values": 1,
            "bytes_each": 8,
        }
        held = held_over_time(model_of(state), state["events_per_day"], days=0.25, points=1, seed=5)
        found = remembering.entries_after(state, held["days"].iloc[0])
        assert found == pytest.approx(held["simulated"].iloc[0], rel=0.05)


# --- streams --------------------------------------------------------------------------------------


def by_operator(events: pd.DataFrame, window: int, watermark: int | None) -> late_streams.Counted:
    operator, emitted = TumblingCount(window, watermark), []
    for event_time, key in zip(events["event_time"].tolist(), events["key"].tolist(), strict=True):
        emitted += operator.update(event_time, key)
    return late_streams.Counted(sorted(emitted), operator.held, operator.late)


def wrong_counts(events: pd.DataFrame, window: int, watermark: int) -> float:
    """The share of counts that the operator gets wrong, found by comparing them."""
    operator, found = TumblingCount(window, watermark), []
    for event_time, key in zip(events["event_time"].tolist(), events["key"].tolist(), strict=True):
        found += operator.update(event_time, key)
    given = {(start, key): count for start, key, count in [*found, *operator.flush()]}
    true = events.groupby([events["event_time"] // window * window, "key"]).size()
    return float(np.mean([given.get(pair, 0) != count for pair, count in true.items()]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    real=st.booleans(),
    window=st.sampled_from([5, 15, 60]),
    watermark=st.sampled_from([None, 0, 5, 30, 120]),
)
def test_what_is_counted_is_what_an_operator_counts(
    seed: int, real: bool, window: int, watermark: int | None
) -> None:
    rng = np.random.default_rng(seed)
    if real:
        events = late_streams.flown(int(rng.integers(7)), 1, ["JFK", "LGA"])
    else:
        events = late_streams.drawn(rng, int(rng.integers(1, 200)))
    assert events["seen"].is_monotonic_increasing
    assert late_streams.counted(events, window, watermark) == by_operator(events, window, watermark)
    if watermark is not None:
        late = by_operator(events, window, watermark).late
        lost = late_streams.shares(events, window, [watermark], EVENTS)
        assert lost == [pytest.approx(late / len(events))]
        (lost_counts,) = late_streams.shares(events, window, [watermark], COUNTS)
        assert lost_counts == pytest.approx(wrong_counts(events, window, watermark))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_trap_of_the_choice_is_set(seed: str) -> None:
    """Every rule but the right one gives another answer in at least three cases."""
    cases = sheet(NAME, "choose_watermark", seed).cases
    for rule in RULES[1:]:
        differ = sum(
            late_streams.smallest(late_streams.Puzzle(**case.arguments, best=None), rule)
            != case.truth
            for case in cases
        )
        assert differ >= 3, rule
    assert 3 <= sum(case.truth is None for case in cases) <= 6


@pytest.mark.parametrize("seed", SEEDS)
def test_no_place_on_the_list_is_the_answer(seed: str) -> None:
    paper = sheet(NAME, "choose_watermark", seed)
    for place in range(-5, 5):
        given = [{"returned": sorted(c.arguments["watermarks"])[place]} for c in paper.cases]
        assert judge(paper, given).score < 0.4


@pytest.mark.parametrize("seed", SEEDS)
def test_every_misconception_is_caught_on_every_seed(seed: str) -> None:
    for behaviour in find(NAME).behaviours:
        paper = sheet(NAME, behaviour.name, seed)
        for name, theirs in mistaken(paper).items():
            score = judge(paper, [each.answer for each in theirs]).score
            assert score <= 0.9, f"{behaviour.name}: {name}"


@pytest.mark.parametrize("behaviour", [each.name for each in find(NAME).behaviours])
def test_drawing_and_judging_are_quick(behaviour: str, solved: dict[str, Any]) -> None:
    started = time.process_time()
    assert authoring.judged(NAME, behaviour, solved[behaviour], "quick").passed
    assert time.process_time() - started < 10


# --- what the notebook says -----------------------------------------------------------------------

PAGES = {
    "per_window": True,
    "keys": 100_000,
    "new_keys_per_day": 0,
    "events_per_day": 1_000_000_000,
    "window_hours": 1 / 12,
    "watermark_hours": 1 / 6,
    "values": 1,
    "bytes_each": 8,
    "index_overhead": 1.0,
    "copies": 3,
}
MINUTES = [1, 3, 7, 4, 15, 16, 2]
STREAM = pd.DataFrame(
    {
        "event_time": MINUTES,
        "seen": np.maximum.accumulate(MINUTES),
        "key": ["home", "cart", "home", "home", "home", "cart", "cart"],
    }
)


def test_the_worked_examples_are_right(solved: dict[str, Any], text: str) -> None:
    for days in (1, 100):
        assert solved["state_bytes"](PAGES, days) == pytest.approx(14.4e6, rel=1e-3)
    endless = PAGES | {"watermark_hours": None}
    assert solved["state_bytes"](endless, 10) == pytest.approx(13.8e9, rel=5e-3)
    assert solved["memory_ends"](endless, 64e9) == pytest.approx(138.9, rel=0.02)
    assert solved["memory_ends"](PAGES | {"watermark_hours": 4800.0}, 64e9) == pytest.approx(
        138.9, rel=0.02
    )
    assert solved["memory_ends"](PAGES, 64e9) is None
    assert solved["windowed_count"](STREAM, 5, 10) == {
        "emitted": [(0, "home", 2), (0, "cart", 1)],
        "held": 3,
        "late": 1,
    }
    assert '{"emitted": [(0, "home", 2), (0, "cart", 1)], "held": 3, "late": 1}' in text
    assert solved["choose_watermark"](STREAM, 5, [15, 0, 10], 0.15, EVENTS) == 10
    assert solved["choose_watermark"](STREAM, 5, [15, 0, 10], 0.15, COUNTS) == 15
    assert (late_streams.overdue(STREAM, 5) > 0).sum() == 2
    for figure in ("14.4 MB", "13.8 GB", "`138.9`", "1/7 = 14.3 %", "20 %"):
        assert figure in text


def test_the_review_s_figures_are_the_functions_own(solved: dict[str, Any], text: str) -> None:
    steps, size = solved["steps"], solved["state_bytes"]
    ids, depots, parcels = (state for state in steps.values() if state)
    assert size(ids, 30) == pytest.approx(115e9, rel=0.01)
    assert size(ids, 30) / 3 / 30 == pytest.approx(1.3e9, rel=0.02)
    assert size(parcels, 30) / 3 / 30 == pytest.approx(320e6, rel=0.01)
    assert solved["memory_ends"](ids, 256e9) == pytest.approx(200, rel=0.01)
    assert solved["memory_ends"](parcels, 256e9) == pytest.approx(800, rel=0.01)
    assert solved["memory_ends"](depots, 256e9) is None
    assert size(depots, 30) / 3 == pytest.approx(1.5e6, rel=0.05)
    assert math.ceil(30.25 / 0.25) == 121
    day_and_hour = ids | {"watermark_hours": 1.0}
    assert size(day_and_hour, 30) / 3 == pytest.approx(1.3e9, rel=0.03)
    for figure in ("115 GB", "day 200", "320 MB", "day 800", "1.5 MB", "121 windows", "1.3 GB"):
        assert figure in text


def test_the_letter_s_figures_are_the_week_s(solved: dict[str, Any], text: str) -> None:
    week = solved["week"]
    offered = [10, 30, 60, 120, 240, 360, 480, 960]
    assert str(offered) in text
    assert solved["choose_watermark"](week, 60, offered, 0.05, EVENTS) == 240
    assert solved["choose_watermark"](week, 60, offered, 0.05, COUNTS) == 360
    share = solved["windowed_count"](week, 60, 120)["late"] / len(week)
    assert f"{share:.2%}" == "5.15%"
    assert re.search(r"120 lose 5\.15 %", text)
    assert [math.ceil((60 + watermark) / 60) for watermark in (240, 360)] == [5, 7]
