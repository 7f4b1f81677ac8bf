"""What of a submission the teacher is told: uses of what knows the answers, and nothing honest."""

import subprocess
import sys
from pathlib import Path

import pytest
from assignments.bank import sources
from tradeoff.checks import authoring, rooms, scan
from tradeoff.checks.assignment import find

ROOT = Path(__file__).resolve().parents[1]
NAMES = authoring.names(ROOT)

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


def found(source: str, *, allows: tuple[str, ...] = (), forbids: tuple[str, ...] = ()) -> list[str]:
    (sentences,) = scan.uses([source], allows, forbids)
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
    assert second == ["uses tradeoff.scenarios.faults"]


def test_what_the_task_hands_out_is_allowed_and_nothing_beside_it() -> None:
    source = "from tradeoff.scenarios import triggers\ntriggers.draw()"
    assert found(source, allows=("tradeoff.scenarios.triggers",)) == []
    assert found(source, allows=("tradeoff.scenarios.trig",)) != []
    assert found("import tradeoff.scenarios", allows=("tradeoff.scenarios.triggers",)) != []


# --- what an assignment forbids -------------------------------------------------------------------

FORBIDS = ("tradeoff.simulate.windows", "tradeoff.model.frontier.efficient")


@pytest.mark.parametrize(
    "source",
    [
        "import tradeoff\ntradeoff.simulate.windows.TumblingCount(5)",
        "import tradeoff.simulate.windows",
        "import tradeoff.simulate.windows as w\nw.TumblingCount(5)",
        "from tradeoff import simulate\nsimulate.windows",
        "from tradeoff.simulate import windows as count",
        "from tradeoff.simulate.windows import TumblingCount",
        "from tradeoff.simulate.windows import *",
        "import importlib\nimportlib.import_module('tradeoff.simulate.windows')",
        "from importlib import import_module as load\nload('tradeoff.simulate').windows",
        "__import__('tradeoff.simulate.windows')",
        "__import__('tradeoff.simulate').simulate.windows",
        "import tradeoff\ngetattr(getattr(tradeoff, 'simulate'), 'windows')",
        "import tradeoff.simulate as s\nkept = s\nkept.windows",
        "import pkgutil\npkgutil.resolve_name('tradeoff.simulate.windows:TumblingCount')",
        "exec('from tradeoff.simulate.windows import TumblingCount')",
        "%run -m tradeoff.simulate.windows",
        # Another module's name for it.
        "from tradeoff.lab.windows import TumblingCount",
        "import tradeoff.lab.windows as w\nw.TumblingCount",
        "def count(events):\n    from tradeoff.simulate import windows\n    return windows",
        # A function of a module that is open.
        "from tradeoff.model.frontier import efficient",
        "from tradeoff.model.frontier import *",
        "from tradeoff.model import frontier as f\nf.efficient",
        "import importlib\nm = importlib.import_module('tradeoff.model.frontier')\nm.efficient",
        "import tradeoff.model.frontier as f\ngetattr(f, 'effi' + 'cient')",
        "import pkgutil\npkgutil.resolve_name('tradeoff.model.frontier:efficient')",
    ],
)
def test_what_is_forbidden_is_found_by_any_plain_road(source: str) -> None:
    assert found(source, forbids=FORBIDS) != []
    assert found(source) == [] or "exec" in source, "without the list it is nobody's business"


@pytest.mark.parametrize(
    "source",
    [
        "from tradeoff.model.frontier import offers\noffers(1)",
        "from tradeoff.simulate import simulate, Arrivals",
        "import tradeoff.lab.windows as w\nw.lateness",
        "efficient = [1]\nwindows = efficient\nwindows.count(1)",
        "# tradeoff.simulate.windows does the same",
        "table['efficient']",
    ],
)
def test_what_stands_beside_the_forbidden_is_nobodys_business(source: str) -> None:
    assert found(source, forbids=FORBIDS) == []


