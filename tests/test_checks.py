"""The autograder without nbgrader: what is recorded, what it is worth, what the learner reads."""

import enum
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
import pytest
from assignments import nightly
from hypothesis import given
from hypothesis import strategies as st
from tradeoff import checks
from tradeoff.checks import (
    Assignment,
    Behaviour,
    Case,
    Misconception,
    Verdict,
    forms,
    memory,
    mistakes,
    shown,
    shrink,
    study,
)
from tradeoff.checks.judge import (
    PUBLIC_SEED,
    CannotJudge,
    Sheet,
    find,
    generator,
    judge,
    sheet,
)
from tradeoff.checks.record import LONGEST_ANSWER, answers, copies, plain

NIGHTLY = "assignments.nightly:ASSIGNMENT"


@pytest.fixture(autouse=True)
def state(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A learner's memory of its own for every test."""
    path = tmp_path / "account" / "progress.json"
    monkeypatch.setenv("TRADEOFF_STATE", str(path))
    monkeypatch.setattr(memory, "_latest", {})
    monkeypatch.setattr(memory, "_state", {})
    monkeypatch.setattr(memory, "_unsaved", False)
    return path


json_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def latest_is_late(runs: pd.DataFrame, deadline_hour: int) -> bool:
    return bool((runs["end_hour"] > deadline_hour).any())


def mean_is_late(runs: pd.DataFrame, deadline_hour: int) -> bool:
    return bool(runs["end_hour"].mean() > deadline_hour)


def named(name: str) -> Behaviour:
    return nightly.ASSIGNMENT.behaviour(name)


# --- recording


@given(json_data)
def test_plain_data_is_recorded_as_it_is(data: Any) -> None:
    assert plain(data) == data
    assert json.loads(json.dumps(plain(data))) == data


class Text(str):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Stage(enum.StrEnum):
    READ = "read"


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (np.bool_(True), True),
        (np.int32(7), 7),
        (np.float64(0.5), 0.5),
        (np.str_("read"), "read"),
        (Stage.READ, "read"),
        (Text("read"), "read"),
        (("a", 1), ["a", 1]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pd.Series([1.0, np.nan]), [1.0, {"not_data": "nan"}]),
        (pd.Index(["a"]), ["a"]),
        (float("inf"), {"not_data": "inf"}),
        (2**63, {"not_data": "int"}),
        ({1: "a"}, {"not_data": "dict"}),
        ({"a"}, {"not_data": "set"}),
        (object(), {"not_data": "object"}),
        ("x" * LONGEST_ANSWER, {"not_data": "too long an answer"}),
    ],
)
def test_other_values_become_data_or_are_named(value: Any, data: Any) -> None:
    recorded = plain(value)
    assert recorded == data
    assert type(recorded) is type(data)


def test_an_answer_that_holds_itself_is_named() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert plain(endless) == {"not_data": "too deeply nested an answer"}


def test_every_call_gets_a_copy_of_its_own() -> None:
    def spoil(runs: pd.DataFrame) -> float:
        runs["seconds"] = 0.0
        return float(runs.pop("seconds").sum())

    table = pd.DataFrame({"seconds": [1.0, 2.0]})
    assert list(answers(spoil, copies([{"runs": table}]))) == [{"returned": 0.0}]
    assert list(table["seconds"]) == [1.0, 2.0]


def test_exceptions_are_answers_and_an_interrupt_is_not(capsys: Any) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise ValueError

    turns: list[BaseException] = [
        *(KeyError("load"), SystemExit(3), Unspeakable()),
        *(KeyboardInterrupt(), KeyError("never reached")),
    ]
    calls = iter(turns)

    def fail() -> None:
        print("shown to nobody")
        print("nor this", file=sys.stderr)
        raise next(calls)

    recorded: list[dict[str, Any]] = []
    with pytest.raises(KeyboardInterrupt):
        recorded.extend(answers(fail, copies([{}] * len(turns))))
    assert [each["raised"] for each in recorded] == [
        "KeyError: 'load'",
        "SystemExit: 3",
        "Unspeakable",
    ]
    assert capsys.readouterr() == ("", "")


