"""The graded exercises: released as their sources say, graded as the answers deserve.

Nothing here names an assignment: a new one is tested as soon as it has a folder in solutions/, and
its bank of right and wrong answers as soon as tests/assignments/ holds it.
"""

import csv
import functools
import importlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from assignments import one_column
from assignments.bank import Wrong, sources
from nbgrader.api import Gradebook
from teacher import SEED, cell_named, nbgrader
from tradeoff import checks
from tradeoff.checks import authoring, memory, shrink
from tradeoff.checks.assignment import find
from tradeoff.checks.judge import PUBLIC_SEED, judge, sheet
from tradeoff.checks.record import plain

ROOT = Path(__file__).resolve().parents[1]
NAMES = authoring.names(ROOT)
FEWEST_WRONG = 12  # wrong answers a bank holds


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner's memory of its own for every test."""
    monkeypatch.setenv("TRADEOFF_STATE", str(tmp_path / "progress.json"))
    monkeypatch.setattr(memory, "_latest", {})
    monkeypatch.setattr(memory, "_state", {})
    # On a busy machine, too, the example is the plainest one.
    patient = functools.partial(shrink.smallest, seconds=30.0)
    monkeypatch.setattr(shrink, "smallest", patient)


@functools.cache
def notebook(folder: str, name: str) -> nbformat.NotebookNode:
    return authoring.Draft(name, ROOT).notebook(folder)


def bank(name: str) -> ModuleType:
    return importlib.import_module(f"assignments.bank_{name}")


def entries(table: str) -> list[Any]:
    """(assignment, title) of every entry of the banks' RIGHT or WRONG."""
    return [pytest.param(n, title, id=f"{n}: {title}") for n in NAMES for title in banked(n, table)]


