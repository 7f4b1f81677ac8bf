"""What of a submission the teacher is told: uses of what knows the answers, and nothing honest."""

import pytest
from tradeoff.checks import scan

HONEST = """
import importlib
import sys
import pandas as pd
import tradeoff
from tradeoff import checks, data, evaluate
from tradeoff.checks import grade
from tradeoff.model import words
# like tradeoff.scenarios in the lesson
%timeit evaluate(design)
!ls
checks.grade("micro_batch", trigger_for)
checks.arguments("micro_batch", "trigger_for", 3)
print(tradeoff.checks.progress(), getattr(data, "order_runs"), sys.version)
importlib.import_module("math")
"""


def found(source: str, *, allows: tuple[str, ...] = ()) -> list[str]:
    (sentences,) = scan.uses([source], allows)
    return sentences


def test_an_honest_notebook_is_silent() -> None:
    assert found(HONEST) == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import tradeoff.scenarios", "imports tradeoff.scenarios"),
        ("import tradeoff.scenarios.faults as f", "imports tradeoff.scenarios.faults"),
        ("from tradeoff import diagnosis", "imports tradeoff.diagnosis"),
        ("from tradeoff.diagnosis import diagnose", "imports tradeoff.diagnosis.diagnose"),
        ("from tradeoff.checks import judge", "imports tradeoff.checks.judge"),
        ("from tradeoff.checks.judge import find", "imports tradeoff.checks.judge.find"),
        ("import tradeoff as t\nt.scenarios.faults", "uses tradeoff.scenarios"),
        ("from tradeoff import checks as c\nc.judge.sheet", "uses tradeoff.checks.judge"),
        ("import tradeoff\ngetattr(tradeoff, 'diagnosis')", "uses tradeoff.diagnosis"),
        ("__import__('tradeoff.scenarios')", "mentions 'tradeoff.scenarios'"),
        ("import importlib as i\ni.import_module(name)", "computes what it hands to importlib"),
        ("__import__('trade' + 'off')", "computes what it hands to __import__"),
        ("import sys\nsys.modules['x']", "reaches into the interpreter by sys.modules"),
        ("!tradeoff diagnose runs.csv", "mentions 'tradeoff diagnose' in a magic"),
        ("open('solutions/micro_batch/x')", "mentions 'solutions/'"),
        ("eval('tradeoff.' + 'diagnosis')", "computes what it hands to eval"),
        ("def broken(:\n  tradeoff.scenarios", "mentions 'tradeoff.scenarios'"),
    ],
)
def test_what_knows_the_answers_is_named(source: str, sentence: str) -> None:
    assert any(each.startswith(sentence) for each in found(source)), found(source)


def test_a_name_bound_in_one_cell_is_known_in_the_next() -> None:
    first, second = scan.uses(["import tradeoff as t", "t.scenarios.faults"])
    assert first == []
    assert "uses tradeoff.scenarios" in second


def test_what_the_task_hands_out_is_allowed() -> None:
    source = "from tradeoff.scenarios import triggers\ntriggers.draw()"
    assert found(source, allows=("tradeoff.scenarios.triggers",)) == []
    assert found(source, allows=("tradeoff.scenarios.trig",)) != []


def test_loaded_modules_tell_what_the_source_hides() -> None:
    own = ["tradeoff.model", "tradeoff.checks", "tradeoff.checks.judge", "tradeoff.checks.record"]
    assert scan.loaded(own, []) == []
    assert scan.loaded([*own, "tradeoff.scenarios"], []) == ["tradeoff.scenarios"]
    handed_out = [*own, "tradeoff.scenarios", "tradeoff.scenarios.triggers"]
    assert scan.loaded(handed_out, [], ["tradeoff.scenarios.triggers"]) == []
    assert scan.loaded([*own, "tradeoff.checks.micro_batch"], []) == ["tradeoff.checks.micro_batch"]


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ("tradeoff.charts", "pass"),
        ("tradeoff.lab.duck", "pass"),
        ("", "checks.arguments('a', 'b')"),
    ],
)
def test_what_loads_them_for_good_reason_explains_them(more: str, source: str) -> None:
    assert scan.loaded(["tradeoff.scenarios", more], [source]) == []