# --- judging


def test_cases_depend_on_seed_and_behaviour_alone() -> None:
    def first(seed: str, behaviour: str) -> int:
        return int(generator(seed, "nightly", behaviour).bit_generator.random_raw())

    assert first("a", "b") == 3300287168725801534, "a class can be graded again next year"
    assert len({first("a", "b"), first("b", "b"), first("a", "c")}) == 3


def test_drawn_cases_come_in_no_order_of_their_truths() -> None:
    truths = [case.truth for case in sheet(NIGHTLY, "misses_deadline", PUBLIC_SEED).cases]
    assert sorted(truths) != truths
    assert truths != [i % 2 == 0 for i in range(len(truths))]


@pytest.mark.parametrize(
    ("name", "base"),
    [("misses_deadline", 1 / 2), ("slowest_stage", 1 / 3), ("backlog_rows", 1 / 12)],
)
def test_the_base_is_what_one_answer_for_all_would_get(name: str, base: float) -> None:
    assert sheet(NIGHTLY, name, PUBLIC_SEED).base == pytest.approx(base)


def drawn(constant: int, total: int) -> Sheet:
    """That many cases, of which `constant` share one truth."""
    truths = ["same"] * constant + [f"only {i}" for i in range(total - constant)]
    behaviour = replace(named("slowest_stage"), form=forms.TEXT)
    return Sheet(behaviour, tuple(Case({}, each, "") for each in truths), constant / total)


@given(
    st.integers(2, 40).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.integers(1, n - 1), st.just(n))
    )
)
def test_points_grow_from_the_base_to_all(numbers: tuple[int, int, int]) -> None:
    right, constant, total = numbers
    paper = drawn(constant, total)
    given_answers = [
        {"returned": case.truth if i < right else "wrong"} for i, case in enumerate(paper.cases)
    ]
    result = judge(paper, given_answers)
    assert result.right == right
    if right <= constant:
        assert result.score == 0.0
    else:
        assert result.score == pytest.approx((right - constant) / (total - constant))
    assert (result.score == 1.0) == result.passed


@given(json_data | st.just(None))
def test_no_answer_gets_points_for_its_shape(answer: Any) -> None:
    """Whatever stands in a record in place of an answer is judged wrong, without an error."""
    paper = sheet(NIGHTLY, "misses_deadline", PUBLIC_SEED)
    assert judge(paper, [answer] * len(paper.cases)).right == 0


@given(json_data)
def test_one_answer_for_every_case_earns_nothing(answer: Any) -> None:
    paper = sheet(NIGHTLY, "slowest_stage", PUBLIC_SEED)
    assert judge(paper, [{"returned": answer}] * len(paper.cases)).score == 0.0


def test_a_missing_answer_is_wrong_and_a_surplus_one_an_error() -> None:
    paper = sheet(NIGHTLY, "slowest_stage", PUBLIC_SEED)
    right = [{"returned": case.truth} for case in paper.cases]
    assert judge(paper, right[:20]).right == 20
    with pytest.raises(ValueError, match="31 answers to 30 cases"):
        judge(paper, [*right, right[0]])


def test_the_smallest_failing_case_is_the_one_to_show() -> None:
    paper = sheet(NIGHTLY, "slowest_stage", PUBLIC_SEED)
    index = judge(paper, []).smallest_failing
    assert index is not None
    assert paper.cases[index].size == min(case.size for case in paper.cases)


TRIALS = count()


def registered(monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour) -> str:
    """The behaviour as an assignment that can be found, under a name never used before."""
    name = f"TRIAL_{next(TRIALS)}"
    monkeypatch.setattr(nightly, name, Assignment(name, (behaviour,)), raising=False)
    return f"assignments.nightly:{name}"