def banked(name: str, table: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = getattr(bank(name), table)
    except (ImportError, AttributeError):
        return {}  # `test_every_assignment_has_a_bank` says so
    return found


def touched(name: str, replaced: set[str]) -> list[str]:
    """Behaviours that answer cells of these names can change: their own, and their callers'."""
    book, asked = notebook("solutions", name), [each.name for each in find(name).behaviours]
    found = set(replaced)
    while True:
        calls = re.compile(rf"\b({'|'.join(map(re.escape, sorted(found)))})\b")
        more = {each for each in asked if calls.search(cell_named(book, each).source)}
        if more <= found:
            return [each for each in asked if each in found]
        found |= more


def score(name: str, behaviour: str, function: Callable[..., Any], seed: str) -> float:
    """The share of a behaviour's points that a function deserves."""
    return authoring.judged(name, behaviour, function, seed).score


# --- what an author checks ------------------------------------------------------------------------


@pytest.mark.parametrize("check", authoring.CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_an_author_has_nothing_to_mend(name: str, check: str) -> None:
    assert authoring.complaints(authoring.Draft(name, ROOT), check) == []


def test_no_exercise_is_left_without_its_solution() -> None:
    assert sorted(path.name for path in (ROOT / "exercises").iterdir()) == NAMES


def test_the_release_holds_no_solution() -> None:
    for name in NAMES:
        text = "\n".join(cell.source for cell in notebook("exercises", name).cells)
        assert "MARK SCHEME" not in text
        assert "SOLUTION" not in text


# --- the bank -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_no_dollars_become_mathematics(name: str) -> None:
    """JupyterLab typesets what stands between two of a paragraph, escaped or not."""
    cells = notebook("exercises", name).cells
    said = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    paragraphs = re.split(r"\n\s*\n", re.sub(r"`[^`]*`", "", said))
    assert [part for part in paragraphs if part.count("$") > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_assignment_has_a_bank(name: str) -> None:
    wrong = bank(name).WRONG
    assert len(wrong) >= FEWEST_WRONG
    assert len(bank(name).RIGHT) >= 2
    broken = {behaviour for each in wrong.values() for behaviour in each.loses or each.functions}
    assert broken == {behaviour.name for behaviour in find(name).behaviours}


@pytest.mark.parametrize(("name", "style"), entries("RIGHT"))
def test_every_right_answer_gets_full_marks(name: str, style: str) -> None:
    written = sources(banked(name, "RIGHT")[style])
    made = authoring.functions(notebook("solutions", name), written)
    for behaviour in touched(name, set(written)):
        for seed in (PUBLIC_SEED, SEED):
            found = authoring.judged(name, behaviour, made[behaviour], seed)
            wrong = [each.verdict.said for each in found.findings if not each.verdict.right]
            assert wrong == [], f"{behaviour}, {style}"


@pytest.mark.parametrize(("name", "title"), entries("WRONG"))
def test_a_wrong_answer_loses_its_own_points_and_no_other(name: str, title: str) -> None:
    wrong: Wrong = banked(name, "WRONG")[title]
    made = authoring.functions(notebook("solutions", name), wrong.sources())
    loses = wrong.loses or dict.fromkeys(wrong.functions, "")
    for behaviour in touched(name, set(wrong.functions) | set(loses)):
        for seed in (PUBLIC_SEED, SEED):
            share = score(name, behaviour, made[behaviour], seed)
            if behaviour in loses:
                assert share <= wrong.keeps, f"{behaviour} keeps {share:.0%} on {seed!r}"
            else:
                assert share == 1.0, f"{behaviour} keeps {share:.0%} on {seed!r}"
    for behaviour, words in loses.items():
        memory._latest.clear()
        message = repr(checks.grade(name, made[behaviour], behaviour))
        assert words in message, message


@pytest.mark.parametrize("name", NAMES)
def test_answers_learned_by_heart_earn_next_to_nothing(name: str) -> None:
    def key(arguments: dict[str, Any]) -> str:
        return repr([getattr(each, "to_csv", each.__repr__)() for each in arguments.values()])

    for behaviour in find(name).behaviours:
        cases = sheet(name, behaviour.name, PUBLIC_SEED).cases
        table = {key(case.arguments): case.truth for case in cases}

        def by_heart(table: Any = table, other: Any = cases[0].truth, **given: Any) -> Any:
            return table.get(key(given), other)

        assert score(name, behaviour.name, by_heart, PUBLIC_SEED) > 0.9, behaviour.name
        assert score(name, behaviour.name, by_heart, SEED) <= 0.1, behaviour.name


# --- one column, or one answer, is not a diagnosis ------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_on_one_column_gets_less_than_40_percent(name: str) -> None:
    earned: dict[str, float] = {}
    for behaviour in find(name).behaviours:
        for column, rule in one_column.rules(name, behaviour.name).items():
            points = score(name, behaviour.name, rule, SEED) * behaviour.points
            earned[column] = earned.get(column, 0.0) + points
    assert earned, "no column was tried"
    assert max(earned.values()) < 0.4 * find(name).points, earned


@pytest.mark.parametrize("name", NAMES)
def test_points_start_above_the_best_constant(name: str) -> None:
    for behaviour in find(name).behaviours:
        paper = sheet(name, behaviour.name, SEED)
        best = 0.0
        for answer in {json.dumps(plain(case.truth)): case.truth for case in paper.cases}.values():
            found = judge(paper, [{"returned": plain(answer)}] * len(paper.cases))
            assert found.score == 0.0, f"{behaviour.name}: {answer!r}"
            best = max(best, found.right / found.total)
        assert best <= 0.5, f"{behaviour.name}: one answer is right on {best:.0%}"


# --- all of them, by the real nbgrader ------------------------------------------------------------

# A right answer that is loud, and (the last one) no answer at all.
LOUD = """
import functools, sys, warnings

def loud(function):
    @functools.wraps(function)
    def said(*given, **named):
        warnings.warn("this will change", FutureWarning)
        print("looking at", given, named, file=sys.stderr)
        return function(*given, **named)
    return said

{name} = loud({name})
warnings.warn("and so will this", UserWarning)
"""
FAILS = "def {name}(*given, **named):\n    raise KeyError('load')"


def wrong_one(name: str) -> Wrong:
    """The first wrong answer of a bank."""
    found: Wrong = next(iter(bank(name).WRONG.values()))
    return found


def submissions(name: str) -> dict[str, dict[str, str]]:
    """What four students wrote in their answer cells; a stub is left where they wrote nothing."""
    asked = [each.name for each in find(name).behaviours]
    right = {each: cell_named(notebook("solutions", name), each).source for each in asked}
    first, last = asked[0], asked[-1]
    troubled = {first: right[first] + LOUD.format(name=first), last: FAILS.format(name=last)}
    return {
        "reference": right,
        "stub": {},
        "troubled": right | troubled,
        "wrong": right | wrong_one(name).sources(),
    }


@functools.cache
def deserved(name: str) -> dict[str, dict[str, float]]:
    """The points of each student's functions, by what they answer in this process."""
    full = {each.name: each.points for each in find(name).behaviours}
    wrong = wrong_one(name)
    made = authoring.functions(notebook("solutions", name), wrong.sources())
    kept = {
        each: round(full[each] * score(name, each, made[each], SEED), 2)
        for each in touched(name, set(wrong.functions))
    }
    return {
        "reference": full,
        "stub": dict.fromkeys(full, 0.0),
        "troubled": full | {list(full)[-1]: 0.0},
        "wrong": full | kept,
    }


@dataclass(frozen=True)
class Class:
    """A class graded by the real nbgrader in all assignments, with feedback and the table."""

    folder: Path
    log: str

    def feedback(self, name: str, student: str) -> str:
        path = self.folder / "classroom" / "feedback" / student / name / f"{name}.html"
        return path.read_text(encoding="utf-8")

    def exported(self) -> dict[tuple[str, str], float]:
        table = self.folder / "classroom" / "grades.csv"
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {(row["assignment"], row["student_id"]): float(row["score"]) for row in rows}

    def points(self, name: str, student: str) -> dict[str, float]:
        """By behaviour, as they stand in the gradebook."""
        with Gradebook(f"sqlite:///{self.folder / 'classroom' / 'gradebook.db'}") as gradebook:
            book = gradebook.find_submission_notebook(name, name, student)
            return {
                grade.name.removeprefix("check-"): grade.auto_score
                for grade in book.grades
                if grade.name.startswith("check-")
            }


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    folder = tmp_path_factory.mktemp("class")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    log = ""
    for name in NAMES:
        done = nbgrader(folder, "generate_assignment", name, seed=None)
        assert done.returncode == 0, done.stderr
        released = folder / "exercises" / name / f"{name}.ipynb"
        for student, cells in submissions(name).items():
            handed_in = nbformat.read(released, as_version=4)
            for behaviour, source in cells.items():
                cell_named(handed_in, behaviour).source = source
            where = folder / "classroom" / "submitted" / student / name
            where.mkdir(parents=True)
            (where / released.name).write_text(nbformat.writes(handed_in), encoding="utf-8")
        for command in ("autograde", "generate_feedback"):
            done = nbgrader(folder, command, name)
            assert done.returncode == 0, done.stderr
            log += done.stderr
    done = nbgrader(folder, "export", "--to=classroom/grades.csv", seed=None)
    assert done.returncode == 0, done.stderr
    return Class(folder, log)


STUDENTS = ("reference", "stub", "troubled", "wrong")


@pytest.mark.parametrize("student", STUDENTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_gradebook_and_its_table_have_what_was_deserved(
    graded: Class, name: str, student: str
) -> None:
    expected = deserved(name)[student]
    assert graded.points(name, student) == pytest.approx(expected, abs=0.011)
    assert graded.exported()[name, student] == pytest.approx(sum(expected.values()), abs=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_answer_costs_something_and_not_all(graded: Class, name: str) -> None:
    automatic = find(name).points
    assert 0 < graded.exported()[name, "wrong"] < automatic
    assert graded.exported()[name, "reference"] == automatic


def test_nobody_honest_is_reported(graded: Class) -> None:
    assert "autograd" in graded.log.lower()
    assert "look at this by hand" not in graded.log


@pytest.mark.parametrize("name", NAMES)
def test_feedback_says_what_is_wrong_and_keeps_what_is_hidden(graded: Class, name: str) -> None:
    page = unescape(graded.feedback(name, "wrong"))
    wrong = wrong_one(name)
    for behaviour, words in (wrong.loses or dict.fromkeys(wrong.functions, "")).items():
        assert words in page, behaviour
    first = next(each for each in find(name).behaviours if each.name in wrong.functions)
    assert first.question in page
    assert "drawn for grading right" in page
    for student in STUDENTS:
        page = graded.feedback(name, student)
        assert SEED not in page
        assert "_verdict" not in page
        assert "np.float64(" not in page


@pytest.mark.parametrize("name", NAMES)
def test_feedback_says_what_was_raised(graded: Class, name: str) -> None:
    page = unescape(graded.feedback(name, "troubled"))
    assert "KeyError: 'load'" in page