def test_a_name_from_elsewhere_is_told_with_its_home() -> None:
    (sentence,) = found("from tradeoff.calculators.trigger import triggers")
    assert sentence == (
        "imports tradeoff.calculators.trigger.triggers, which is tradeoff.scenarios.triggers"
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_is_allowed_or_forbidden_exists(name: str) -> None:
    assignment = find(name)
    for each in (*assignment.allows, *assignment.forbids):
        module, _, attribute = each.rpartition(".")
        assert rooms.file_of(each) or f"def {attribute}(" in rooms.file_of(module).read_text(
            encoding="utf-8"
        ), each


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("state_and_watermarks", "from tradeoff.simulate.windows import TumblingCount"),
        ("state_and_watermarks", "from tradeoff.lab import windows"),
        ("latency_vs_throughput", "from tradeoff.model.amortise import fit_overhead"),
        ("latency_vs_throughput", "from tradeoff.model.frontier import efficient"),
        ("cost_of_streaming", "from tradeoff.scenarios import lag_signals"),
        ("micro_batch", "from tradeoff.scenarios import triggers"),
        ("when_batch_outgrows_itself", "from tradeoff.diagnosis import diagnose"),
    ],
)
def test_the_work_of_a_task_is_told(name: str, source: str) -> None:
    assignment = find(name)
    assert found(source, allows=assignment.allows, forbids=assignment.forbids) != []


@pytest.mark.parametrize("name", NAMES)
def test_no_right_answer_is_told_of(name: str) -> None:
    """Neither the solution and the release (`authoring` asks that, too) nor a bank's answers."""
    assignment = find(name)
    bank = __import__(f"assignments.bank_{name}", fromlist=["RIGHT"])
    written = [text for style in bank.RIGHT.values() for text in sources(style).values()]
    for folder in ("solutions", "exercises"):
        cells = authoring.Draft(name, ROOT).notebook(folder).cells
        written += [cell.source for cell in cells if cell.cell_type == "code"]
    assert set(map(tuple, scan.uses(written, assignment.allows, assignment.forbids))) == {()}


# --- what the kernel had loaded -------------------------------------------------------------------


def test_loaded_modules_tell_what_the_source_hides() -> None:
    own = ["tradeoff.model", "tradeoff.checks", "tradeoff.checks.judge", "tradeoff.checks.record"]
    assert scan.loaded(own, []) == []
    assert scan.loaded([*own, "tradeoff.scenarios"], []) == ["tradeoff.scenarios"]
    assert scan.loaded([*own, "tradeoff.checks.micro_batch"], []) == ["tradeoff.checks.micro_batch"]
    assert scan.loaded([*own, "tradeoff.simulate.windows"], []) == []
    assert scan.loaded(["tradeoff.simulate.windows"], [], forbids=FORBIDS) == [
        "tradeoff.simulate.windows"
    ]


def test_what_the_task_hands_out_explains_what_it_loads_and_no_more() -> None:
    handed_out = ["tradeoff.scenarios", "tradeoff.scenarios.premium", "tradeoff.model"]
    allows = ["tradeoff.scenarios.premium"]
    assert scan.loaded(handed_out, [], allows) == []
    assert scan.loaded(handed_out, []) == handed_out[:2]
    hidden = [*handed_out, "tradeoff.scenarios.bills"]
    assert scan.loaded(hidden, [], allows) == ["tradeoff.scenarios.bills"]


@pytest.mark.parametrize("source", ["checks.progress()", "checks.arguments('micro_batch', 'x')"])
def test_a_check_in_a_cell_of_ones_own_explains_what_its_assignment_loads(source: str) -> None:
    names = ["tradeoff.checks", "tradeoff.checks.micro_batch", "tradeoff.checks.micro_batch.small"]
    names += ["tradeoff.scenarios", "tradeoff.scenarios.micro_batches"]
    assert scan.loaded(names, [source]) == []
    assert scan.loaded(names, ["pass"]) == names[1:]
    assert scan.loaded([*names, "tradeoff.diagnosis"], [source]) == ["tradeoff.diagnosis"]


def test_a_room_explains_what_it_loads_and_no_more() -> None:
    """As a kernel has it: what is open brings nothing closed that is not expected of it."""
    rooms_open = [
        "tradeoff.calculators",
        "tradeoff.charts",
        "tradeoff.lab.windows",
        "tradeoff.memo",
    ]
    code = f"import sys, {', '.join(rooms_open)}; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    names = [name for name in done.stdout.split() if name.startswith("tradeoff.")]
    assert {"tradeoff.scenarios.triggers", "tradeoff.diagnosis"} < set(names)
    assert scan.loaded(names, []) == []
    assert scan.loaded([*names, "tradeoff.scenarios.faults"], []) == ["tradeoff.scenarios.faults"]
    drawing = [name for name in names if not name.startswith("tradeoff.memo")]
    assert "tradeoff.diagnosis" in scan.loaded(drawing, [])