def cases_of(*truths: Any) -> list[Case]:
    return [Case({}, truth, "") for truth in truths]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"cases": lambda rng: 1 / 0}, "drawing the cases of trial failed"),
        ({"cases": lambda rng: [Case({"f": lambda: 0}, "read", "")]}, "failed: .*pickle"),
        ({"cases": lambda rng: []}, "drew no cases"),
        ({"cases": lambda rng: cases_of("read", "read")}, "one answer is right for every case"),
        ({"cases": lambda rng: cases_of("read", "load")}, "rejects its own truth 'load'"),
        ({"verdict": lambda case, answer: answer["stage"]}, "the verdict of trial failed"),
        ({"verdict": lambda case, answer: answer == case.truth}, "a verdict is a Verdict"),
    ],
)
def test_our_own_mistakes_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, broken: dict[str, Any], why: str
) -> None:
    sound = {"name": "trial", "cases": lambda rng: cases_of("read", "write")}
    assignment = registered(monkeypatch, replace(named("slowest_stage"), **sound | broken))
    with pytest.raises(CannotJudge, match=why):
        sheet(assignment, "trial", PUBLIC_SEED)
    report = checks.grade(assignment, lambda: "read", "trial")
    assert report.state == "could not be judged"
    assert re.search(why, repr(report))


def test_an_unknown_assignment_or_behaviour_is_named() -> None:
    with pytest.raises(LookupError, match="no assignment 'no_such_exercise'"):
        find("no_such_exercise")
    with pytest.raises(LookupError, match="is a tuple, not an Assignment"):
        find("assignments.nightly:STAGES")
    with pytest.raises(LookupError, match="misses_deadline, slowest_stage, backlog_rows; not for"):
        checks.grade(NIGHTLY, lambda: None)


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (forms.TRUE_OR_FALSE, [True, False], [0, 1, "True", None, {}]),
        (forms.NUMBER, [0, -1.5], [True, "1", None, [1], float("nan")]),
        (forms.one_of("read", "write"), ["read"], ["load", None, ["read"], 1]),
        (forms.list_of(forms.TEXT), [[], ["a"]], ["a", [1], {"a": "b"}, None]),
        (
            forms.mapping(name=forms.TEXT, cost=forms.NUMBER),
            [{"name": "a", "cost": 1}],
            [{"name": "a"}, {"name": "a", "cost": "1"}, {"name": "a", "cost": 1, "more": 1}, []],
        ),
        (forms.mapping_to(forms.NUMBER), [{}, {"a": 1}], [{"a": "b"}, [1], None]),
    ],
)
def test_forms_accept_what_they_say(form: forms.Form, good: list[Any], bad: list[Any]) -> None:
    assert [each for each in good if not form.accepts(each)] == []
    assert [each for each in bad if form.accepts(each)] == []
    assert form.words


# --- what the learner reads


def test_a_right_function_passes() -> None:
    report = checks.grade(NIGHTLY, latest_is_late, "misses_deadline")
    assert report.state == "passed"
    assert "12 of 12 points" in repr(report)
    assert "Ask yourself" not in repr(report)


def test_a_wrong_function_is_shown_where_it_is_wrong() -> None:
    report = checks.grade(NIGHTLY, mean_is_late, "misses_deadline")
    assert report.state == "failed"
    assert report.example is not None
    assert report.example.label == "one late night"
    assert report.example.came_back == ("returned", "False")
    assert report.example.true == "True"
    text = repr(report)
    assert "misses_deadline(runs=…, deadline_hour=" in text
    assert "3 rows of 2 columns" in text
    assert "the latest run ended at" in text
    assert "Ask yourself: Which night decides: the average one or the worst?" in text


def test_the_shown_case_can_be_called_again() -> None:
    report = checks.grade(NIGHTLY, mean_is_late, "misses_deadline")
    assert report.example is not None
    found: dict[str, Any] = {"checks": checks}
    exec(report.example.again, found)
    assert mean_is_late(**found["arguments"]) is False
    assert latest_is_late(**found["arguments"]) is True
    with pytest.raises(LookupError, match="case must be 0 to 23, got 24"):
        checks.arguments(NIGHTLY, "misses_deadline", 24)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda seconds: seconds["load"], "raised    KeyError: 'load'"),
        (lambda seconds: None, "why       wanted one of 'read', 'transform', 'write'"),
        (lambda seconds: {"read"}, "returned  an object of type set"),
        (lambda: "read", "raised    TypeError"),
    ],
)
def test_every_kind_of_wrong_answer_is_named(function: Any, words: str) -> None:
    assert words in repr(checks.grade(NIGHTLY, function, "slowest_stage"))


def test_a_long_dictionary_is_printed_a_key_a_line() -> None:
    design = {"rhythm": "batch", "nodes": np.int64(4), "run_minutes": np.float64(36.8)}
    design |= {"billing": "a cluster is started for each run", "start_up_minutes": 1 / 3}
    text = shown.call("price", {"design": design, "hours": [7] * 24, "table": pd.DataFrame()})
    assert (
        text
        == """price(
    design={
        'rhythm': 'batch',
        'nodes': 4,
        'run_minutes': 36.8,
        'billing': 'a cluster is started for each run',
        'start_up_minutes': 0.333333,
    },
    hours=[7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
    table=…,
)"""
    )
    assert shown.call("price", {"slow": {"usd": 1.0}, "fast": None}) == (
        "price(slow={'usd': 1.0}, fast=None)"
    )
    assert max(map(len, shown.literal(list(range(10**6, 10**6 + 24))).splitlines())) <= shown.WIDTH


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1 / 3, "0.333333"),
        (89_600_000.0, "89600000.0"),
        (3_711_750.123, "3711750.0"),
        (1.42e-5, "1.42e-05"),
        (np.float32(2.5), "2.5"),
        ((1.0,), "(1.0,)"),
        (Case({}, None, "a case"), "Case(arguments={}, truth=None, label='a case')"),
    ],
)
def test_values_are_printed_for_a_reader(value: Any, words: str) -> None:
    assert shown.short(value) == words


def test_what_is_cut_is_cut_behind_a_comma() -> None:
    assert shown.short(list(range(100)), 20) == "[0, 1, 2, 3, 4, 5, …"


def test_answers_that_differ_do_not_look_alike() -> None:
    assert shown.told_apart(0.1, 0.1 + 1e-9) == ("0.1", repr(0.1 + 1e-9))
    assert shown.told_apart(1 / 3, 1 / 7) == ("0.333333", "0.142857")


def runs_with(count: int, **struck: Any) -> pd.DataFrame:
    start = pd.date_range("2026-01-01", periods=count, freq="D", tz="UTC")
    table = pd.DataFrame({"start": start, "rows": np.arange(count) * 7, "hours": 2.0, "by": "x"})
    for column, value in struck.items():
        table.loc[20, column] = value
    return table


def test_a_table_shows_the_rows_where_something_happens() -> None:
    def rows(table: pd.DataFrame) -> list[str]:
        return shown.excerpt(table).index.tolist()

    assert rows(runs_with(12)) == [str(row) for row in range(12)]
    assert rows(runs_with(112)) == ["0", "1", "⋮", "110", "111"]
    struck = ["0", "1", "⋮", "19", "20", "21", "22", "⋮", "110", "111"]
    assert rows(runs_with(112, hours=9.5)) == struck
    assert rows(runs_with(112, by="y")) == ["0", "1", "⋮", "19", "20", "21", "⋮", "110", "111"]
    noisy = pd.DataFrame({"events": np.random.default_rng(1).integers(0, 99, 24)})
    assert rows(noisy) == [str(row) for row in range(24)], "a day by the hour"
    noisy = pd.DataFrame({"events": np.random.default_rng(1).integers(0, 99, 25)})
    assert rows(noisy) == ["0", "1", "2", "3", "⋮", "21", "22", "23", "24"]
    assert rows(pd.DataFrame({"a": []})) == []
    assert rows(pd.DataFrame({"a": [np.nan] * 30})) == ["0", "1", "⋮", "28", "29"]


def test_figures_stand_one_above_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def cases(rng: Any) -> list[Case]:
        truths = [{"nightly": 14.0, "hourly": 1 / 3, "late": None}, {"nightly": 1.0}]
        return [Case({"usd": i}, truth, "a bill") for i, truth in enumerate(truths)]

    def right(case: Case, answer: Any) -> Verdict:
        return Verdict(answer == case.truth, "it costs $14 a day, you say $10")

    asked = Behaviour("bill", 1, "Which hours are paid?", cases, right)
    monkeypatch.setattr(nightly, "BILLS", Assignment("BILLS", (asked,)), raising=False)

    def bill(usd: int) -> dict[str, Any]:
        return {"hourly": 1 / 3, "late": 2, "nightly": 10} if usd == 0 else {"nightly": 1.0}

    report = checks.grade("assignments.nightly:BILLS", bill)
    text = re.sub(" +", " ", repr(report))
    assert "nightly hourly late\n returned 10 0.333333 2\n true is 14.0 0.333333 None" in text
    page = report._repr_html_()
    assert page.startswith('<div class="tex2jax_ignore mathjax_ignore"'), "dollars are dollars"


def test_a_table_is_in_words() -> None:
    table = pd.DataFrame({"at": pd.to_datetime(["2026-01-01 06:00:30"]), "s": [1 / 3], "n": [None]})
    assert shown.excerpt(table).loc["0"].tolist() == ["2026-01-01 06:00", "0.333333", "None"]
    assert "1 row of 3 columns" in shown.size(table)
    missing = pd.DataFrame({"at": pd.to_datetime([None, "2026-01-01"])})
    assert shown.excerpt(missing)["at"].tolist() == ["NaT", "2026-01-01 00:00"]
    assert "&lt;b&gt;" in shown.as_html(pd.DataFrame({"who": ["<b>"]}))


def test_what_a_learner_wrote_is_escaped_in_html() -> None:
    def scripted(**arguments: Any) -> None:
        raise ValueError("<script>alert(1)</script>")

    page = checks.grade(NIGHTLY, scripted, "slowest_stage")._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_state_is_told_by_a_word_and_a_sign_not_by_colour() -> None:
    shown = [
        checks.grade(NIGHTLY, function, name)._repr_html_()
        for function, name in [
            (latest_is_late, "misses_deadline"),
            (mean_is_late, "misses_deadline"),
            (lambda arrived, read: 0, "backlog_rows"),
        ]
    ]
    for page, words in zip(
        shown,
        ["✓ misses_deadline: passed", "✗ misses_deadline: failed", "could not be judged"],
        strict=True,
    ):
        assert words in page
        assert "background" not in page


def test_grading_without_the_judge_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(RuntimeError, match="nbgrader_config.py"):
        checks.grade(NIGHTLY, latest_is_late, "misses_deadline")


def test_the_validate_button_fails_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert checks.grade(NIGHTLY, latest_is_late, "misses_deadline").state == "passed"
    with pytest.raises(AssertionError, match="Which night decides"):
        checks.grade(NIGHTLY, mean_is_late, "misses_deadline")


def test_only_functions_are_checked() -> None:
    with pytest.raises(TypeError, match="got str"):
        checks.grade(NIGHTLY, "misses_deadline")  # type: ignore[arg-type]


def test_a_graded_notebook_imports_no_widgets_and_no_charts() -> None:
    script = "import sys; from tradeoff import checks; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "tradeoff.checks" in loaded, done.stderr
    heavy = {"altair", "ipywidgets", "IPython", "duckdb", "nbgrader", "hypothesis"}
    assert not loaded & (heavy | {"tradeoff.scenarios", "tradeoff.diagnosis"})


# --- what a check builds on


def test_needs_name_earlier_behaviours() -> None:
    late, slow = named("misses_deadline"), named("slowest_stage")
    Assignment("sound", (late, replace(slow, needs=("misses_deadline",))))
    with pytest.raises(ValueError, match="needs slowest_stage; it may need nothing"):
        Assignment("upside down", (replace(late, needs=("slowest_stage",)), slow))
    with pytest.raises(ValueError, match="two behaviours are named 'slowest_stage'"):
        Assignment("twice", (slow, slow))


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> str:
    """An assignment whose second behaviour builds on its first."""
    second = replace(named("slowest_stage"), needs=("misses_deadline",))
    made = Assignment("BUILDING", (named("misses_deadline"), second))
    monkeypatch.setattr(nightly, "BUILDING", made, raising=False)
    return "assignments.nightly:BUILDING"


def always_read(seconds: dict[str, float]) -> str:
    return "read"


def slowest(seconds: dict[str, float]) -> str:
    return max(seconds, key=lambda stage: seconds[stage])


def test_what_builds_on_a_failure_is_not_reached(building: str) -> None:
    checks.grade(building, mean_is_late, "misses_deadline")
    report = checks.grade(building, always_read, "slowest_stage")
    assert report.state == "not reached"
    assert report.example is None
    assert "– slowest_stage: not reached" in repr(report)
    assert "It builds on misses_deadline, which is not right yet" in repr(report)


def test_what_is_right_passes_whatever_it_builds_on(building: str) -> None:
    checks.grade(building, mean_is_late, "misses_deadline")
    assert checks.grade(building, slowest, "slowest_stage").state == "passed"


def test_what_is_wrong_fails_where_its_ground_is_sound_or_unknown(building: str) -> None:
    assert checks.grade(building, always_read, "slowest_stage").state == "failed"
    checks.grade(building, mean_is_late, "misses_deadline")
    checks.grade(building, latest_is_late, "misses_deadline")
    assert checks.grade(building, always_read, "slowest_stage").state == "failed"


# --- misconceptions


MEAN = Misconception("mean for worst", "takes the mean night for the worst", mean_is_late)
NEVER = Misconception("never", "trusts that all went well", lambda runs, deadline_hour: False)
SIX = Misconception(
    "six", "expects everything by six", lambda runs, deadline_hour: deadline_hour < 7
)


def with_mistakes(monkeypatch: pytest.MonkeyPatch, *known: Misconception) -> str:
    return registered(monkeypatch, replace(named("misses_deadline"), misconceptions=known))


def test_the_misconception_behind_the_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = with_mistakes(monkeypatch, SIX, NEVER)
    report = checks.grade(
        assignment, lambda runs, deadline_hour: deadline_hour <= 6, "misses_deadline"
    )
    assert "the answers of somebody who expects everything by six. (24 of 24 answers)" in repr(
        report
    )
    assert "trusts" not in repr(report)
    assert "expects everything by six" in report._repr_html_()


def test_a_misconception_that_says_one_thing_is_named_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assignment = with_mistakes(monkeypatch, NEVER, SIX)
    report = checks.grade(assignment, lambda **given: False, "misses_deadline")
    assert "trusts that all went well. (24 of 24 answers)" in repr(report)


@pytest.mark.parametrize(
    "function",
    [
        latest_is_late,
        lambda runs, deadline_hour: True,  # a constant is nobody's idea here
        lambda runs, deadline_hour: 1 / 0,
        lambda runs, deadline_hour: bool(runs["end_hour"].iloc[0] * 100 % 2 < 1),  # a coin
        lambda runs, deadline_hour: latest_is_late(runs, deadline_hour) or len(runs) == 3,
    ],
)
def test_other_answers_are_blamed_on_no_misconception(
    monkeypatch: pytest.MonkeyPatch, function: Any
) -> None:
    assignment = with_mistakes(monkeypatch, SIX, NEVER)
    assert "somebody" not in repr(checks.grade(assignment, function, "misses_deadline"))


def test_alike_says_when_numbers_are_a_misconceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    half = Misconception("half", "counts half", lambda arrived, read: read / 2)
    behaviour = replace(
        named("backlog_rows"),
        verdict=lambda case, answer: Verdict(abs(answer - case.truth) <= 0.01 * case.truth),
        misconceptions=(half,),
    )

    def nearly_half(arrived: float, read: float) -> float:
        return read / 2 * 1.005

    report = checks.grade(registered(monkeypatch, behaviour), nearly_half, "backlog_rows")
    assert "counts half" in repr(report), "within the verdict's own tolerance"
    exact = replace(behaviour, alike=lambda answer, wrong: answer == wrong)
    report = checks.grade(registered(monkeypatch, exact), nearly_half, "backlog_rows")
    assert "counts half" not in repr(report)


def test_a_misconception_that_breaks_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Misconception("zero", "divides", lambda arrived, read: 0)
    behaviour = replace(named("backlog_rows"), misconceptions=(broken,))
    assignment = registered(monkeypatch, behaviour)
    paper = sheet(assignment, "backlog_rows", PUBLIC_SEED)
    assert mistakes.named(judge(paper, [{"returned": 1}] * len(paper.cases))) is None
    assert "somebody" not in repr(checks.grade(assignment, lambda **given: 1, "backlog_rows"))


# --- the smallest failing pipeline


def plain_nights(nights: int, late: bool, deadline: int) -> Case:
    ends = [deadline - 1.0] * (nights - 1) + [deadline + (1.0 if late else -1.0)]
    runs = pd.DataFrame({"end_hour": ends})
    return Case({"runs": runs, "deadline_hour": deadline}, late, f"{nights} plain nights")


def shrinking(monkeypatch: pytest.MonkeyPatch, small: Any) -> str:
    return registered(monkeypatch, replace(named("misses_deadline"), small=small))


def nights() -> st.SearchStrategy[Case]:
    return st.builds(plain_nights, st.integers(1, 30), st.booleans(), st.integers(2, 12))


def test_hypothesis_shrinks_what_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assignment = shrinking(monkeypatch, nights)
    report = checks.grade(assignment, mean_is_late, "misses_deadline")
    assert report.example is not None
    assert report.example.label == "2 plain nights", "one night's mean is its worst"
    assert list(report.example.arguments["runs"]["end_hour"]) == [1.0, 3.0]
    found: dict[str, Any] = {"checks": checks}
    exec(report.example.again, found)
    assert mean_is_late(**found["arguments"]) is False
    assert [path.name for path in tmp_path.iterdir() if path.name != "account"] == []
    checks.grade(assignment, latest_is_late, "misses_deadline")
    with pytest.raises(LookupError, match="run its check"):
        checks.arguments(assignment, "misses_deadline")


@pytest.mark.parametrize(
    "small",
    [
        None,
        lambda: st.builds(plain_nights, st.just(1), st.booleans(), st.just(5)),  # none fails
        lambda: st.builds(lambda: Case({}, "neither", "unsound")),  # rejects its own truth
        lambda: 1 / 0,
    ],
)
def test_without_a_plain_failing_pipeline_a_public_one_is_shown(
    monkeypatch: pytest.MonkeyPatch, small: Any
) -> None:
    report = checks.grade(shrinking(monkeypatch, small), mean_is_late, "misses_deadline")
    assert report.example is not None
    assert report.example.label == "one late night"


def test_shrinking_ends_when_its_time_is_up() -> None:
    calls = []

    def slow(runs: pd.DataFrame, deadline_hour: int) -> bool:
        calls.append(time.monotonic())
        time.sleep(0.05)
        return mean_is_late(runs, deadline_hour)

    behaviour = replace(named("misses_deadline"), small=nights)
    shrink.smallest(behaviour, slow, seconds=0.3)
    assert 1 <= len(calls) <= 8
    with pytest.raises(KeyboardInterrupt):
        shrink.smallest(behaviour, lambda **given: stop_at_once())


def stop_at_once() -> None:
    raise KeyboardInterrupt


# --- what self-study remembers


def wrong_in_three_ways() -> list[Any]:
    return [
        lambda seconds: "read" if seconds["read"] > 50 else "write",
        lambda seconds: "read" if seconds["read"] > 60 else "write",
        lambda seconds: "read" if seconds["read"] > 80 else "transform",
    ]


def test_a_solution_opens_after_three_honest_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour = replace(named("slowest_stage"), explanation="Compare the seconds.")
    assignment = registered(monkeypatch, behaviour)
    ways = wrong_in_three_ways()
    stub: Any = lambda seconds: 1 / 0  # noqa: E731
    for function in (ways[0], ways[0], ways[1], always_read, stub, lambda seconds: seconds):
        checks.grade(assignment, function, "slowest_stage")
    closed = checks.solution(assignment, "slowest_stage")
    assert "2 of 3 honest tries" in repr(closed)
    assert "Compare" not in repr(closed) + closed._repr_html_()
    assert "if you are stuck" not in repr(checks.grade(assignment, always_read, "slowest_stage"))
    last = checks.grade(assignment, ways[2], "slowest_stage")
    assert f'if you are stuck: checks.solution("{assignment}", "slowest_stage")' in repr(last)
    opened = checks.solution(assignment, "slowest_stage")
    assert "Compare the seconds." in repr(opened)
    assert "Compare the seconds." in opened._repr_html_()
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert "Compare" not in repr(checks.solution(assignment, "slowest_stage"))


def test_a_solution_opens_at_once_for_who_has_solved_it(monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour = replace(named("slowest_stage"), explanation="Compare the seconds.")
    assignment = registered(monkeypatch, behaviour)
    checks.grade(assignment, slowest, "slowest_stage")
    assert "Compare the seconds." in repr(checks.solution(assignment, "slowest_stage"))


def test_in_a_checkout_the_solution_comes_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "when_batch_outgrows_itself"
    known = {"score": 1.0, "passed": True, "tries": []}
    monkeypatch.setattr(memory, "entry", lambda *where: known)
    opened = checks.solution(name, "slowest_stage")
    assert opened.source.startswith("def slowest_stage(runs):")
    assert "###" not in opened.source
    assert len(opened.explanation.split()) > 20
    monkeypatch.setattr(study.course, "checkout", lambda: None)
    from_a_wheel = checks.solution(name, "slowest_stage")
    assert from_a_wheel.source == ""
    assert from_a_wheel.explanation == opened.explanation


def test_progress_is_one_line_and_outlives_the_kernel(
    monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    monkeypatch.setattr(study, "released", lambda: [replace(nightly.ASSIGNMENT, name=NIGHTLY)])
    assert repr(checks.progress()) == f"0 of 1 assignments complete: {NIGHTLY} 0/30"
    checks.grade(NIGHTLY, slowest, "slowest_stage")
    checks.grade(NIGHTLY, always_read, "slowest_stage")  # a best is not lost by a later try
    monkeypatch.setattr(memory, "_state", {})  # as a new kernel begins
    assert repr(checks.progress()) == f"0 of 1 assignments complete: {NIGHTLY} 12/30"
    assert [path.name for path in state.parent.iterdir()] == ["progress.json"]


def test_every_released_assignment_has_its_place_in_the_line() -> None:
    line = repr(checks.progress())
    assert "when_batch_outgrows_itself 0/70" in line
    assert "\n" not in line


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', '{"a": {"b": {}}}'])
def test_a_spoilt_memory_is_begun_anew(state: Any, content: str) -> None:
    state.parent.mkdir()
    state.write_text(content, encoding="utf-8")
    assert memory.entry("a", "b")["tries"] == []
    checks.grade(NIGHTLY, slowest, "slowest_stage")
    assert memory.entry(NIGHTLY, "slowest_stage")["passed"]
    assert json.loads(state.read_text("utf-8"))[NIGHTLY]["slowest_stage"]["passed"]


def test_where_nothing_can_be_written_the_kernel_remembers(state: Any) -> None:
    state.parent.write_text("a file where the folder should be", encoding="utf-8")
    for function in wrong_in_three_ways():
        checks.grade(NIGHTLY, function, "slowest_stage")
    assert len(memory.entry(NIGHTLY, "slowest_stage")["tries"]) == 3


def test_nbgraders_own_runs_are_nobodys_tries(monkeypatch: pytest.MonkeyPatch, state: Any) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    checks.grade(NIGHTLY, slowest, "slowest_stage")
    assert not state.exists()
